"""Tables by hole ratio, in the papers' layout: a block for each metric, a row for each bin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regionwise.evaluation.bootstrap import Estimate, estimate, paired_difference
from regionwise.evaluation.feature_files import Key
from regionwise.evaluation.metrics.metric import Score
from regionwise.evaluation.plan import Plan
from regionwise.evaluation.rows import Row


@dataclass(frozen=True)
class TableRow:
    """A bin: for each model its number, and its difference from the first model's.

    `differences` is empty for metrics that are no mean over pictures.
    """

    name: str
    values: tuple[Estimate, ...]
    differences: tuple[Estimate, ...]


@dataclass(frozen=True)
class Table:
    """All that was found for one metric."""

    metric: Score
    models: tuple[str, ...]
    rows: tuple[TableRow, ...]


def make_tables(
    rows: Sequence[Row],
    plan: Plan,
    models: Sequence[str],
    metrics: Sequence[Score],
    distance: tuple[Score, Callable[[Sequence[Key]], float]] | None = None,
) -> list[Table]:
    """A table for each metric.

    Models are compared on the same pictures: what one of them failed on counts for none.

    Args:
        rows: all results.
        plan: names the bins and their order.
        models: columns, in order; the first one is what the others are compared with.
        metrics: means and ratios of sums over pictures.
        distance: a metric of whole sets of pictures, with the function that takes it.
    """
    by_key = {row.key: row for row in rows if not row.error}
    pictures = [
        (photo, name)
        for photo, name in sorted({row.key[:2] for row in rows})
        if all((photo, name, model) in by_key for model in models)
    ]
    bins = [(one.name, [p for p in pictures if p[1] == one.name]) for one in plan.sets]
    if plan.all:
        bins.append(("All", [p for p in pictures if p[1] in plan.all]))
    tables = []
    for metric in metrics:
        made = [_mean_row(name, chosen, by_key, models, metric) for name, chosen in bins]
        tables.append(Table(metric, tuple(models), tuple(made)))
    if distance is not None:
        metric, take = distance
        made = []
        for name, chosen in bins:
            found = [take([(photo, row, model) for photo, row in chosen]) for model in models]
            values = (Estimate(one, math.nan, math.nan, len(chosen)) for one in found)
            made.append(TableRow(name, tuple(values), ()))
        tables.append(Table(metric, tuple(models), tuple(made)))
    return tables


def _mean_row(
    name: str,
    chosen: Sequence[tuple[str, str]],
    by_key: dict[Key, Row],
    models: Sequence[str],
    metric: Score,
) -> TableRow:
    def values(model: str, column: str) -> list[float]:
        return [by_key[photo, row, model].metrics[column] for photo, row in chosen]

    columns = [values(model, metric.name) for model in models]
    usable = [number for number in range(len(chosen)) if all(map(_finite(number), columns))]
    columns = [[column[number] for number in usable] for column in columns]
    photos = [chosen[number][0] for number in usable]
    if metric.over is not None:
        over = [[values(model, metric.over)[number] for number in usable] for model in models]
        ratios = (estimate(top, photos, bottom) for top, bottom in zip(columns, over, strict=True))
        return TableRow(name, tuple(ratios), ())
    middle = metric.median
    return TableRow(
        name,
        tuple(estimate(column, photos, median=middle) for column in columns),
        tuple(paired_difference(one, columns[0], photos, median=middle) for one in columns),
    )


def _finite(number: int) -> Callable[[list[float]], bool]:
    return lambda column: math.isfinite(column[number])


def best_columns(row: TableRow, metric: Score) -> set[int]:
    """Which models have the best number of a row, as it is printed; nobody among one."""
    printed = [float(format_number(one.value, metric)) for one in row.values]
    comparable = [one for one in printed if not math.isnan(one)]
    if len(row.values) < 2 or not comparable:
        return set()
    target = {"higher": max(comparable), "lower": min(comparable)}.get(
        metric.better, min(comparable, key=lambda one: abs(one - 1))
    )
    return {number for number, one in enumerate(printed) if one == target}


def format_number(value: float, metric: Score) -> str:
    """A value in the table's unit; nan for none."""
    return f"{value * metric.scale:.{metric.digits}f}"
