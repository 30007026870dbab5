"""Where the real recordings lie, beside the checkout."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("DOGCLIPS_SHARED", Path(__file__).parents[2] / "shared"))

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no recordings at {SHARED}")
