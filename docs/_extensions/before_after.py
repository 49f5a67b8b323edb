"""A picture before and after, with a slider between the two where there is JavaScript.

```{before-after} pictures/gallery/rocket
What is seen, in one line.
```

takes `rocket_before.jpg` and `rocket_after.jpg`; a missing one is a warning, and so an error.
The option `:start: 80` says how many percent of the picture before are seen at first.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class BeforeAfter(SphinxDirective):
    """Two pictures and what is to be seen."""

    required_arguments = 1
    has_content = True
    option_spec = {"start": directives.percentage}  # noqa: RUF012 - docutils wants it so

    def run(self) -> list[nodes.Node]:
        """The pair, then its caption."""
        pair = nodes.container(classes=["before-after", f"start-{self.options.get('start', 50)}"])
        for moment in ("before", "after"):
            picture = nodes.image(
                uri=f"{self.arguments[0]}_{moment}.jpg",
                alt=f"{moment.capitalize()}: {' '.join(self.content)}",
                classes=[moment, "no-scaled-link"],
            )
            self.set_source_info(picture)
            pair += picture
        caption = nodes.container(classes=["before-after-caption"])
        caption += self.parse_content_to_nodes()
        whole = nodes.container(classes=["comparison"])
        whole += [pair, caption]
        return [whole]


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx asks for this."""
    app.add_directive("before-after", BeforeAfter)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
