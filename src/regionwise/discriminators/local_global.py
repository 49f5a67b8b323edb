"""GLCIC's discriminator: one score of the whole picture and a window around the hole together."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.discriminators.discriminator import Discriminator, Judgement, Scale
from regionwise.discriminators.window import Tower, around_hole, check_candidate_size
from regionwise.errors import ModelError


class LocalGlobalDiscriminator(Discriminator):
    """GLCIC's discriminator (section 3.3, Table 2): one score of what both parts saw together.

    5×5 convolutions of stride 2, each with batch normalisation and ReLU: six of 64 to 512 channels
    upon the whole picture of 256 pixels, five upon the window of 128; 1024 numbers of each, one
    fully connected layer of both.

    Args:
        size: side of the pictures, 256 in the paper; it judges no others.
        window: side of the window, 128 in the paper.
        width: channels of the first convolution, 64 in the paper.

    Shapes: candidate N×3×size×size → one scale: scores N×1.
    """

    def __init__(self, size: int = 256, window: int = 128, width: int = 64) -> None:
        super().__init__()
        if window > size:
            raise ModelError(f"a window of {window} pixels does not fit into pictures of {size}")
        self.size, self.window = size, window
        c = width
        self.globally = Tower([3, c, 2 * c, 4 * c, *3 * [8 * c]], size, 16 * c, norm=True)
        self.locally = Tower([3, c, 2 * c, 4 * c, *2 * [8 * c]], window, 16 * c, norm=True)
        self.last = nn.Linear(32 * c, 1)

    def forward(self, candidate: Tensor, image: Tensor, mask: Tensor) -> Judgement:
        """Score the picture; see the class."""
        check_candidate_size(candidate, self.size)
        seen, features = self.globally(candidate)
        seen_closely, more = self.locally(around_hole(candidate, mask, self.window))
        joint = F.relu(torch.cat([seen, seen_closely], dim=1))
        return [Scale(self.last(joint), [*features, *more])]
