"""How right a model is: numbers from plain records, without torch."""
