"""What every network is, and what others may ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from torch import nn

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

    if TYPE_CHECKING:

        def __call__(self, image: Tensor, mask: Tensor, *more: Any, **options: Any) -> Prediction:
            """Fill the holes of pictures.

            Args:
                image: N×3×H×W in [0, 1]; what it holds in the hole is ignored.
                mask: N×1×H×W, 1 = missing; any H, W ≥ 1.
                more, options: of single networks, see their classes.
            """
            ...

    def fold_norms(self) -> None:
        """Move batch normalisations into the convolutions before them, in place.

        All weights keep their names. Networks that have none side by side do nothing.
        """

    def folded(self) -> InpaintingNetwork:
        """The network for inference alone, in eval mode; a copy where that changes it."""
        return self.eval()
