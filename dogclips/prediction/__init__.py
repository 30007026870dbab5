"""A trained model over whole recordings, one file per stage: `steps.predict` calls them in turn."""
