"""How Sphinx builds the documentation; nothing is fetched from a network."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from dogclips import __version__  # noqa: E402 (found by the line above)

project = "dogclips"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docs.generate"]
exclude_patterns = ["_build", "generate"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["attrs_inline", "deflist"]
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # signatures stay short; docstrings say what is taken
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"dogclips {__version__}"
html_static_path: list[str] = ["_static"]
html_css_files = ["dogclips.css"]
html_show_copyright = False
html_copy_source = False
highlight_language = "none"
