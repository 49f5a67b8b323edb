"""Put region norms into a network of your own, and train it for a few steps.

    python examples/region_norm_in_your_network.py [PHOTO]    (needs regionwise[train])

Region Normalization (Yu et al., AAAI 2020) takes the statistics of the known region and of the hole
apart. `convert_norms` puts it in place of a network's norms. The encoder still knows the hole, so
it gets RN-B, which is told the mask; in the decoder the border has blurred, so it gets RN-L, which
finds the two regions itself.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from regionwise import compose
from regionwise.layers.convert_norms import convert_norms

PHOTO = Path(__file__).parent / "photos" / "chelsea.png"
CROP, STEPS = 64, 60


class YourNetwork(nn.Module):
    """A small encoder and decoder; an ordinary network, which knows nothing of regions."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(4, width, 4, stride=2, padding=1), nn.InstanceNorm2d(width), nn.ReLU()
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, 3, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Photo and mask, N×4×H×W → N×3×H×W in [0, 1]."""
        return self.decoder(self.encoder(x))


def crops(photo: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Random squares of a photo of 3×H×W: count×3×CROP×CROP."""
    height, width = photo.shape[1] - CROP, photo.shape[2] - CROP
    tops = torch.randint(height, (count,), generator=generator).tolist()
    lefts = torch.randint(width, (count,), generator=generator).tolist()
    return torch.stack(
        [photo[:, t : t + CROP, x : x + CROP] for t, x in zip(tops, lefts, strict=True)]
    )


def main() -> None:
    source = sys.argv[1] if len(sys.argv) > 1 else PHOTO
    pixels = np.asarray(Image.open(source).convert("RGB"), dtype=np.float32) / 255
    photo = torch.from_numpy(pixels).permute(2, 0, 1)

    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    network = convert_norms(  # the one line that is not an ordinary training's
        YourNetwork(), lambda name, norm: "basic" if name.startswith("encoder") else "learnable"
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    mask = torch.zeros(8, 1, CROP, CROP)
    mask[:, :, 16:48, 20:44] = 1

    losses = []
    for _ in range(STEPS):
        image = crops(photo, 8, generator)
        seen = torch.cat([image * (1 - mask), mask], dim=1)
        answer = network(seen, hole_mask=mask)  # and the one word
        loss = ((answer - image).abs() * mask).sum() / (3 * mask.sum())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    filled = compose(image, mask, answer)
    assert torch.equal(filled[:, :, :16], image[:, :, :16])  # known pixels are kept, bit for bit
    first, last = sum(losses[:5]) / 5, sum(losses[-5:]) / 5
    print(f"L1 in the hole: {first:.3f} in the first five steps, {last:.3f} in the last five")


if __name__ == "__main__":
    main()
