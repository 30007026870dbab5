"""Recordings of any codec, container and rate, cut and read back frame by frame."""
