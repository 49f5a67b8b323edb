"""What every discriminator takes and gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Scale(NamedTuple):
    """What a discriminator says at one scale, or of one part of a picture.

    Attributes:
        scores: N×…, usually N×C×h×w of patches, without activation.
        features: what came before the scores, first to last, each N×….
    """

    scores: Tensor
    features: list[Tensor]


Judgement = list[Scale]
"""What a discriminator says of a batch of pictures, scale by scale."""


class Discriminator(nn.Module, ABC):
    """Tells filled pictures from true ones.

    What it looks at beside a candidate (the photo with its hole, a window around the hole, the grey
    photo) is its own business; its options say so.
    """

    @abstractmethod
    def forward(self, candidate: Tensor, image: Tensor, mask: Tensor) -> Judgement:
        """Judge a batch of candidates.

        Args:
            candidate: filled or true pictures N×3×H×W in [0, 1], or guides (edges) N×1×H×W.
            image: the true photos, N×3×H×W; a discriminator uses no more of them than its paper
                says.
            mask: N×1×H×W, 1 = missing.
        """


def judge_all(
    network: nn.Module, candidates: Sequence[Tensor], image: Tensor, mask: Tensor
) -> list[Judgement]:
    """What a discriminator says of each of several candidates, in one forward pass, in float32.

    Args:
        network: a `Discriminator`, or what wraps it for several processes.
        candidates: each N×C×H×W, as `Discriminator.forward` takes one.
        image: N×3×H×W.
        mask: N×1×H×W.
    """
    count = len(candidates)
    repeated = (image.repeat(count, 1, 1, 1), mask.repeat(count, 1, 1, 1))
    judged: Judgement = network(torch.cat(list(candidates)), *repeated)
    return [
        [
            Scale(
                scale.scores.float().chunk(count)[number],
                [feature.float().chunk(count)[number] for feature in scale.features],
            )
            for scale in judged
        ]
        for number in range(count)
    ]


def holed(image: Tensor, mask: Tensor) -> Tensor:
    """The photo with its hole painted white."""
    return torch.where(mask > 0.5, torch.ones_like(image), image)
