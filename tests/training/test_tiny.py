"""The smallest recipe, whole: it beats a smooth fill and Telea on photos it never saw."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from regionwise.checkpoints import load_checkpoint
from regionwise.data.photo_sources import find_photos
from regionwise.evaluation.metrics.pixels import l1, psnr
from regionwise.evaluation.metrics.ssim import ssim
from regionwise.recipe import read_recipe
from regionwise.training.initialization import create_generator
from regionwise.training.loop import train
from regionwise.training.settings import TrainingSettings, make_fabric
from regionwise.training.validation import Validation

TINY = Path(__file__).parents[2] / "recipes" / "tiny.yaml"


def quarters(folder, *names):
    """Each of scikit-image's photos in four parts, as photos of a folder."""
    folder.mkdir()
    for name in names:
        photo = Image.fromarray(getattr(data, name)())
        width, height = photo.width // 2, photo.height // 2
        for part in range(4):
            left, top = part % 2 * width, part // 2 * height
            photo.crop((left, top, left + width, top + height)).save(folder / f"{name}{part}.png")
    return find_photos([folder])


@pytest.mark.slow
def test_it_beats_a_smooth_fill_and_telea(tmp_path):
    recipe = read_recipe(TINY)
    seen = quarters(tmp_path / "seen", "astronaut", "chelsea")
    unseen = quarters(tmp_path / "unseen", "coffee", "rocket")
    settings = TrainingSettings(run=tmp_path / "run", workers=0, accelerator="cpu")
    validation = Validation(recipe, unseen)
    fabric = make_fabric(settings, "fp32", unused_parameters=False)
    torch.manual_seed(recipe.seed)
    before = validation.measure(create_generator(recipe).eval(), fabric)
    train(recipe, seen, unseen, settings)
    network = load_checkpoint(tmp_path / "run" / "best.pt")
    after = validation.measure(network, fabric)
    telea = []
    for truth, mask in validation.pictures:
        pixels = np.ascontiguousarray(truth.transpose(1, 2, 0))
        filled = cv2.inpaint(pixels, mask.astype(np.uint8) * 255, 3, cv2.INPAINT_TELEA)
        pair = truth / 255, filled.transpose(2, 0, 1) / 255
        telea.append((psnr(*pair), ssim(*pair), l1(*pair, mask)))
    margins = {"psnr": 0.1, "ssim": 0.002, "l1_hole": -0.001}
    for (name, margin), rival in zip(margins.items(), np.mean(telea, axis=0), strict=True):
        sign = np.sign(margin)
        for other in (before[name], rival, validation.membrane[name]):
            assert sign * after[name] > sign * (other + margin), name
