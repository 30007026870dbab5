"""The only place that runs ffprobe and PyAV on recordings, and writes video."""
