"""What is written down of a training: TensorBoard, previews as PNG, Weights & Biases."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from regionwise.errors import ModelError


class Records:
    """The records of the first process; the others' go nowhere.

    Args:
        run: folder of the run.
        step: with which the training goes on; what was recorded after it is forgotten.
        recipe: as plain data.
        wandb: project of Weights & Biases, if wanted.
        active: whether this is the first process.

    Raises:
        ModelError: if Weights & Biases is wanted but not installed.
    """

    def __init__(
        self, run: Path, step: int, recipe: dict[str, Any], wandb: str | None, *, active: bool
    ) -> None:
        self._run = run
        self._board = SummaryWriter(str(run), purge_step=step) if active else None
        self._wandb: Any = None
        if wandb and active:
            try:
                module = importlib.import_module("wandb")
            except ImportError as error:
                raise ModelError("--wandb needs the package: pip install wandb") from error
            self._wandb = module.init(
                project=wandb, name=run.name, id=run.name, resume="allow", config=recipe
            )

    def numbers(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Numbers of a step; the group is a phase's name or "validation"."""
        named = {f"{group}/{name}": value for name, value in values.items()}
        if self._board is not None:
            for name, value in named.items():
                self._board.add_scalar(name, value, step)
        if self._wandb is not None:
            self._wandb.log(named, step=step)

    def preview(self, grid: Tensor, step: int) -> None:
        """A picture 3×H×W in [0, 1], to TensorBoard and as a PNG."""
        if self._board is None:
            return
        from PIL import Image

        self._board.add_image("preview", grid, step)
        pixels = (grid.cpu() * 255).round().byte().permute(1, 2, 0).numpy()
        folder = self._run / "previews"
        folder.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{step:07d}.png")

    def flush(self) -> None:
        """Bring everything to the disk."""
        if self._board is not None:
            self._board.flush()

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *_: object) -> None:
        if self._board is not None:
            self._board.close()
        if self._wandb is not None:
            self._wandb.finish()
