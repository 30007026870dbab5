"""Weights of any source under our names."""
