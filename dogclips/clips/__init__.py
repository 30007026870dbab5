"""Plan the clips of a session, cut them, and keep a manifest of every planned window."""
