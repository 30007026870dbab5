"""What we write down: plain records, and the one reader and writer of each file."""
