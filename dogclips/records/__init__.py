"""Plain records, with one reader and one writer for each file that dogclips writes."""
