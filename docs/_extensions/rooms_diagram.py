"""Mermaid's flowchart of the rooms as plain HTML, without Mermaid's megabytes of JavaScript.

It reads what docs/architecture.md needs: `name["name: what it is"]`, arrows from one to the next,
and subgraphs for what lies side by side. All else is an error, so that no picture goes missing.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_NODE = re.compile(r'(\w+)\["([^"]*)"\]')
_BOX = r'\w+(\["[^"]*"\])?'
_LINE = re.compile(rf'flowchart TD|end|subgraph .*|\w+\["[^"]*"\]|{_BOX}( --> {_BOX})+')


def layers_of(source: str) -> list[list[str]]:
    """The labels from the top down; those of one subgraph stand together.

    Raises:
        ValueError: for a line that is none of the known ones.
    """
    layers: list[list[str]] = []
    inside = False
    for line in map(str.strip, source.splitlines()):
        if not _LINE.fullmatch(line):
            raise ValueError(f"the diagram's line {line!r} can't be drawn; see rooms_diagram.py")
        if line.startswith("subgraph"):
            layers.append([])
            inside = True
        elif line == "end":
            inside = False
        for _, label in _NODE.findall(line):
            if inside:
                layers[-1].append(label)
            else:
                layers.append([label])
    return layers


class Rooms(SphinxDirective):
    """The diagram as a list of layers."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """One list, from the room that knows most to the one that knows least."""
        try:
            layers = layers_of("\n".join(self.content))
        except ValueError as wrong:
            raise self.error(str(wrong)) from wrong
        items = "".join(f"<li>{''.join(map(_box, layer))}</li>" for layer in layers)
        return [nodes.raw("", f'<ol class="rooms">{items}</ol>', format="html")]


def _box(label: str) -> str:
    name, _, rest = label.partition(": ")
    return f"<span><b>{escape(name)}</b> {escape(rest)}</span>"


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx asks for this."""
    app.add_directive("mermaid", Rooms)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
