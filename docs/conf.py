"""How the site is built: `make docs` (Sphinx, MyST Markdown, Furo).

A reader's browser fetches nothing from another host.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "regionwise"
author = "The regionwise authors"
copyright = "2026, the regionwise authors"  # noqa: A001 - Sphinx calls it so
release = version = version_of("regionwise")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "before_after",
    "docstrings",
    "rooms_diagram",
]
exclude_patterns = ["_build", "_templates", "_extensions", "pictures/*.py"]
templates_path = ["_templates"]

# Markdown. Headings get the anchors that GitHub gives them, so that a link works in both places.
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]

# The reference: types, shapes and errors come from signatures and docstrings. A word in single
# backticks is code, as in Markdown.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_class_signature = "mixed"
autosummary_ignore_module_all = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "regionwise"
html_favicon = "../src/regionwise/web/static/icon.svg"
html_logo = "../src/regionwise/web/static/icon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["before_after.js"]
html_copy_source = False
html_theme_options = {
    "source_repository": "https://github.com/regionwise/regionwise/",
    "source_branch": "main",
    "source_directory": "docs/",
}
copybutton_exclude = ".linenos, .gp, .go"
