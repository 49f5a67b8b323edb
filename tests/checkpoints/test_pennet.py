"""Our PEN-Net with the authors' weights computes what their network computes."""

import torch
from tests.support.official_fixtures import (
    official_answers,
    official_inputs,
    official_weights,
    relative_error,
)

from regionwise.checkpoints import from_official


def test_answer_and_pyramid():
    answers = official_answers("pennet")
    image, mask = official_inputs(answers)
    network = from_official({"netG": official_weights("pennet")})
    assert sum(p.numel() for p in network.parameters()) == 10_231_538
    seen = torch.where(mask > 0, torch.ones_like(image), image * 2 - 1)
    with torch.no_grad():
        pictures = network.pyramid(torch.cat([seen, mask], dim=1), mask)
        prediction = network(image, mask)
    for number, picture in zip((5, 4, 3, 2, 1), pictures, strict=False):
        assert relative_error(picture, answers[f"pyramid{number}"]) < 1e-4
    assert relative_error(prediction.answer * 2 - 1, answers["output"]) < 1e-4
    assert len(prediction.stages) == 6
