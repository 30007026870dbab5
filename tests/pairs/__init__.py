"""Made pairs of streams of one sensor, with known truth."""
