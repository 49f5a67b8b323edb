"""Whether the network gets better: the same holes in the same held-out photos every time."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from regionwise.arrays import Bytes, Mask
from regionwise.classical.membrane import membrane_fill
from regionwise.data.batches import draw_holes, families
from regionwise.errors import PhotoError
from regionwise.evaluation.manifest import read_manifest
from regionwise.evaluation.metrics.metric import FilledPicture, Metric
from regionwise.evaluation.metrics.pixels import l1, psnr
from regionwise.evaluation.metrics.ssim import ssim
from regionwise.evaluation.run import read_truth
from regionwise.photos.photo_source import PhotoSource
from regionwise.recipe.schema import Recipe


class Validation:
    """Held-out pictures with their holes, and what is measured on them.

    Args:
        recipe: says how many photos, and which holes.
        photos: the held-out ones. Some are chosen by their names' CRC-32, which spreads them over
            all sources; broken ones are passed over.
        lpips: which network for LPIPS, as `regionwise.evaluation.metrics.lpips.Lpips` takes it;
            none for no LPIPS.
        accelerator: on which that is computed.

    Attributes:
        membrane: what `measure` would give for a smooth fill: the line that a network has to beat.
    """

    def __init__(
        self,
        recipe: Recipe,
        photos: Sequence[PhotoSource],
        lpips: str | None = None,
        accelerator: str = "auto",
    ) -> None:
        self._metrics: list[Metric] = []
        if lpips is not None and photos:
            from regionwise.evaluation.metrics.lpips import Lpips

            self._metrics.append(
                Lpips(lpips, {"gpu": "cuda", "mps": "cpu"}.get(accelerator, accelerator))
            )
        self.pictures: list[tuple[Bytes, Mask]] = []
        chosen = sorted(photos, key=lambda photo: (zlib.crc32(photo.name.encode()), photo.name))
        size, holes = _holes(recipe)
        for photo in chosen:
            if len(self.pictures) == recipe.validation.photos:
                break
            try:
                truth = read_truth(photo, size)
            except PhotoError:
                continue
            self.pictures.append((truth, holes(len(self.pictures))))
        scores = [
            self._scores(truth, mask, _membrane(truth, mask)) for truth, mask in self.pictures
        ]
        self.membrane = self._named(np.mean(scores, axis=0)) if scores else {}

    def tensors(self, number: int) -> tuple[Tensor, Tensor]:
        """Picture `number`: image 1×3×H×W in [0, 1] and mask 1×1×H×W."""
        truth, mask = self.pictures[number]
        image = torch.from_numpy(truth).float().unsqueeze(0) / 255
        return image, torch.from_numpy(mask).float()[None, None]

    @torch.no_grad()
    def measure(self, network: nn.Module, fabric: Fabric) -> dict[str, float]:
        """Means of PSNR (dB), SSIM and the L1 in the hole, and LPIPS if wanted, over all pictures.

        As in `regionwise evaluate`: pictures one by one, answers rounded to 8 bits, known pixels
        kept. Each process measures its share of them.
        """
        total = torch.zeros(len(self._names), dtype=torch.float64)
        for number in range(fabric.global_rank, len(self.pictures), fabric.world_size):
            truth, mask = self.pictures[number]
            image, hole = (x.to(fabric.device) for x in self.tensors(number))
            answer = network(image, hole).answer[0].float().clamp(0, 1).cpu().numpy()
            values = self._scores(truth, mask, np.nan_to_num(answer))
            total += torch.tensor(values, dtype=torch.float64)
        if fabric.world_size > 1:
            total = fabric.all_reduce(total.to(fabric.device), reduce_op="sum").cpu()  # type: ignore[union-attr]
        return self._named((total / len(self.pictures)).numpy())

    @property
    def _names(self) -> list[str]:
        more = [score.name for metric in self._metrics for score in metric.scores]
        return ["psnr", "ssim", "l1_hole", *more]

    def _scores(self, truth: Bytes, mask: Mask, answer: NDArray[np.float32]) -> list[float]:
        """The numbers of an answer in [0, 1], rounded to 8 bits and composed."""
        filled = np.where(mask, np.rint(answer * 255), truth) / 255
        real = truth / 255
        values = [psnr(real, filled), ssim(real, filled), l1(real, filled, mask)]
        for metric in self._metrics:
            values += metric.measure(FilledPicture(real, filled, mask)).values()
        return values

    def _named(self, values: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(self._names, values.tolist(), strict=True))


def _membrane(truth: Bytes, mask: Mask) -> NDArray[np.float32]:
    """The hole filled smoothly, 3×H×W in [0, 1]."""
    image = np.asarray(truth[None] / 255, dtype=np.float32)
    filled: NDArray[np.float32] = membrane_fill(image, mask[None, None].astype(np.float32))[0]
    return filled


def _holes(recipe: Recipe):  # type: ignore[no-untyped-def]
    """Size of the pictures, and a function that draws the hole of picture number k."""
    first = recipe.phases[0]
    if recipe.validation.protocol is not None:
        sets = read_manifest(recipe.validation.protocol).sets
        return sets[0].size, lambda k: sets[k % len(sets)].draw(k // len(sets) % sets[0].count)
    known = families(first.holes)
    size = first.data.size

    def draw(number: int) -> Mask:
        rng = np.random.default_rng([recipe.seed, number, 1])
        masks = draw_holes(first.holes, known, size, rng)
        return masks[number % len(masks)]

    return (size, size), draw
