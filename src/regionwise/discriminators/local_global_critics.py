"""DeepFill v1's critics: a score of the whole picture, and one of a window around the hole."""

from __future__ import annotations

from torch import Tensor

from regionwise.discriminators.discriminator import Discriminator, Judgement, Scale
from regionwise.discriminators.window import Tower, around_hole, check_candidate_size
from regionwise.errors import ModelError


class LocalGlobalCritics(Discriminator):
    """DeepFill v1's two critics (section 3), each with a score of its own.

    The paper gives no layers. Ours are 5×5 convolutions of stride 2 with leaky ReLU and a fully
    connected layer, without any normalisation, as WGAN-GP asks for (Gulrajani et al., section 4).

    Args:
        size: side of the pictures; it judges no others.
        window: side of the window, 128 in the paper.
        width: channels of the first convolution.

    Shapes: candidate N×3×size×size → the whole and the window as two scales, scores N×1 each.
    """

    def __init__(self, size: int = 256, window: int = 128, width: int = 64) -> None:
        super().__init__()
        if window > size:
            raise ModelError(f"a window of {window} pixels does not fit into pictures of {size}")
        self.size, self.window = size, window
        c = width
        self.globally = Tower([3, c, 2 * c, 4 * c, 4 * c], size, 1)
        self.locally = Tower([3, c, 2 * c, 4 * c, 8 * c], window, 1)

    def forward(self, candidate: Tensor, image: Tensor, mask: Tensor) -> Judgement:
        """Score the picture and its window; see the class."""
        check_candidate_size(candidate, self.size)
        window = around_hole(candidate, mask, self.window)
        return [Scale(*self.globally(candidate)), Scale(*self.locally(window))]
