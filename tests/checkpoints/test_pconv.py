"""Beside the answer (test_answers.py): the mask that PConv has left at the end."""

import torch
from tests.support.official_fixtures import (
    official_answers,
    official_inputs,
    official_weights,
    relative_error,
)

from regionwise.checkpoints import from_official


def test_picture_and_mask_of_a_training_file():
    answers = official_answers("pconv")
    image, mask = official_inputs(answers)
    network = from_official(
        {"n_iter": 1, "model": official_weights("pconv"), "optimizer": {"state": {}}}
    )
    with torch.no_grad():
        picture, left = network.picture((image - network.mean) / network.deviation, mask)
    assert relative_error(picture, answers["output"]) < 1e-4
    assert torch.equal(1 - left, torch.from_numpy(answers["mask_out"]).float())
