import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.classical.membrane import membrane_fill
from regionwise.engines.engine import NO_TRAITS
from regionwise.engines.polyphase import PolyphaseEngine


class Noting:
    """A membrane that notes what it was given."""

    traits = NO_TRAITS

    def __init__(self):
        self.seen = []

    def fill(self, images, masks):
        assert images.shape[2:] == masks.shape[2:]
        assert images.flags.c_contiguous
        self.seen.append(images.shape)
        return membrane_fill(images, masks)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(1, 2), st.integers(1, 40), st.integers(0, 9)
)
def test_each_component_is_filled_alone(height, width, batch, side, seed):
    rng = np.random.default_rng(seed)
    images = rng.random((batch, 3, height, width), dtype=np.float32)
    masks = (rng.random((batch, 1, height, width)) < 0.3).astype(np.float32)
    engine = Noting()
    answers = PolyphaseEngine(engine, side).fill(images, masks)
    step = 1
    while max(height, width) > step * side:
        step += 1
    for y in range(min(step, height)):
        for x in range(min(step, width)):
            rows, columns = range(y, height, step), range(x, width, step)
            image = images[:, :, rows][..., columns]
            wanted = membrane_fill(image, masks[:, :, rows][..., columns])
            np.testing.assert_array_equal(answers[:, :, rows][..., columns], wanted)
    assert all(max(shape[2:]) <= side for shape in engine.seen)


def test_a_small_picture_is_its_only_component():
    images, masks = np.zeros((1, 3, 256, 200), np.float32), np.ones((1, 1, 256, 200), np.float32)
    engine = Noting()
    PolyphaseEngine(engine).fill(images, masks)
    assert engine.seen == [(1, 3, 256, 200)]


def test_components_without_a_hole_are_not_filled():
    images, masks = np.zeros((1, 3, 512, 512), np.float32), np.zeros((1, 1, 512, 512), np.float32)
    masks[..., 100, 201] = 1
    engine = Noting()
    PolyphaseEngine(engine).fill(images, masks)
    assert engine.seen == [(1, 3, 256, 256)]


@pytest.mark.parametrize("shape", [(1, 2000), (2000, 1), (300, 7)])
def test_narrow_pictures(shape):
    images = np.full((1, 3, *shape), 0.25, np.float32)
    masks = np.zeros((1, 1, *shape), np.float32)
    masks[..., : shape[0] // 2 + 1, : shape[1] // 2] = 1
    answers = PolyphaseEngine(Noting()).fill(images * (1 - masks), masks)
    np.testing.assert_allclose(answers[masks.repeat(3, axis=1) == 0], 0.25)
    assert np.isfinite(answers).all()
