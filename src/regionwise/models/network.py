"""What every network is, and what others may ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from regionwise.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from regionwise.models.prediction import Prediction


class InpaintingNetwork(nn.Module):
    """A network with the contract `network(image, mask)` → `Prediction`.

    Attributes:
        draws: whether it draws numbers, so that another seed gives another answer.
        exportable: whether it can be written as one ONNX graph.
    """

    draws: bool = False
    exportable: ClassVar[bool] = True

    def __call__(self, image: Tensor, mask: Tensor, *more: Any, **options: Any) -> Prediction:
        """Fill the holes of pictures.

        Args:
            image: N×3×H×W in [0, 1]; what it holds in the hole is ignored.
            mask: N×1×H×W, 1 = missing; any H, W ≥ 1.
            more, options: of single networks, see their classes.

        Raises:
            ModelError: for other shapes.
        """
        if not torch.compiler.is_compiling():
            _check_shapes(image, mask)
        prediction: Prediction = super().__call__(image, mask, *more, **options)
        return prediction

    def fold_norms(self) -> None:
        """Move batch normalisations into the convolutions before them, in place.

        All weights keep their names. Networks that have none side by side do nothing.
        """

    def folded(self) -> InpaintingNetwork:
        """The network for inference alone, in eval mode; a copy where that changes it."""
        return self.eval()


def _check_shapes(image: Tensor, mask: Tensor) -> None:
    if image.ndim != 4 or image.shape[1] != 3:
        raise ModelError(f"the image has the shape {tuple(image.shape)}; give N×3×H×W")
    wanted = (len(image), 1, *image.shape[-2:])
    if tuple(mask.shape) != wanted:
        raise ModelError(
            f"the mask has the shape {tuple(mask.shape)}; an image of {tuple(image.shape)} "
            f"needs {wanted}"
        )
