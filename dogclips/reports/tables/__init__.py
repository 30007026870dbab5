"""Tables and JSON documents of the commands."""
