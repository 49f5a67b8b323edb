"""Our AOT-GAN with the authors' weights computes what their network computes."""

import torch
from tests.support.official_fixtures import (
    official_answers,
    official_inputs,
    official_weights,
    relative_error,
)

from regionwise.checkpoints import from_official


def test_first_block_and_answer():
    """Later blocks magnify rounding: gates of random weights are steep."""
    answers = official_answers("aotgan")
    image, mask = official_inputs(answers)
    network = from_official(official_weights("aotgan"))
    assert sum(p.numel() for p in network.parameters()) == 15_200_835
    seen = torch.where(mask > 0, torch.ones_like(image), image * 2 - 1)
    with torch.no_grad():
        first = network.middle[0](network.encode(torch.cat([seen, mask], dim=1)))
        ours = network(image, mask).answer * 2 - 1
    assert relative_error(first[:, :8], answers["block0_first8"]) < 1e-4
    difference = ours - torch.from_numpy(answers["output"])
    unit = float(answers["output"].std())
    assert difference.square().mean().sqrt() < 2e-4 * unit
    assert difference.abs().max() < 3e-3 * unit
