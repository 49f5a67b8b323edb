"""The distance of deep features, with weights drawn by chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from regionwise.evaluation.metrics.feature_distance import (
    DarknetTiny,
    feature_distance,
    view_of_hole,
)

_WIDTHS = (3, 4, 4, 2, 8, 2, 8, 2, 8, 2, 8, 2, 8, 2, 8, 4)
_SIDES = (3, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)


@pytest.fixture
def network(tmp_path: Path) -> DarknetTiny:
    rng = np.random.default_rng(0)
    arrays = {}
    for number, side in enumerate(_SIDES, start=1):
        before, after = _WIDTHS[number - 1 : number + 1]
        arrays[f"conv2d_{number}.kernel"] = rng.normal(0, 1, (side, side, before, after))
        for name in ("gamma", "beta", "moving_mean", "moving_variance"):
            key = f"batch_normalization_{number}.{name}"
            arrays[key] = rng.uniform(0.5, 1, after)
    arrays["conv2d_16.kernel"] = rng.normal(0, 1, (1, 1, 4, 10))  # the classes
    file = tmp_path / "weights.npz"
    np.savez(file, **{key: value.astype(np.float32) for key, value in arrays.items()})
    return DarknetTiny(file)


def test_features_have_the_strides_of_the_classifier(network: DarknetTiny) -> None:
    maps = network(torch.rand(2, 3, 64, 48))
    assert [tuple(m.shape) for m in maps] == [
        (2, 4, 64, 48),
        (2, 4, 32, 24),
        (2, 8, 16, 12),
        (2, 8, 8, 6),
        (2, 4, 4, 3),
    ]


def test_batch_norm_is_folded_in_rightly(network: DarknetTiny, tmp_path: Path) -> None:
    arrays = np.load(tmp_path / "weights.npz")
    x = torch.rand(1, 3, 16, 16)
    kernel = torch.from_numpy(arrays["conv2d_1.kernel"].transpose(3, 2, 0, 1).copy())
    plain = torch.nn.functional.conv2d(x, kernel, padding=1)
    norm = {
        name: torch.from_numpy(arrays[f"batch_normalization_1.{name}"])
        for name in ("moving_mean", "moving_variance", "gamma", "beta")
    }
    normal = torch.nn.functional.batch_norm(plain, *norm.values(), eps=1e-3)
    wanted = torch.nn.functional.leaky_relu(normal, 0.1)
    torch.testing.assert_close(network(x)[0], wanted, atol=1e-4, rtol=1e-4)


def test_distance_is_zero_for_equals_symmetric_and_grows_with_blur(network: DarknetTiny) -> None:
    first = torch.rand(3, 64, 64)
    little = torch.nn.functional.avg_pool2d(first, 3, 1, 1)
    more = torch.nn.functional.avg_pool2d(first, 9, 1, 4)
    assert feature_distance(network, first, first) == 0
    assert feature_distance(network, first, more) == pytest.approx(
        feature_distance(network, more, first)
    )
    assert 0 < feature_distance(network, first, little) < feature_distance(network, first, more)


def test_the_view_has_half_the_longer_side_round_the_hole() -> None:
    hole = np.zeros((200, 300), bool)
    hole[100:120, 10:71] = True
    assert view_of_hole(hole) == (slice(70, 150), slice(0, 101))
