"""Our GLCIC with the known weights computes what their network computes."""

import numpy as np
import pytest
import torch
from tests.support.official_fixtures import (
    official_answers,
    official_inputs,
    official_weights,
    relative_error,
)

from regionwise import fill
from regionwise.checkpoints import from_official
from regionwise.errors import CheckpointError


@pytest.fixture(scope="module")
def weights():
    return official_weights("glcic")


@pytest.mark.parametrize("inside", [False, True])
def test_answer(weights, inside):
    """The colour of holes is an option, or lies among the weights."""
    answers = official_answers("glcic")
    image, mask = official_inputs(answers)
    if inside:
        network = from_official(weights | {"mpv": answers["mpv"]})
    else:
        network = from_official(weights, mean_color=answers["mpv"].tolist())
    assert sum(p.numel() for p in network.parameters()) == 6_072_131
    with torch.no_grad():
        assert relative_error(network(image, mask).answer, answers["output"]) < 1e-4
        grey = from_official(weights)(image, mask).answer
    assert relative_error(grey, answers["output"]) > 1e-2


def test_a_colour_out_of_range(weights):
    with pytest.raises(CheckpointError, match="mean_color"):
        from_official(weights, mean_color=(0, 128, 255))


@pytest.mark.parametrize(
    ("height", "width", "box"), [(41, 57, (20, 13, 18, 15)), (33, 21, (0, 0, 9, 11))]
)
def test_poisson_cloning_as_its_last_step(weights, height, width, box, tmp_path):
    """Odd sizes, amid the picture and in its corner: the fill meets what is known."""
    torch.save(dict(weights), tmp_path / "glcic.pth")
    left, top, wide, high = box
    rows, columns = np.mgrid[:height, :width]
    photo = np.stack([60 + rows, 90 + columns, 200 - rows], axis=2).astype(np.uint8)
    inside = np.s_[top : top + high, left : left + wide]
    known = np.ones((height, width), bool)
    known[inside] = False
    jumps = []
    for blend in ("none", "poisson"):
        filled = fill(photo, box=box, model=tmp_path / "glcic.pth", blend=blend)
        assert filled.shape == photo.shape
        assert np.array_equal(filled[known], photo[known])
        last = filled[inside][:, -1].astype(int)
        jumps.append(np.abs(last - filled[top : top + high, left + wide].astype(int)).mean())
    assert jumps[1] < 0.5 * jumps[0]
