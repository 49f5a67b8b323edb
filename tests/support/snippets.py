"""The fenced blocks of a Markdown page, as a reader would type them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^( *)(`{3,})([^\n`]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    """A block of bash or Python.

    Attributes:
        page: where it stands.
        line: of its opening fence, from 1.
        language: `bash` or `python`.
        code: without the page's indentation.
        skip: why it is not run, if the fence says `skip: reason`; else empty.
        slow: whether the fence says `slow`.
    """

    page: Path
    line: int
    language: str
    code: str
    skip: str
    slow: bool


def snippets_of(page: Path) -> list[Snippet]:
    """The blocks of bash and Python of a page, in their order; blocks in blocks count, too."""
    return _found(page, page.read_text(encoding="utf-8"), 1)


def _found(page: Path, text: str, first: int) -> list[Snippet]:
    found = []
    for match in _FENCE.finditer(text):
        indent, _, info, body = match.groups()
        line = first + text.count("\n", 0, match.start())
        language, _, rest = info.strip().partition(" ")
        code = "".join(row.removeprefix(indent) for row in body.splitlines(keepends=True))
        if language in {"bash", "python"}:
            reason = rest.partition("skip:")[2].strip()
            found.append(Snippet(page, line, language, code, reason, rest.strip() == "slow"))
        elif language.startswith("{"):  # a card, a tab: its content is Markdown again
            found += _found(page, code, line + 1)
    return found
