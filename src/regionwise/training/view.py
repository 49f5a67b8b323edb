"""What the terms of a loss look at: the network's pictures beside the true ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from regionwise.errors import RecipeError
from regionwise.layers.bilinear import resized
from regionwise.models.prediction import Prediction, compose
from regionwise.recipe.losses import Picture, Stage


class Compared(NamedTuple):
    """One picture beside its truth.

    `key` tells which it is: a stage's number from 0 on or "low_resolution", and "raw" or
    "composed". `answer`, `truth`: N×3×H×W. `mask`: N×1×H×W, 1 = missing.
    """

    key: tuple[int | str, str]
    answer: Tensor
    truth: Tensor
    mask: Tensor


@dataclass
class View:
    """A part of a batch with the network's answer.

    Attributes:
        image: N×3×H×W in [0, 1].
        mask: N×1×H×W, 1 = missing.
        prediction: the network's, in float32.
        hole_share: share of missing pixels in the whole batch, over all processes. Means over a
            region divide by it, so that the mean over parts is the mean over the batch.
    """

    image: Tensor
    mask: Tensor
    prediction: Prediction
    hole_share: float

    def compared(self, stages: tuple[Stage, ...], picture: Picture) -> Iterator[Compared]:
        """The pictures that a term names.

        Raises:
            RecipeError: if the network has no such stage.
        """
        for number in self._numbers(stages):
            if number == "low_resolution":
                answer = self._low_resolution()
                truth = resized(self.image, answer)
                mask = F.interpolate(self.mask, answer.shape[-2:], mode="nearest")
            else:
                answer, truth, mask = self.prediction.stages[int(number)], self.image, self.mask
            if picture in ("raw", "both"):
                yield Compared((number, "raw"), answer, truth, mask)
            if picture in ("composed", "both"):
                yield Compared((number, "composed"), compose(truth, mask, answer), truth, mask)

    def _numbers(self, stages: tuple[Stage, ...]) -> Iterator[int | str]:
        count = len(self.prediction.stages)
        for stage in stages:
            if stage == "all":
                yield from range(count)
            elif stage == "low_resolution":
                yield stage
            elif -count <= stage < count:
                yield stage % count
            else:
                raise RecipeError(f"a loss names stage {stage}; the network has {count} stages")

    def _low_resolution(self) -> Tensor:
        if self.prediction.low_resolution is None:
            raise RecipeError("a loss names low_resolution, of which the network predicts nothing")
        return self.prediction.low_resolution
