"""What the rows of a table came to, beside the paper's figures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regionwise.evaluation.bootstrap import Estimate, estimate
from regionwise.evaluation.metrics.metric import Score
from regionwise.evaluation.metrics.registry import METRICS
from regionwise.evaluation.rows import Row
from regionwise.reproduce.paper_table import PaperTable

PictureScores = Mapping[tuple[str, str], float]
"""A metric of each picture, by photo and set of holes."""


@dataclass(frozen=True)
class Cell:
    """A row's number for a score.

    Attributes:
        mean: over pictures and seeds, in the table's unit.
        spread: standard deviation between the seeds' means; NaN with one seed.
        difference: to the table's first row, picture by picture, with its 95 % interval.
        paper: the paper's figure; NaN where it gives none.
    """

    mean: float
    spread: float
    difference: Estimate
    paper: float


def shown_scores(table: PaperTable) -> list[Score]:
    """The scores that the paper's table has and we take; PSNR, SSIM, L1 where it has none."""
    named = {name for row in table.rows.values() for name in row.paper}
    named = named or {"psnr", "ssim", "l1"}
    scores = [score for metric in METRICS for score in metric.scores]
    return [score for score in scores if score.name in named]


def cells(
    table: PaperTable,
    rows: Sequence[Row],
    models: Mapping[str, Sequence[str]],
    sets: Sequence[str],
    score: Score,
    place: str | None = None,
) -> dict[str, Cell]:
    """Each row's number, by its name.

    Args:
        table: whose rows they are.
        rows: of the evaluation.
        models: the evaluated files of each row, one a seed.
        sets: the sets of holes whose pictures count.
        score: which number.
        place: the row of the protocol's tables that the paper's figures are for, if it has several.
    """
    by_model: dict[str, dict[tuple[str, str], float]] = {}
    for row in rows:
        if row.set in sets and score.name in row.metrics:
            by_model.setdefault(row.model, {})[row.photo, row.set] = row.metrics[score.name]
    means = {name: _mean([by_model[m] for m in models[name]]) for name in models}
    first = means[next(iter(models))]
    found = {}
    for name, seeds in models.items():
        each = [score.scale * statistics.fmean(by_model[m].values()) for m in seeds]
        pairs = [(key, score.scale * (value - first[key])) for key, value in means[name].items()]
        found[name] = Cell(
            statistics.fmean(each),
            statistics.stdev(each) if len(each) > 1 else math.nan,
            estimate([value for _, value in pairs], [photo for (photo, _), _ in pairs]),
            table.figure(name, score.name, place),
        )
    return found


def to_markdown(
    table: PaperTable, columns: Mapping[str, tuple[Score, Mapping[str, Cell]]], note: str
) -> str:
    """The table: for each metric the paper's figure, ours, and the difference to the first row."""
    lines = [f"# {table.title}", "", f"{table.source}.", "", note, ""]
    first = next(iter(table.rows))
    titles = ["row"]
    for score, _ in columns.values():
        titles += [f"{score.title}: paper", "ours", f"ours − {first} [95 %]"]
    lines += [_line(titles), _line(["---"] * len(titles))]
    for name in table.rows:
        entries = [name]
        for score, found in columns.values():
            if name not in found:
                entries += ["–", "not trained", "–"]
                continue
            cell = found[name]
            spread = "" if math.isnan(cell.spread) else f" ± {cell.spread:.{score.digits}f}"
            entries += [
                "–" if math.isnan(cell.paper) else f"{cell.paper:.{score.digits}f}",
                f"{cell.mean:.{score.digits}f}{spread}",
                "" if name == first else _interval(cell.difference, score),
            ]
        lines.append(_line(entries))
    return "\n".join(lines) + "\n"


def _mean(seeds: Sequence[PictureScores]) -> dict[tuple[str, str], float]:
    """Of each picture, over the seeds."""
    return {key: statistics.fmean(values[key] for values in seeds) for key in seeds[0]}


def _interval(difference: Estimate, score: Score) -> str:
    digits = score.digits
    value, low, high = difference.value, difference.low, difference.high
    return f"{value:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def _line(entries: Sequence[str]) -> str:
    return f"| {' | '.join(entries)} |"
