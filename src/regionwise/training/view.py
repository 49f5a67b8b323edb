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
from regionwise.recipe.losses import ComparedPicture, Stage


class Compared(NamedTuple):
    """One picture beside its truth.

    `key` tells which it is: a stage's number from 0 on, "low_resolution" or "guide", and "raw",
    "composed" or "hole". `answer`, `truth`: N×3×H×W, a guide N×1×H×W. `mask`: N×1×H×W, 1 = missing.
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
        guide: the true one of each picture, as the network predicts it, where the data has it.
    """

    image: Tensor
    mask: Tensor
    prediction: Prediction
    hole_share: float
    guide: Tensor | None = None

    def pictures(self) -> list[Tensor]:
        """All that the network predicted: stages, low resolution, guide."""
        prediction = self.prediction
        others = [prediction.low_resolution, prediction.guide]
        return [*prediction.stages, *(picture for picture in others if picture is not None)]

    def compared(self, stages: tuple[Stage, ...], picture: ComparedPicture) -> Iterator[Compared]:
        """The pictures that a term names.

        Raises:
            RecipeError: if the network has no such stage.
        """
        for number in self._numbers(stages):
            if number == "low_resolution":
                answer = self._low_resolution()
                truth = resized(self.image, answer)
                # DeepGIN does not say how its mask is made small; its released code: bilinear.
                mask = F.interpolate(self.mask, answer.shape[-2:], mode="nearest")
            elif number == "guide":
                (answer, truth), mask = self._guides(), self.mask
            else:
                answer, truth, mask = self.prediction.stages[int(number)], self.image, self.mask
            if picture in ("raw", "both"):
                yield Compared((number, "raw"), answer, truth, mask)
            if picture in ("composed", "both"):
                yield Compared((number, "composed"), compose(truth, mask, answer), truth, mask)
            if picture == "hole":
                yield Compared((number, "hole"), answer * mask, truth * mask, mask)

    def number(self, name: str) -> Tensor:
        """What the network took of each picture, N.

        Raises:
            RecipeError: if it takes no such number.
        """
        numbers = self.prediction.numbers
        if name not in numbers:
            there = ", ".join(numbers) or "none in training"
            raise RecipeError(f"a loss names the number {name!r}; the network takes: {there}")
        return numbers[name]

    def flow(self) -> Tensor:
        """The network's flow, N×2×h×w.

        Raises:
            RecipeError: if it has none.
        """
        if self.prediction.flow is None:
            raise RecipeError("a loss looks at a flow, of which the network has none")
        return self.prediction.flow

    def _numbers(self, stages: tuple[Stage, ...]) -> Iterator[int | str]:
        count = len(self.prediction.stages)
        for stage in stages:
            if stage == "all":
                yield from range(count)
            elif stage == "refined":
                yield from range(min(1, count - 1), count)
            elif stage == "low_resolution_if_any":
                if self.prediction.low_resolution is not None:
                    yield "low_resolution"
            elif isinstance(stage, str):
                yield stage
            elif -count <= stage < count:
                yield stage % count
            else:
                raise RecipeError(
                    f"a loss names stage {stage}; the network has {count} "
                    f"{'stage' if count == 1 else 'stages'}"
                )

    def _low_resolution(self) -> Tensor:
        if self.prediction.low_resolution is None:
            raise RecipeError("a loss names low_resolution, of which the network predicts nothing")
        return self.prediction.low_resolution

    def _guides(self) -> tuple[Tensor, Tensor]:
        """The predicted one and the true one."""
        if self.prediction.guide is None or self.guide is None:
            raise RecipeError("a loss names the guide, of which the network predicts nothing")
        return self.prediction.guide, self.guide
