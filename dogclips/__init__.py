"""From raw two-stream recordings and behaviour annotations to verified clips and a tested model."""

__version__ = "0.1.0"
