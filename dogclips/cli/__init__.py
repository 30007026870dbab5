"""The command line: one short file a command, each a chain of small steps.

Commands import what they need when they run, so that `--help` answers at once.
"""

from dogclips.cli.app import main

__all__ = ["main"]
