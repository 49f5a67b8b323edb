"""Texture taken over from the known region: as strong as there, and only where there is some."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.classical.texture import texture
from regionwise.engines.classical_engine import MembraneEngine
from regionwise.engines.engine import Traits
from regionwise.engines.textured import TexturedEngine


def gravel(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Strong grey noise, a little blurred."""
    noise = np.random.default_rng(seed).normal(0.5, 0.3, (height + 1, width + 1, 1))
    noise = (noise[1:, 1:] + noise[:-1, 1:] + noise[1:, :-1]) / 3
    return noise.repeat(3, axis=2).astype(np.float32)


def disc(height: int, width: int, radius: float) -> np.ndarray:
    y, x = np.ogrid[:height, :width]
    return (y - height / 2) ** 2 + (x - width / 2) ** 2 < radius**2


def gradient_energy(picture: np.ndarray, where: np.ndarray) -> float:
    down, right = np.gradient(picture.mean(axis=2))
    return float((down**2 + right**2)[where].mean())


def test_a_hole_in_gravel_gets_gravel() -> None:
    truth, hole = gravel(160, 170), disc(160, 170, 40)
    smooth = np.where(hole[..., None], np.float32(0.5), truth)
    filled = smooth + texture(smooth, hole)
    inside = disc(160, 170, 34)
    share = gradient_energy(filled, inside) / gradient_energy(truth, inside)
    assert gradient_energy(smooth, inside) == 0
    assert 0.5 < share < 1.2
    assert abs((filled - smooth)[inside].mean()) < 0.02


def test_each_side_of_the_hole_gets_its_own_texture() -> None:
    """Gravel on the left, a bright wall on the right."""
    truth = gravel(160, 200)
    truth[:, 100:] = 0.9
    hole = disc(160, 200, 45)
    smooth = truth.copy()
    smooth[hole & (np.arange(200) < 100)] = 0.5
    added = np.abs(texture(smooth, hole)).mean(axis=2)
    assert added[hole & (np.arange(200) > 124)].max() == 0
    assert added[hole & (np.arange(200) < 88)].mean() > 0.02


def test_a_plain_picture_stays_plain() -> None:
    ramp = np.linspace(0, 1, 120, dtype=np.float32)[:, None, None].repeat(90, 1).repeat(3, 2)
    assert np.all(texture(ramp, disc(120, 90, 30)) == 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.floats(0, 1), st.integers(0, 9))
def test_any_size_and_hole(height: int, width: int, ratio: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    hole = np.zeros((height, width), bool)
    hole[: int(ratio * height), rng.integers(width) :] = True
    picture = gravel(height, width, seed)
    added = texture(picture, hole)
    assert added.shape == picture.shape
    assert added.dtype == np.float32
    assert np.isfinite(added).all()
    assert np.all(added[~hole] == 0)
    assert np.array_equal(added, texture(picture, hole))


class Faint(MembraneEngine):
    """A membrane that asks for texture."""

    def __init__(self, strength: float) -> None:
        self.traits = Traits(texture=strength)


def test_the_engine_adds_it_to_each_picture_of_a_batch() -> None:
    images = np.stack([gravel(96, 80, seed).transpose(2, 0, 1) for seed in (1, 2)])
    masks = np.stack([disc(96, 80, 20), disc(96, 80, 9)])[:, None].astype(np.float32)
    plain = MembraneEngine().fill(images, masks)
    for strength in (0.0, 1.0):
        answers = TexturedEngine(Faint(strength)).fill(images, masks)
        for answer, smooth, mask in zip(answers, plain, masks[:, 0] > 0.5, strict=True):
            added = texture(smooth.transpose(1, 2, 0), mask).transpose(2, 0, 1)
            expected = np.clip(smooth + np.float32(strength) * added, 0, 1)
            np.testing.assert_array_equal(answer, expected)
    assert np.abs(added).max() > 0.01


def test_a_larger_picture_needs_less_contrast() -> None:
    """Faint gravel counts as plain in a photo seen small, as texture in one seen large."""
    added = {}
    for side in (256, 512):
        faint = 0.5 + 0.25 * (gravel(side, side) - 0.5)
        hole = disc(side, side, 40)
        smooth = np.where(hole[..., None], np.float32(0.5), faint)
        added[side] = np.abs(texture(smooth, hole)).max()
    assert added[256] == 0
    assert added[512] > 0.005
