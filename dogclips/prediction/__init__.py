"""A trained model over whole recordings, a file a stage: `steps.predict` calls them in turn."""
