"""A package of somebody else brings a network, a loss and holes; nothing of ours names it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from regionwise.errors import RegionwiseError
from regionwise.plugins import LOSSES, load_plugin

FILES = {
    "pyproject.toml": """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "outside"
version = "1.0"
[project.entry-points."regionwise.networks"]
blot = "outside.blot"
[project.entry-points."regionwise.losses"]
charbonnier = "outside.charbonnier:charbonnier"
[project.entry-points."regionwise.holes"]
stripe = "outside.stripe:stripe"
""",
    "outside/__init__.py": "",
    "outside/blot/__init__.py": "",
    "outside/blot/card.py": """
from regionwise.models.card import NetworkCard, Variant

CARD = NetworkCard(
    name="blot",
    title="three layers, for a test",
    papers=(),
    network="Blot",
    files="",
    licence="CC0",
    size=32,
    slim={"width": 4},
    variants=(Variant("Blot"),),
    note="",
)
""",
    "outside/blot/network.py": """
import torch
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction
from torch import Tensor, nn


class Blot(InpaintingNetwork):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(4, width, 5, padding=2), nn.ReLU(), nn.Conv2d(width, 3, 5, padding=2)
        )

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        return Prediction([self.layers(torch.cat([image * (1 - mask), mask], 1)).sigmoid()])
""",
    "outside/charbonnier.py": """
def charbonnier(answer, truth, mask, *, epsilon=1e-3):
    return ((answer - truth).square() + epsilon**2).sqrt().mean(dim=(1, 2, 3))
""",
    "outside/stripe.py": """
import numpy as np


def stripe(size, rng, ratio=None):
    mask = np.zeros(size, bool)
    start = int(rng.integers(size[1] // 2))
    mask[:, start : start + max(size[1] // 4, 1)] = True
    return mask
""",
}

RECIPE = """
model: {name: blot, options: {width: 4}}
data: {size: 32}
holes: {mixture: {stripe: 1}}
optimizer: {name: adam, lr: 0.001}
batch: 2
validation: {photos: 1}
phases:
  - name: only
    length: 3 steps
    losses:
      - {name: own, loss: charbonnier, keywords: {epsilon: 0.01}, picture: raw}
"""


def test_it_is_installed_trained_and_fills(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    for name, text in FILES.items():
        file = tmp_path / "package" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    site = tmp_path / "site"
    command = [*pip, "--no-build-isolation", "--target", str(site), str(tmp_path / "package")]
    subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(photos / f"{number}.png")
    path = os.pathsep.join([str(site), *(entry for entry in sys.path if entry)])

    def run(*arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "regionwise", *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    shown = run("train", tmp_path / "recipe.yaml", "--show")
    assert "loss: charbonnier" in shown
    trained = tmp_path / "run"
    options = ["-p", photos, "-o", trained, "--workers", "0", "--accelerator", "cpu"]
    assert "trained 3 steps" in run("train", tmp_path / "recipe.yaml", *options)
    model = trained / "last.pt"
    run("fill", photos / "0.png", "--box", "5,5,9,9", "--model", model, "-o", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (40, 40)


def test_what_nobody_brings_is_one_line() -> None:
    with pytest.raises(RegionwiseError, match="no package brings 'nothing'"):
        load_plugin(LOSSES, "nothing")
