"""A table of a paper as data: what its rows train, and what the paper says of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from regionwise.recipe import Recipe, find_recipe, override, read_recipe
from regionwise.recipe.section import Section
from regionwise.reproduce.shipped_section import read_shipped_section, shipped_section_names


class PaperRow(Section):
    """A row: a recipe with some values of its own.

    Attributes:
        recipe: by name, if it is not the table's.
        set: what differs, each KEY=VALUE as `regionwise train --set` takes it.
        slim: likewise, at budgets other than the paper's, after the table's own.
        paper: the paper's figures by the names of metrics, or for each metric by the rows of the
            protocol's tables ("all" or a set's name); none where it gives none.
    """

    recipe: str | None = None
    set: tuple[str, ...] = ()
    slim: tuple[str, ...] = ()
    paper: dict[str, float | dict[str, float]] = Field(default={})


class PaperTable(Section):
    """A table.

    Attributes:
        title: what it compares.
        source: paper and table.
        recipe: the shipped recipe that its rows begin from.
        protocol: holes and sizes it is evaluated with, see `regionwise evaluate`.
        paper_row: the row of the protocol's tables that the paper's figures are for: "all" or a
            set's name; the mean over all sets if none. Figures by rows need none.
        slim: KEY=VALUE for budgets other than the paper's: what makes the recipe small enough.
        rows: by their names, in the paper's order; differences are taken to the first one.
    """

    title: str
    source: str
    recipe: str
    protocol: str
    paper_row: str | None = None
    slim: tuple[str, ...] = ()
    rows: dict[str, PaperRow] = Field(min_length=1)

    def places(self, metric: str) -> list[str | None]:
        """The protocol's rows that the paper has figures of a metric for; None for `paper_row`."""
        figures = [row.paper.get(metric) for row in self.rows.values()]
        places = [place for one in figures if isinstance(one, dict) for place in one]
        return [*dict.fromkeys(places)] or [None]

    def figure(self, row: str, metric: str, place: str | None) -> float:
        """The paper's figure at one of these places; NaN where it gives none."""
        found = self.rows[row].paper.get(metric, math.nan)
        return found.get(str(place), math.nan) if isinstance(found, dict) else found

    def row_recipe(
        self, name: str, *, seed: int, slim: bool, changes: Sequence[str] = ()
    ) -> Recipe:
        """What a row trains.

        Args:
            name: of the row.
            seed: of the training.
            slim: whether the table's and the row's slim settings hold.
            changes: further settings for all rows, KEY=VALUE.
        """
        row = self.rows[name]
        base = read_recipe(find_recipe(Path(row.recipe or self.recipe)))
        small = [*self.slim, *row.slim] if slim else []
        return override(base, [*small, *row.set, *changes, f"seed={seed}"])


def read_table(name: str) -> PaperTable:
    """A shipped table by its name, or one of your own by its file.

    Raises:
        RecipeError: if there is none, or it is wrong; one line.
    """
    return read_shipped_section(name, "table", PaperTable)


def table_names() -> list[str]:
    """The names of all shipped tables."""
    return shipped_section_names("table")
