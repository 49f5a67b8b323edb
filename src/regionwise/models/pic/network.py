"""PIC: "Pluralistic Image Completion" (Zheng et al., CVPR 2019): several answers for one hole.

An encoder tells which contents may stand in the hole, a distribution at 1/32 of the size. A sample
of it, and what is known, are decoded; each sample gives another picture.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.bilinear import resized
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.short_long_attention import ShortLongAttention
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction

_STRIDE = 32


class PluralisticGenerator(InpaintingNetwork):
    """PIC: encoder 3.6M, decoder 2.4M parameters; `recipes/pic.yaml` is its training.

    Args:
        width: channels of the first block, 32 in the paper.
        temperature: factor of the distribution's deviation; 0 gives its mean, one answer for all.
        posterior: whether there is the encoder's path for what the hole truly holds (Section 3.2),
            which training alone needs.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 32) → `Prediction` with four stages of N×3×H×W: the pictures of 1/8 to 1/2 of the
    size, enlarged, and the answer. It draws from PyTorch's random state.

    In training mode with a posterior the image's hole is looked into, and there are eight stages:
    four of the reconstructive path, whose sample is of the posterior, and then the four of the
    generative one; and the number "divergence" of each picture, see `_divergence`.

    Raises:
        ModelError: for a negative temperature.
    """

    def __init__(
        self, *, width: int = 32, temperature: float = 1.0, posterior: bool = False
    ) -> None:
        super().__init__()
        if temperature < 0:
            raise ModelError(f"pic: temperature={temperature!r} is negative")
        self.temperature = temperature
        self.draws = temperature > 0
        c, wide = width, 4 * width
        self.encoder = nn.ModuleList(
            [
                _Block(3, c, c, leading=False),
                _Block(c, c, 2 * c),
                _Block(2 * c, 2 * c, wide),
                *(_Block(wide, wide, wide) for _ in range(2)),
            ]
        )
        self.prior = nn.Sequential(
            *(_Block(wide, wide, wide) for _ in range(6)), _Block(wide, wide, 2 * wide)
        )
        self.posterior = _Block(wide, wide, 2 * wide) if posterior else None
        self.content = _Block(wide, wide, wide)
        self.attention = ShortLongAttention(wide)
        self.join = _Block(2 * wide, wide, wide, slope=0.01)
        widths = [(wide, wide), (wide, wide), (wide + 3, wide), (wide + 3, 2 * c), (2 * c + 3, c)]
        self.decoder = nn.ModuleList(_UpBlock(a, b) for a, b in widths)
        self.pictures = nn.ModuleList(
            nn.Conv2d(b, 3, 3, padding=1, padding_mode="reflect") for _, b in widths[1:]
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.orthogonal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        hole = (mask > 0.5).to(image.dtype)
        image, hole = (pad_to_multiple(x, _STRIDE, least=2) for x in (image, hole))
        nothing = torch.zeros_like(image)
        features, mean, deviation = self.distribution(torch.where(hole > 0, nothing, image * 2 - 1))
        samples, numbers = [], {}
        if self.training and self.posterior is not None:
            content = self._encode(torch.where(hole > 0, image * 2 - 1, nothing))[-1]
            true_mean, true_deviation = _as_distribution(self.posterior(content))
            samples.append(true_mean + true_deviation * torch.randn_like(mean))
            numbers["divergence"] = _divergence(true_mean, true_deviation, mean, deviation, hole)
        if self.draws:
            mean = mean + self.temperature * deviation * torch.randn_like(mean)
        samples.append(mean)
        pictures = [p for sample in samples for p in self.decode(sample, features, 1 - hole)]
        sizes = image.shape[-2:]
        enlarged = [
            p if p.shape[-2:] == sizes else F.interpolate(p, size=sizes, mode="bilinear")
            for p in pictures
        ]
        return Prediction([crop((p + 1) / 2, height, width) for p in enlarged], numbers=numbers)

    def distribution(self, x: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Features at 1/8 and 1/32 of the size, mean and deviation at 1/32.

        Args:
            x: N×3×H×W in [-1, 1], 0 in the hole; H and W multiples of 32.
        """
        features = self._encode(x)
        return [features[2], features[4]], *_as_distribution(self.prior(features[4]))

    def _encode(self, x: Tensor) -> list[Tensor]:
        """Features at 1/2 to 1/32 of the size."""
        features = []
        for block in self.encoder:
            x = F.avg_pool2d(block(x), 2)
            features.append(x)
        return features

    def decode(self, sample: Tensor, features: list[Tensor], known: Tensor) -> list[Tensor]:
        """The pictures in [-1, 1] for a sample of the distribution, that of 1/8 first."""
        encoded, deepest = features
        x = self.decoder[1](self.decoder[0](self.content(sample) + deepest))
        small = resized(known, x)
        x = self.join(torch.cat(self.attention(x, encoded, small), dim=1))
        pictures = [self._picture(0, x)]
        for scale, block in enumerate(self.decoder[2:], start=1):
            x = block(torch.cat([x, pictures[-1]], dim=1))
            pictures.append(self._picture(scale, x))
        return pictures

    def _picture(self, scale: int, x: Tensor) -> Tensor:
        return torch.tanh(self.pictures[scale](F.leaky_relu(x, 0.1)))


def _as_distribution(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation."""
    mean, deviation = x.chunk(2, dim=1)
    return mean, F.softplus(deviation)


def _divergence(
    mean: Tensor, deviation: Tensor, prior_mean: Tensor, prior_deviation: Tensor, hole: Tensor
) -> Tensor:
    """Kullback-Leibler divergences of the posterior, eqs. (4) and (5): N, a mean over its values.

    From the prior that the network infers, and from a normal distribution of mean 0 whose deviation
    is the hole's share of the picture: the more is missing, the more answers there are.
    """
    share = hole.mean(dim=(1, 2, 3)).clamp(min=1e-3).view(-1, 1, 1, 1)
    inferred = _gaussian_divergence(mean, deviation, prior_mean, prior_deviation)
    normal = _gaussian_divergence(mean, deviation, torch.zeros_like(mean), share.expand_as(mean))
    return (inferred + normal).mean(dim=(1, 2, 3))


def _gaussian_divergence(
    mean: Tensor, std: Tensor, other_mean: Tensor, other_std: Tensor
) -> Tensor:
    """KL of one normal distribution from another, value by value."""
    std, other_std = std.clamp(min=1e-4), other_std.clamp(min=1e-4)
    spread = (std.square() + (mean - other_mean).square()) / (2 * other_std.square())
    return torch.log(other_std / std) + spread - 0.5


class _Block(nn.Module):
    """Two activated 3×3 convolutions beside a 1×1 one."""

    def __init__(
        self, inputs: int, hidden: int, outputs: int, *, leading: bool = True, slope: float = 0.1
    ) -> None:
        super().__init__()
        self.leading, self.slope = leading, slope
        self.conv1 = nn.Conv2d(inputs, hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden, outputs, 3, padding=1)
        self.bypass = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.leaky_relu(x, self.slope) if self.leading else x)
        y = self.conv2(F.leaky_relu(y, self.slope))
        answer: Tensor = y + self.bypass(x)
        return answer


class _UpBlock(nn.Module):
    """The same at twice the size: normalised, the second convolution and the bypass transposed."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm1 = nn.InstanceNorm2d(inputs, affine=True)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = nn.InstanceNorm2d(outputs, affine=True)
        self.conv2 = nn.ConvTranspose2d(outputs, outputs, 3, stride=2, padding=1, output_padding=1)
        self.bypass = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.leaky_relu(self.norm1(x), 0.1))
        y = self.conv2(F.leaky_relu(self.norm2(y), 0.1))
        answer: Tensor = y + self.bypass(x)
        return answer
