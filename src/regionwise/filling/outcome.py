"""What came of a photo, as plain data: a row of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Status = Literal["filled", "unchanged", "skipped", "failed"]
STATUSES: tuple[Status, ...] = ("filled", "unchanged", "skipped", "failed")


@dataclass(frozen=True)
class FillOutcome:
    """What came of a photo.

    Attributes:
        status: filled; unchanged, as its mask is empty; skipped, as its result existed; failed.
        error: why it failed, in one line.
        hole_ratio: the filled part of all pixels, 0 to 1.
        seconds: that it took.
        warnings: lines for the user.
        mask_reading: how the mask was found: luminance, values, strokes, alpha, difference, color
            or box.
        format: of the result.
        frames: so many pictures of the file were filled.
        key: which photo it was: the path within its folder, or what a caller calls it.
        photo: its file.
        output: the file of the result.
    """

    status: Status = "filled"
    error: str = ""
    hole_ratio: float = 0.0
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    mask_reading: str = ""
    format: str = ""
    frames: int = 1
    key: str = ""
    photo: str = ""
    output: str = ""

    def as_row(self) -> dict[str, Any]:
        """As JSON or a row of a table has it."""
        row = asdict(self)
        row["hole_ratio"] = round(self.hole_ratio, 6)
        row["seconds"] = round(self.seconds, 3)
        row["warnings"] = list(self.warnings)
        return row


def outcome_from_row(row: Mapping[str, Any]) -> FillOutcome:
    """The other way round, from a row of any version."""
    known = {one.name: row[one.name] for one in fields(FillOutcome) if one.name in row}
    return FillOutcome(**known | {"warnings": tuple(row.get("warnings") or ())})
