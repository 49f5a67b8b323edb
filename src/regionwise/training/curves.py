"""A number of several trainings over their steps, as a drawing or as numbers."""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from regionwise.errors import DataError
from regionwise.output import write_whole

Curve = Sequence[tuple[int, float]]
"""Steps, from 0 on, and values."""

_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999")
"""Okabe and Ito's, which colour-blind people can tell apart."""
_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 40, 50


def read_curve(run: Path, number: str) -> Curve:
    """A number of a training, by TensorBoard's name, such as "validation/psnr".

    Raises:
        DataError: if there is no run, or it has no such number; which ones it has.
    """
    if not list(run.glob("events.*")):
        raise DataError(f"{run}: there is no run here (no events.*)")
    board = EventAccumulator(str(run), size_guidance={"scalars": 0})
    board.Reload()
    names = board.Tags()["scalars"]
    if number not in names:
        raise DataError(f"{run}: no {number} was recorded; there are: {', '.join(sorted(names))}")
    return [(point.step, point.value) for point in board.Scalars(number)]


def smoothed(curve: Curve, points: int) -> Curve:
    """Means over so many points in turn, each at its last step; the first ones have fewer."""
    found = []
    for end in range(1, len(curve) + 1):
        window = curve[max(end - points, 0) : end]
        found.append((curve[end - 1][0], sum(value for _, value in window) / len(window)))
    return found


def to_csv(curves: Mapping[str, Curve], number: str, file: Path, *, overwrite: bool) -> None:
    """Write run, step and value, a line each.

    Raises:
        OutputError: if the file exists or can't be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "step", number])
    for name, curve in curves.items():
        writer.writerows([name, step, repr(value)] for step, value in curve)
    write_whole(text.getvalue().encode(), file, overwrite=overwrite)


def draw_curves(curves: Mapping[str, Curve], number: str, file: Path, *, overwrite: bool) -> None:
    """Draw as SVG: steps to the right, the number upwards, a colour a run.

    Raises:
        DataError: if the file is to be of another kind.
        OutputError: if it exists or can't be written.
    """
    if file.suffix != ".svg":
        raise DataError(f"{file}: curves are drawn as .svg, or written as .csv")
    write_whole(to_svg(curves, number).encode(), file, overwrite=overwrite)


def to_svg(curves: Mapping[str, Curve], number: str) -> str:
    """The drawing, see `draw_curves`."""
    steps = [step + 1 for curve in curves.values() for step, _ in curve]
    values = [value for curve in curves.values() for _, value in curve if math.isfinite(value)]
    across, up = _Axis(0, max(steps, default=1)), _Axis(min(values), max(values))
    parts = [_frame(number), *_grid(across, up)]
    for place, (name, curve) in enumerate(curves.items()):
        color = _COLORS[place % len(_COLORS)]
        finite = [(step + 1, value) for step, value in curve if math.isfinite(value)]
        points = " ".join(f"{_x(across, step):.1f},{_y(up, value):.1f}" for step, value in finite)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        if len(finite) == 1:
            (step, value), *_ = finite
            center = f'cx="{_x(across, step):.1f}" cy="{_y(up, value):.1f}"'
            parts.append(f'<circle {center} r="3" fill="{color}"/>')
        parts.append(_key(place, name, color))
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axis:
    """Round numbers about an interval."""

    def __init__(self, low: float, high: float) -> None:
        span = (high - low) or abs(high) or 1.0
        power = 10.0 ** math.floor(math.log10(span / 5))
        self.step = next(f * power for f in (1, 2, 5, 10) if span / (f * power) <= 6)
        self.low = math.floor(low / self.step) * self.step
        self.high = max(math.ceil(high / self.step) * self.step, self.low + self.step)

    def ticks(self) -> list[float]:
        """From the lowest to the highest."""
        count = round((self.high - self.low) / self.step)
        return [self.low + number * self.step for number in range(count + 1)]

    def share(self, value: float) -> float:
        """Where a value lies, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def _x(axis: _Axis, step: float) -> float:
    return _LEFT + axis.share(step) * (_WIDTH - _LEFT - _RIGHT)


def _y(axis: _Axis, value: float) -> float:
    return _HEIGHT - _BOTTOM - axis.share(value) * (_HEIGHT - _TOP - _BOTTOM)


def _frame(number: str) -> str:
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n'
        f'<text x="{_LEFT}" y="24" font-size="15">{html.escape(number)}</text>\n'
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 12}" text-anchor="end">steps</text>'
    )


def _grid(across: _Axis, up: _Axis) -> list[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = []
    for value in up.ticks():
        y = _y(up, value)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ddd"/>')
        text = f"{value:.6g}"
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for step in across.ticks():
        x = _x(across, step)
        parts.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#eee"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{step:g}</text>')
    return parts


def _key(place: int, name: str, color: str) -> str:
    x, y = _WIDTH - _RIGHT + 14, _TOP + 10 + 20 * place
    return (
        f'<line x1="{x}" y1="{y}" x2="{x + 18}" y2="{y}" stroke="{color}" stroke-width="3"/>\n'
        f'<text x="{x + 24}" y="{y + 4}">{html.escape(name)}</text>'
    )
