"""Pages that are one HTML file."""
