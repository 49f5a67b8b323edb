"""What is written down of a training: TensorBoard, previews as PNG, boards of others.

Records are worth less than the training: where there is no room for them, it goes on without.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image
from torch import Tensor
from torch.utils.tensorboard.summary import image, scalar

from regionwise.errors import OutputError, RegionwiseWarning
from regionwise.output import write_whole
from regionwise.training.boards import Board
from regionwise.training.event_file import EventFile


class Records:
    """The records of the first process; the others' go nowhere.

    Args:
        run: folder of the run.
        step: with which the training goes on; what was recorded after it is forgotten.
        boards: to which numbers go besides.
        active: whether this is the first process.
    """

    def __init__(self, run: Path, step: int, boards: Sequence[Board], *, active: bool) -> None:
        self._run = run
        self._events = EventFile(run, step) if active else None
        self._told = False
        self._boards = boards

    def numbers(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Numbers of a step; the group is a phase's name or "validation"."""
        named = {f"{group}/{name}": value for name, value in values.items()}
        if self._events is not None:
            for name, value in named.items():
                if not self._events.add(scalar(name, value), step):  # type: ignore[no-untyped-call]
                    self._warn("there is no room for the curves")
        for board in self._boards:
            board.numbers(named, step)

    def preview(self, grid: Tensor, step: int) -> None:
        """A picture 3×H×W in [0, 1], to TensorBoard and as a PNG."""
        if self._events is None:
            return
        summary = image("preview", grid.cpu().numpy(), dataformats="CHW")  # type: ignore[no-untyped-call]
        if not self._events.add(summary, step):
            self._warn("there is no room for the previews")
        pixels = (grid.cpu() * 255).round().byte().permute(1, 2, 0).numpy()
        png = BytesIO()
        Image.fromarray(pixels).save(png, "PNG")
        folder = self._run / "previews"
        try:
            folder.mkdir(exist_ok=True)
            write_whole(png.getvalue(), folder / f"{step:07d}.png", overwrite=True)
        except (OSError, OutputError) as error:
            self._warn(str(error))

    def _warn(self, reason: str) -> None:
        """Say once that something is not recorded."""
        if not self._told:
            self._told = True
            warnings.warn(
                f"{self._run}: {reason}; the training goes on", RegionwiseWarning, stacklevel=3
            )

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *_: object) -> None:
        if self._events is not None:
            self._events.close()
        for board in self._boards:
            board.close()
