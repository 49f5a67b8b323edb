"""Look at the built site as a browser would: no link is dead, nothing comes from elsewhere.

    python .ci/check_site.py out/site

Sphinx checks what is written in Markdown; this checks what came out, cards, menus and sources too.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

BROWSER_PAGE = "try/"
"""The page that runs in the browser; it is left out where npm is out of reach."""


class Page(HTMLParser):
    """The anchors of a page, its links, and what a browser fetches to show it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Keep what a tag names."""
        values = {name: value for name, value in attributes if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") not in {"canonical", "edit"}:
            self.fetched.append(values["href"])
        elif "src" in values:
            self.fetched.append(values["src"])


def faults(site: Path) -> list[str]:
    """What is wrong, a line each."""
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        if name.parts[0] == "_modules":
            # Sphinx's pages of sources: a way back misses where a name is documented under another
            # module than it is defined in.
            continue
        for address in page.links + page.fetched:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if address in page.fetched and parts.scheme != "data":
                    found.append(f"{name}: {address} is fetched from elsewhere")
                continue
            if parts.path.startswith(BROWSER_PAGE) and not (site / BROWSER_PAGE).is_dir():
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file():
                found.append(f"{name}: {address} leads nowhere")
            elif anchor and target in pages and anchor not in pages[target].anchors:
                found.append(f"{name}: {address}: there is no such place on the page")
    return found


def main() -> None:
    """Tell each fault and end with 1, or be silent."""
    sys.exit("\n".join(faults(Path(sys.argv[1]))) or 0)


if __name__ == "__main__":
    main()
