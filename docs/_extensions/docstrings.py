"""The house's docstrings are plain text with a little Markdown; Sphinx reads reStructuredText.

Bars are norms (|x|), never substitutions; a Markdown table becomes a table.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from sphinx.application import Sphinx


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|") and line.rstrip().endswith("|")


def as_restructured(lines: list[str]) -> list[str]:
    """A docstring's lines with tables and bars as reStructuredText has them."""
    result: list[str] = []
    for table, group in groupby(lines, _is_row):
        block = list(group)
        if table and len(block) > 2:
            result += _table(block)
        else:
            result += [line.replace("|", "\\|") for line in block]
    return result


def _table(rows: list[str]) -> list[str]:
    indent = " " * (len(rows[0]) - len(rows[0].lstrip()))
    lines = ["", f"{indent}.. list-table::", f"{indent}   :header-rows: 1", ""]
    for number, row in enumerate(rows):
        if number == 1:  # |---|---|
            continue
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        lines += [f"{indent}   {'* ' if not n else '  '}- {cell}" for n, cell in enumerate(cells)]
    return [*lines, ""]


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx asks for this. It comes after Napoleon's turn, which is 500."""
    app.connect(
        "autodoc-process-docstring",
        lambda app, what, name, obj, options, lines: lines.__setitem__(
            slice(None), as_restructured(lines)
        ),
        priority=600,
    )
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
