"""Tables as rich text, Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table as RichTable

from regionwise.evaluation.bootstrap import Estimate
from regionwise.evaluation.metrics.metric import Score
from regionwise.evaluation.tables import Table, TableRow, best_columns, format_number

_ARROWS = {"higher": "↑", "lower": "↓", "near 1": "→ 1"}
_LATEX_ARROWS = {"higher": r"$\uparrow$", "lower": r"$\downarrow$", "near 1": r"$\to 1$"}


def to_rich(tables: Sequence[Table]) -> RichTable:
    """All tables as one for the terminal, the best of each row bold."""
    models = tables[0].models
    rich = RichTable("", "hole", *models, "n", header_style="bold")
    for table in tables:
        title = f"{table.metric.title} {_ARROWS[table.metric.better]}"
        for number, row in enumerate(table.rows):
            cells = _cells(row, table.metric, "[bold]{}[/bold]")
            rich.add_row(title if number == 0 else "", row.name, *cells, str(_count(row)))
        rich.add_section()
    return rich


def to_markdown(tables: Sequence[Table]) -> str:
    """A block of rows for each metric; then the differences from the first model."""
    models = tables[0].models
    lines = ["| | hole | " + " | ".join(models) + " | n |", "|---" * (len(models) + 3) + "|"]
    for table in tables:
        title = f"{table.metric.title} {_ARROWS[table.metric.better]}"
        for number, row in enumerate(table.rows):
            cells = " | ".join(_cells(row, table.metric, "**{}**"))
            lines.append(
                f"| {title if number == 0 else ''} | {row.name} | {cells} | {_count(row)} |"
            )
    if len(models) > 1:
        lines += ["", f"Difference from {models[0]}, with 95 % intervals over photos:", ""]
        lines += ["| | hole | " + " | ".join(models[1:]) + " |", "|---" * (len(models) + 1) + "|"]
        for table in tables:
            for number, row in enumerate(table.rows):
                if row.differences:
                    cells = " | ".join(_interval(d, table.metric) for d in row.differences[1:])
                    title = table.metric.title if number == 0 else ""
                    lines.append(f"| {title} | {row.name} | {cells} |")
    return "\n".join(lines) + "\n"


def to_latex(tables: Sequence[Table]) -> str:
    """A tabular for the booktabs package."""
    models = tables[0].models
    lines = [
        r"\begin{tabular}{ll" + "c" * len(models) + "}",
        r"\toprule",
        " & hole & " + " & ".join(map(_escape, models)) + r" \\",
    ]
    for table in tables:
        lines.append(r"\midrule")
        title = f"{_escape(table.metric.title)} {_LATEX_ARROWS[table.metric.better]}"
        for number, row in enumerate(table.rows):
            cells = " & ".join(_cells(row, table.metric, r"\textbf{{{}}}"))
            head = title if number == 0 else ""
            lines.append(rf"{head} & {_escape(row.name)} & {cells} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def to_csv(tables: Sequence[Table]) -> str:
    """A line for each number, in the tables' units: nothing rounded, intervals too."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["metric", "hole", "model", "value", "low", "high", "n"]
    writer.writerow([*head, "difference", "difference_low", "difference_high"])
    for table, row, number in _each(tables):
        value = _scaled(row.values[number], table.metric)
        line = [table.metric.title, row.name, table.models[number], *value, _count(row)]
        if row.differences:
            line += _scaled(row.differences[number], table.metric)
        writer.writerow([*line, *[""] * (len(head) + 3 - len(line))])
    return text.getvalue()


def to_data(tables: Sequence[Table]) -> list[dict[str, Any]]:
    """The tables as data for JSON, in the tables' units; None where there is no number."""
    found = []
    for table in tables:
        rows = []
        for row in table.rows:
            models = {}
            for number, model in enumerate(table.models):
                entry = _as_data(row.values[number], table.metric)
                if row.differences:
                    entry["difference"] = _as_data(row.differences[number], table.metric)
                models[model] = entry
            rows.append({"hole": row.name, "n": _count(row), "models": models})
        found.append({"metric": asdict(table.metric), "rows": rows})
    return found


def _each(tables: Sequence[Table]) -> Iterator[tuple[Table, TableRow, int]]:
    for table in tables:
        for row in table.rows:
            for number in range(len(table.models)):
                yield table, row, number


def _cells(row: TableRow, metric: Score, bold: str) -> list[str]:
    best = best_columns(row, metric)
    cells = []
    for number, value in enumerate(row.values):
        text = "–" if math.isnan(value.value) else format_number(value.value, metric)
        cells.append(bold.format(text) if number in best else text)
    return cells


def _count(row: TableRow) -> int:
    return row.values[0].count


def _interval(one: Estimate, metric: Score) -> str:
    if math.isnan(one.value):
        return "–"
    sign = f"{one.value * metric.scale:+.{metric.digits}f}"
    if math.isnan(one.low):
        return sign
    low, high = (f"{end * metric.scale:+.{metric.digits}f}" for end in (one.low, one.high))
    return f"{sign} [{low}, {high}]"


def _scaled(one: Estimate, metric: Score) -> list[float | str]:
    ends = (one.value, one.low, one.high)
    return ["" if math.isnan(end) else end * metric.scale for end in ends]


def _as_data(one: Estimate, metric: Score) -> dict[str, Any]:
    names = ("value", "low", "high")
    return {
        name: number if number != "" else None
        for name, number in zip(names, _scaled(one, metric), strict=True)
    }


def _escape(text: str) -> str:
    for special in "%_&#":
        text = text.replace(special, "\\" + special)
    return text.replace("^", r"\^{}")
