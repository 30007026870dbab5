"""A trained model is shown whole recordings; what it says becomes labelled time."""
