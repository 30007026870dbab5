"""`python -m dogclips` is the console script."""

from dogclips.cli import main

if __name__ == "__main__":
    main()
