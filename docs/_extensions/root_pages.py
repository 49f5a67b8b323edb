"""Pages that stand at the repository's root, where a forge looks for them, are in the site too.

Their links are told anew: into docs/ they lead to the site's page, elsewhere to the forge.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
FORGE = "https://github.com/regionwise/regionwise/blob/main/"
PAGES = {
    "contributing": "CONTRIBUTING.md",
    "changelog": "CHANGELOG.md",
    "security": "SECURITY.md",
}
_LINK = re.compile(r"\]\((?!https?:|#)([^)\s]+)\)")


def retold(text: str) -> str:
    """The text of a root page, with links as they are from docs/."""
    homes = {root: f"{page}.md" for page, root in PAGES.items()}

    def link(found: re.Match[str]) -> str:
        path, hash_, anchor = found[1].partition("#")
        if path.startswith("docs/"):
            return f"]({path.removeprefix('docs/')}{hash_}{anchor})"
        return f"]({homes.get(path, FORGE + path)}{hash_}{anchor})"

    return _LINK.sub(link, text)


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    if name in PAGES:
        root_page = ROOT / PAGES[name]
        app.env.note_dependency(root_page)
        source[0] = retold(root_page.read_text(encoding="utf-8"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx asks for this."""
    app.connect("source-read", _read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
