"""Fit what chooses among the segments round a click, on photos that the network has not seen.

python benchmarks/fit_chooser.py BSDS500/data -o chooser.json --photos 100

Clicks are drawn in segments of up to three people; of the segments that the tree offers, each has
its best overlap with what anybody drew round the click. One hidden layer scores them, and learns to
give its weight (a softmax over the segments) to those with much overlap. The first 100 photos of
the test split are for fitting, the last 100 for `selection.py --first 100`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import scipy.io
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt
from torch import Tensor, nn

from regionwise.selection.candidates import candidates
from regionwise.selection.outlines import see
from regionwise.selection.segment_tree import segment_tree

HIDDEN = 24
Example = tuple[NDArray[np.float32], NDArray[np.float32]]
"""What is seen of K segments, K×F, and the overlap of each."""


def main() -> None:
    """Collect, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds images/ and groundTruth/")
    parser.add_argument("-o", "--output", type=Path, default=Path("chooser.json"))
    parser.add_argument("--split", default="test")
    parser.add_argument("--photos", type=int, default=100)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    photos = sorted((arguments.folder / "images" / arguments.split).glob("*.jpg"))
    examples = []
    for photo in photos[: arguments.photos]:
        drawn = arguments.folder / "groundTruth" / arguments.split / f"{photo.stem}.mat"
        examples += collect(photo, drawn, rng)
    chooser = fit(examples)
    rounded = {name: np.round(values, 4).tolist() for name, values in chooser.items()}
    arguments.output.write_text(json.dumps(rounded) + "\n", encoding="utf-8")


def collect(photo: Path, drawn: Path, rng: np.random.Generator) -> list[Example]:
    """Clicks on a photo."""
    outlines = see(np.asarray(Image.open(photo).convert("RGB")))
    tree = segment_tree(outlines.border, outlines.vector)
    height, width = outlines.border.shape
    truth = [one["Segmentation"][0, 0] for one in scipy.io.loadmat(str(drawn))["groundTruth"][0]]
    people = [np.asarray(Image.fromarray(one).resize((width, height), 0)) for one in truth]
    found = []
    for x, y in clicks(people[:3], rng):
        offered = candidates(tree, outlines.border, outlines.vector, [(x, y)], [])
        count = len(offered.area)
        best = np.zeros(count)
        for labels in people:
            segment = labels == labels[y, x]
            common = np.bincount(offered.rank[segment], minlength=count + 1).cumsum()[:count]
            best = np.maximum(best, common / (offered.area + segment.sum() - common))
        found.append((offered.seen, best.astype(np.float32)))
    return found


def clicks(people: list[NDArray[np.integer]], rng: np.random.Generator) -> list[tuple[int, int]]:
    """A pixel in each segment that is neither tiny nor the ground, rather in its middle."""
    places = []
    for labels in people:
        for label in np.unique(labels):
            segment = labels == label
            if 0.004 < segment.mean() < 0.4:
                depth = distance_transform_edt(np.pad(segment, 1))[1:-1, 1:-1]
                rows, columns = np.nonzero(depth >= depth.max() * rng.uniform(0.35, 1))
                one = rng.integers(len(rows))
                places.append((int(columns[one]), int(rows[one])))
    return places


def fit(examples: list[Example], steps: int = 1500) -> dict[str, NDArray[np.float64]]:
    """The weights, as `regionwise.selection.outlines.likely` reads them."""
    count = max(len(overlap) for _, overlap in examples)
    seen = np.zeros((len(examples), count, examples[0][0].shape[1]), np.float32)
    overlap = np.zeros((len(examples), count), np.float32)
    there = np.zeros((len(examples), count), bool)
    for number, (one, best) in enumerate(examples):
        seen[number, : len(best)], overlap[number, : len(best)] = one, best
        there[number, : len(best)] = True
    mean, deviation = seen[there].mean(axis=0), seen[there].std(axis=0) + 1e-3
    entry = torch.from_numpy((seen - mean) / deviation)
    wanted, mask = torch.from_numpy(overlap), torch.from_numpy(there)
    network = nn.Sequential(
        nn.Linear(entry.shape[2], HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1, bias=False)
    )
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3, weight_decay=1e-2)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 5e-3 * (1 - step / steps)
        chosen = torch.randint(len(entry), (128,))
        loss = -expected(network, entry[chosen], wanted[chosen], mask[chosen]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        score = network(entry)[..., 0].masked_fill(~mask, -1e9)
        taken = wanted.gather(1, score.argmax(dim=1, keepdim=True)).mean()
    print(f"{len(entry)} clicks; overlap {taken:.3f}, at best {wanted.amax(dim=1).mean():.3f}")
    weights = {
        name: value.numpy().astype(np.float64) for name, value in network.state_dict().items()
    }
    return {
        "mean": mean.astype(np.float64),
        "deviation": deviation.astype(np.float64),
        "into": weights["0.weight"].T,
        "bias": weights["0.bias"],
        "out": weights["2.weight"][0],
    }


def expected(network: nn.Module, seen: Tensor, overlap: Tensor, there: Tensor) -> Tensor:
    """The overlap of what is chosen by the network's own odds."""
    score = network(seen)[..., 0].masked_fill(~there, -1e9)
    return (torch.softmax(score, dim=1) * overlap).sum(dim=1)


if __name__ == "__main__":
    main()
