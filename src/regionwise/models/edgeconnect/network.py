"""EdgeConnect: "Generative Image Inpainting with Adversarial Edge Learning" (Nazeri et al. 2019).

A first network continues the edges of the known region into the hole, a second one paints the
picture along them. Both have the same form: an encoder, residual blocks, a decoder.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.canny import canny_edges, gray
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.picture_head import PictureHead
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction

Edges = Literal["predicted", "mixed"]


class EdgeConnectGenerator(InpaintingNetwork):
    """EdgeConnect: 10.8M parameters for the edges, as many for the picture.

    `recipes/edgeconnect.yaml` is its training.

    Args:
        edges: which edges the second network is given: "predicted", the first one's answer for the
            whole picture, as the released test does; "mixed", Canny's edges where the picture is
            known, as in training and in the paper.
        width: channels of the first convolutions, 64 in the paper.
        blocks: residual blocks of each network, 8 in the paper.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 4) → `Prediction` with one stage of N×3×H×W and, as `guide`, the predicted edges.

    Raises:
        ModelError: for an unknown option. Filling raises it if scikit-image is not installed.
    """

    exportable = False
    """Canny's edges come from a library: there is no one graph."""

    def __init__(self, *, edges: Edges = "predicted", width: int = 64, blocks: int = 8) -> None:
        super().__init__()
        if edges not in ("predicted", "mixed"):
            raise ModelError(f"edgeconnect: edges={edges!r} is not one of predicted, mixed")
        self.edges = edges
        self.edge_network = _translator(3, 1, width, blocks, bias=False)
        self.picture_network = _translator(4, 3, width, blocks, bias=True)

    def forward(
        self,
        image: Tensor,
        mask: Tensor,
        guide: Tensor | None = None,
        *,
        along_guide: bool = False,
    ) -> Prediction:
        """Fill the hole; see the class for shapes.

        Args:
            image, mask: see the class.
            guide: Canny's edges of the whole true picture, N×1×H×W of 0 and 1, as in training; of
                them only those of the known region are used. Else they are found there.
            along_guide: paint along all of `guide`, not along the predicted edges.
        """
        mask = (mask > 0.5).to(image.dtype)
        known_edges = canny_edges(image, mask) if guide is None else guide
        predicted = self.predict_edges(image, mask, known_edges)
        edges = predicted
        if along_guide:
            edges = known_edges
        elif self.edges == "mixed":
            edges = torch.where(mask > 0.5, predicted, known_edges)
        return Prediction([self.paint(image, mask, edges)], guide=predicted)

    def predict_edges(self, image: Tensor, mask: Tensor, known_edges: Tensor) -> Tensor:
        """Edges of the whole picture, N×1×H×W in [0, 1]; `known_edges` are Canny's, N×1×H×W."""
        seen = torch.where(mask > 0.5, torch.ones_like(mask), gray(image))
        inputs = torch.cat([seen, known_edges * (1 - mask), mask], dim=1)
        return crop(torch.sigmoid(self.edge_network(_padded(inputs))), *image.shape[-2:])

    def paint(self, image: Tensor, mask: Tensor, edges: Tensor) -> Tensor:
        """The picture along given edges, N×3×H×W in [0, 1]; a user's own drawing serves as well."""
        seen = torch.where(mask > 0.5, torch.ones_like(image), image)
        picture = self.picture_network(_padded(torch.cat([seen, edges], dim=1)))
        return crop((torch.tanh(picture) + 1) / 2, *image.shape[-2:])


class _ResidualBlock(nn.Module):
    """Two 3×3 convolutions, dilation 2 then 1, each normalised; the input is added."""

    def __init__(self, channels: int, *, bias: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(
            channels, channels, 3, padding=2, dilation=2, padding_mode="reflect", bias=bias
        )
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.instance_norm(self.conv2(F.relu_(F.instance_norm(self.conv1(x)))))


def _translator(inputs: int, outputs: int, width: int, blocks: int, *, bias: bool) -> nn.Sequential:
    """From one picture to another; nothing follows the last convolution."""

    def normalized(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
        norm = nn.InstanceNorm2d(convolution.out_channels)
        return [convolution, norm, nn.ReLU(inplace=True)]

    first = nn.Conv2d(inputs, width, 7, padding=3, padding_mode="reflect")
    layers = normalized(first)
    for channels in (width, 2 * width):
        layers += normalized(nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1))
    layers += [_ResidualBlock(4 * width, bias=bias) for _ in range(blocks)]
    for channels in (4 * width, 2 * width):
        layers += normalized(nn.ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1))
    network = nn.Sequential(*layers, PictureHead(width, outputs))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def _padded(x: Tensor) -> Tensor:
    return pad_to_multiple(x, 4, least=3)
