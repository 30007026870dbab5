"""Records become rich tables and JSON documents; nothing here prints."""
