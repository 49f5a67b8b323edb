import numpy as np
import pytest

from regionwise.classical.membrane import membrane_fill
from regionwise.engines.engine import NO_TRAITS
from regionwise.engines.ensemble import SYMMETRIES, EnsembleEngine


class Corner:
    """Answers the upper left pixel of what it is shown, everywhere."""

    traits = NO_TRAITS

    def fill(self, images, masks):
        assert images.flags.c_contiguous
        assert images.shape[2:] == masks.shape[2:]
        return np.broadcast_to(images[..., :1, :1], images.shape)


class Membrane:
    traits = NO_TRAITS

    def fill(self, images, masks):
        return membrane_fill(images, masks)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (1, 6)])
def test_views_differ_and_are_undone(shape):
    x = np.arange(2 * np.prod(shape), dtype=np.float32).reshape(1, 2, *shape)
    for view, back in SYMMETRIES:
        np.testing.assert_array_equal(back(view(x)), x)
    if shape == (4, 4):
        assert len({view(x).tobytes() for view, _ in SYMMETRIES}) == 5


def test_the_mean_of_the_views():
    """Each view shows another corner first: mirrored and turned by 90° the same one."""
    rng = np.random.default_rng(0)
    images = rng.random((2, 3, 5, 8), dtype=np.float32)
    answers = EnsembleEngine(Corner()).fill(images, np.zeros((2, 1, 5, 8), np.float32))
    corners = images[..., 0, 0], 2 * images[..., 0, -1], images[..., -1, 0], images[..., -1, -1]
    wanted = np.broadcast_to((sum(corners) / 5)[..., None, None], images.shape)
    np.testing.assert_allclose(answers, wanted, rtol=1e-6)


def test_each_view_s_mask_goes_with_it():
    rng = np.random.default_rng(0)
    images = rng.random((1, 3, 16, 16), dtype=np.float32)
    masks = np.zeros((1, 1, 16, 16), np.float32)
    masks[..., 2:9, 1:5] = 1
    answers = EnsembleEngine(Membrane()).fill(images * (1 - masks), masks)
    known = np.broadcast_to(masks == 0, images.shape)
    np.testing.assert_allclose(answers[known], images[known], atol=1e-6)
    # Halved sixteenfold a membrane has no preferred direction.
    np.testing.assert_allclose(answers, membrane_fill(images, masks), atol=0.05)
