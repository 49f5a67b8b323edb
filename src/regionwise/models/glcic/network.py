"""GLCIC: "Globally and Locally Consistent Image Completion" (Iizuka et al., SIGGRAPH 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction


class CompletionGenerator(InpaintingNetwork):
    """GLCIC's completion network: 6.07M parameters.

    Each convolution is followed by ReLU and then batch normalisation, as in the known weights; the
    paper has them the other way round. Paper and program paste the answer by Poisson cloning:
    `regionwise fill --blend poisson`.

    `recipes/glcic.yaml` is its training.

    Args:
        width: channels of the first convolution, 64 in the paper.
        mean_color: what the hole is painted with, in [0, 1]: the mean of the training's pixels, the
            number `mpv` in the `config.json` beside the known weights.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 4) → `Prediction` with one stage of N×3×H×W.

    Raises:
        ModelError: if mean_color is not three numbers in [0, 1].
    """

    def __init__(self, *, width: int = 64, mean_color: Sequence[float] = (0.5, 0.5, 0.5)) -> None:
        super().__init__()
        if len(mean_color) != 3 or not all(0 <= value <= 1 for value in mean_color):
            raise ModelError(f"glcic: mean_color={mean_color!r} is not three numbers in [0, 1]")
        self.mean_color: Tensor
        self.register_buffer(
            "mean_color", torch.tensor(list(mean_color)).view(1, 3, 1, 1), persistent=False
        )
        c = width
        self.layers = nn.Sequential(
            _Layer(nn.Conv2d(4, c, 5, padding=2)),
            _Layer(nn.Conv2d(c, 2 * c, 3, stride=2, padding=1)),
            _Layer(nn.Conv2d(2 * c, 2 * c, 3, padding=1)),
            _Layer(nn.Conv2d(2 * c, 4 * c, 3, stride=2, padding=1)),
            *(_Layer(nn.Conv2d(4 * c, 4 * c, 3, padding=1)) for _ in range(2)),
            *(_Layer(nn.Conv2d(4 * c, 4 * c, 3, padding=d, dilation=d)) for d in (2, 4, 8, 16)),
            *(_Layer(nn.Conv2d(4 * c, 4 * c, 3, padding=1)) for _ in range(2)),
            _Layer(nn.ConvTranspose2d(4 * c, 2 * c, 4, stride=2, padding=1)),
            _Layer(nn.Conv2d(2 * c, 2 * c, 3, padding=1)),
            _Layer(nn.ConvTranspose2d(2 * c, c, 4, stride=2, padding=1)),
            _Layer(nn.Conv2d(c, c // 2, 3, padding=1)),
        )
        self.last = nn.Conv2d(c // 2, 3, 3, padding=1)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        hole = (mask > 0.5).to(image.dtype)
        seen = torch.where(hole > 0, self.mean_color, image)
        inputs = pad_to_multiple(torch.cat([seen, hole], dim=1), 4, least=2)
        answer = torch.sigmoid(self.last(self.layers(inputs)))
        return Prediction([crop(answer, height, width)])


class _Layer(nn.Module):
    """Convolution, ReLU, batch normalisation, in this order."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        self.conv = conv
        nn.init.kaiming_normal_(conv.weight)
        assert conv.bias is not None
        nn.init.zeros_(conv.bias)
        self.norm = nn.BatchNorm2d(conv.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(F.relu(self.conv(x)))
        return y
