"""Recordings of a small world with known truth, for trying out the whole chain."""
