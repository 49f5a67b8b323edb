"""What is known of a network before it is built: data, read without PyTorch.

Each network's folder has a `card.py` with its `CARD`; `regionwise.models.registry` finds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Paper:
    """Where a network was published.

    Attributes:
        authors: as papers cite them.
        title: in full.
        venue: abbreviated; empty where it was published by its authors alone.
        year: of the venue.
    """

    authors: str
    title: str
    venue: str
    year: int

    def __str__(self) -> str:
        """Authors, title, venue and year."""
        return f"{self.authors}, {self.title}, {self._where}"

    @property
    def short(self) -> str:
        """Authors, venue and year."""
        return f"{self.authors}, {self._where}"

    @property
    def _where(self) -> str:
        return f"{self.venue} {self.year}".strip()


@dataclass(frozen=True)
class Released:
    """What was counted on the authors' own network.

    Attributes:
        parameters: each of its networks' that filling uses.
        giga_products: multiply-accumulates of convolutions and attention at 256×256, in 10⁹; a
            transposed convolution counts at its input's size.
    """

    parameters: tuple[int, ...]
    giga_products: float


@dataclass(frozen=True)
class Variant:
    """A network by its options, and what its paper prints of it, in the paper's words.

    Attributes:
        name: as in the paper's table.
        options: of `create_model`.
        parameters, products: the paper's figures, empty where it has none.
        released: what was counted on the authors' network of this kind, if that was done.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: str = ""
    products: str = ""
    released: Released | None = None


@dataclass(frozen=True)
class NetworkCard:
    """A network as data.

    Attributes:
        name: what `create_model` and recipes take.
        title: what it is, in a line.
        papers: where it was published, the first one first.
        network: the class in the folder's `network.py`.
        files: the weights that load, as they are released, in Markdown.
        licence: of those weights.
        size: side in pixels of the pictures that its weights were trained for.
        slim: options of a small network of the kind, for trials and for the contract's tests.
        variants: the rows of its paper's tables; the default network is among them.
        released: what was counted on the authors' network, if its options are the default ones.
        table: where these rows stand in the paper.
        note: why our counts differ from the paper's, if they do.
        parts: where the weights come as several files, each part's name and file.
    """

    name: str
    title: str
    papers: tuple[Paper, ...]
    network: str
    files: str
    licence: str
    size: int
    slim: Mapping[str, Any]
    variants: tuple[Variant, ...]
    note: str
    released: Released | None = None
    table: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def paper(self) -> str:
        """All papers in full."""
        return "; ".join(map(str, self.papers))

    @property
    def source(self) -> str:
        """Whose figures the variants have."""
        papers = "; ".join(paper.short for paper in self.papers)
        return f"{papers}, {self.table}" if self.table else papers
