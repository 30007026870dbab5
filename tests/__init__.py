"""A package by name: one of our libraries installs a `tests` of its own."""
