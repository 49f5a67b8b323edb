"""Train the network that sees outlines in photos, on what people drew (BSDS500, train and val).

python benchmarks/train_outlines.py BSDS500/data -o outlines.onnx --minutes 30

A small U-Net sees a photo once and says of each pixel whether a border runs there (as the share of
people who drew one, after Xie and Tu, Holistically-Nested Edge Detection, ICCV 2015), and a vector
that is near others of the same segment (a metric learned on pairs of pixels, after Fathi et al.,
Semantic Instance Segmentation via Deep Metric Learning, 2017). `regionwise.selection` builds its
tree of segments from both. The test split is not read; `fit_chooser.py` goes on with half of it.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
import onnx
import scipy.io
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

WIDTHS = 24, 48, 96, 128
VECTOR = 12
CROP = 192
PAIRED = 160  # pixels of a crop whose pairs are compared
NEAR = 112  # side of the window that they lie in


class Outlines(nn.Module):
    """N×3×H×W in [0, 1], sides a multiple of 16, to N×(1+12)×H×W: border's logit, vector."""

    def __init__(self) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(WIDTHS))
        self.entry = nn.Sequential(block(3, WIDTHS[0], 2), block(WIDTHS[0], WIDTHS[0]))
        self.down = nn.ModuleList(
            nn.Sequential(block(thin, wide, 2), block(wide, wide)) for thin, wide in pairs
        )
        self.across = nn.ModuleList(nn.Conv2d(wide, thin, 1) for thin, wide in pairs)
        self.up = nn.ModuleList(block(thin, thin) for thin, _ in pairs)
        self.answer = nn.Conv2d(WIDTHS[0], 1 + VECTOR, 1)

    def forward(self, image: Tensor) -> Tensor:
        kept = [self.entry(image * 2 - 1)]
        for down in self.down:
            kept.append(down(kept[-1]))
        answer = kept.pop()
        for level in range(len(kept) - 1, -1, -1):
            answer = F.interpolate(self.across[level](answer), scale_factor=2.0, mode="bilinear")
            answer = self.up[level](answer + kept[level])
        return F.interpolate(self.answer(answer), scale_factor=2.0, mode="bilinear")


def block(entering: int, leaving: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(entering, leaving, 3, stride, 1, bias=False), nn.BatchNorm2d(leaving), nn.ReLU()
    )


def main() -> None:
    """Train for some minutes, and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds images/ and groundTruth/")
    parser.add_argument("-o", "--output", type=Path, default=Path("outlines.onnx"))
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=3e-3)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    examples = read(arguments.folder)
    network = Outlines().to(memory_format=torch.channels_last)
    train(network, examples, 60 * arguments.minutes, arguments.batch, arguments.rate)
    export(network.eval(), arguments.output)


def read(folder: Path) -> list[tuple[NDArray[np.uint8], list[NDArray[np.int32]]]]:
    """Each photo, and the labels that each person gave its pixels."""
    examples = []
    for split in ("train", "val"):
        for photo in sorted((folder / "images" / split).glob("*.jpg")):
            drawn = scipy.io.loadmat(str(folder / "groundTruth" / split / f"{photo.stem}.mat"))
            labels = [one["Segmentation"][0, 0].astype(np.int32) for one in drawn["groundTruth"][0]]
            examples.append((np.asarray(Image.open(photo).convert("RGB")), labels))
    return examples


def train(
    network: Outlines,
    examples: list[tuple[NDArray[np.uint8], list[NDArray[np.int32]]]],
    seconds: float,
    batch: int,
    rate: float,
) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-2)
    rng = np.random.default_rng(0)
    started, said, step = time.monotonic(), time.monotonic(), 0
    sums = np.zeros(2)
    while (share := (time.monotonic() - started) / seconds) < 1:
        factor = min(1.0, step / 100) * 0.5 * (1 + np.cos(np.pi * share))
        optimizer.param_groups[0]["lr"] = rate * factor
        chosen = [examples[rng.integers(len(examples))] for _ in range(batch)]
        images, borders, labels = zip(*(example(rng, *one) for one in chosen), strict=True)
        image = torch.from_numpy(np.stack(images)).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            answer = network(image)
        answer = answer.float()
        border = border_loss(answer[:, 0], torch.from_numpy(np.stack(borders)))
        pairs = torch.stack([pair_loss(*one) for one in zip(answer[:, 1:], labels, strict=True)])
        optimizer.zero_grad()
        (border + pairs.mean()).backward()
        optimizer.step()
        step += 1
        sums += border.item(), pairs.mean().item()
        if step % 100 == 0:
            print(step, f"{share:.0%}", sums / 100, f"{time.monotonic() - said:.0f} s", flush=True)
            sums[:], said = 0, time.monotonic()


def example(
    rng: np.random.Generator, photo: NDArray[np.uint8], drawn: list[NDArray[np.int32]]
) -> tuple[NDArray[np.float32], NDArray[np.float32], Tensor]:
    """A crop at a scale of its own, the share of people who drew a border, and their labels."""
    scale = rng.uniform(max(0.45, (CROP + 1) / min(photo.shape[:2])), 1.0)
    size = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
    top, left = rng.integers(size[1] - CROP + 1), rng.integers(size[0] - CROP + 1)
    part = slice(top, top + CROP), slice(left, left + CROP)
    image = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BOX))[part] / 255
    rows, columns = (
        ((np.arange(extent)[one] + 0.5) / scale).astype(int).clip(0, whole - 1)
        for extent, one, whole in zip(size[::-1], part, photo.shape[:2], strict=True)
    )
    labels = np.stack([one[rows[:, None], columns] for one in drawn])
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], labels[..., ::-1]
    if rng.random() < 0.3:
        image, labels = image.transpose(1, 0, 2), labels.transpose(0, 2, 1)
    image = image ** np.exp(rng.normal(0, 0.2)) * np.exp(rng.normal(0, 0.1, 3))
    if rng.random() < 0.1:
        image = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    image = image + rng.normal(0, rng.uniform(0, 0.03), image.shape)
    return (
        np.ascontiguousarray(image.clip(0, 1).transpose(2, 0, 1), np.float32),
        borders_of(labels),
        torch.from_numpy(np.ascontiguousarray(labels)),
    )


def borders_of(labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """The share of people who drew a border at a pixel or beside it."""
    found = np.zeros(labels.shape, bool)
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[:, :, 1:], np.s_[:, :, :-1])):
        differs = labels[one] != labels[other]
        found[one] |= differs
        found[other] |= differs
    return found.mean(axis=0, dtype=np.float32)


def border_loss(logit: Tensor, share: Tensor) -> Tensor:
    """Cross entropy, borders weighing four times."""
    loss = F.binary_cross_entropy_with_logits(logit, share, reduction="none")
    return (loss * (1 + 3 * share)).mean()


def pair_loss(vector: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of whether two pixels lie in one segment, by the distance of their vectors."""
    top, left = (int(torch.randint(CROP - NEAR + 1, ())) for _ in range(2))
    rows, columns = (start + torch.randint(NEAR, (PAIRED,)) for start in (top, left))
    chosen = labels[:, rows, columns]
    same = (chosen[:, :, None] == chosen[:, None]).float().mean(dim=0)
    points = vector[:, rows, columns].T
    square = (points[:, None] - points[None]).square().sum(dim=2)
    loss = F.binary_cross_entropy_with_logits(2 - square, same, reduction="none")
    weight = same / same.mean() + (1 - same) / (1 - same).mean().clamp_min(0.05)
    return (loss * weight).mean() / 2


def export(network: Outlines, file: Path) -> None:
    """As ONNX: sides of any multiple of 16, borders as probabilities, weights in half precision."""

    class Exported(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
            answer = self.network(image)
            return torch.sigmoid(answer[:, :1]), answer[:, 1:]

    height, width = (torch.export.Dim(name, min=2, max=128) for name in ("height", "width"))
    program = torch.onnx.export(
        Exported().eval(),
        (torch.rand(1, 3, 160, 224),),
        input_names=["image"],
        output_names=["border", "vector"],
        dynamic_shapes=({2: 16 * height, 3: 16 * width},),
        opset_version=18,
        dynamo=True,
    )
    assert program is not None
    model = program.model_proto
    del model.graph.value_info[:]
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= 1024:
            name, half = tensor.name, f"{tensor.name}_half"
            array = onnx.numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, half))
            casts.append(onnx.helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    for node in nodes:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
