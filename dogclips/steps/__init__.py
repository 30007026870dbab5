"""What each command does and writes: paths and settings in, files and a result out.

These functions are the public API (`dogclips.cut` is `dogclips.steps.cut.cut`). They print nothing:
see `events`.
"""
