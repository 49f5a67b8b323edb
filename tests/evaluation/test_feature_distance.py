"""The distance of deep features, against a slow reference, and what is seen of a picture."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import regionwise.evaluation.metrics.feature_distance as module
from regionwise.errors import DataError
from regionwise.evaluation.metrics.feature_distance import FeatureDistance, feature_distance
from regionwise.evaluation.metrics.metric import FilledPicture
from regionwise.evaluation.metrics.views import view_of_hole
from regionwise.features import downloads
from regionwise.features.efficientnet_lite import EfficientNetLite


def _stages(x: Tensor) -> list[Tensor]:
    """Features of a network of two stages, drawn by chance."""
    generator = torch.Generator().manual_seed(0)
    first = F.conv2d(x, torch.randn((5, 3, 3, 3), generator=generator), padding=1).relu()
    return [first, F.conv2d(first, torch.randn((4, 5, 3, 3), generator=generator), stride=2)]


def test_the_distance_against_a_slow_reference() -> None:
    torch.manual_seed(0)
    first, second = torch.rand(2, 3, 9, 13)
    means = []
    for a, b in zip(_stages(first[None]), _stages(second[None]), strict=True):
        x, y = a[0].numpy().astype(float), b[0].numpy().astype(float)
        total = 0.0
        for row, column in np.ndindex(x.shape[1:]):
            p, q = x[:, row, column], y[:, row, column]
            lengths = [max(math.sqrt((v**2).sum()), 1e-12) for v in (p, q)]
            total += ((p / lengths[0] - q / lengths[1]) ** 2).sum()
        means.append(total / x[0].size)
    assert feature_distance(_stages, first, second) == pytest.approx(np.mean(means), rel=1e-5)


def test_the_distance_is_zero_for_equals_symmetric_and_grows_with_blur() -> None:
    torch.manual_seed(0)
    first = torch.rand(3, 64, 64)
    little = F.avg_pool2d(first, 3, 1, 1)
    more = F.avg_pool2d(first, 9, 1, 4)
    assert feature_distance(_stages, first, first) == 0
    there, back = (feature_distance(_stages, *pair) for pair in ((first, more), (more, first)))
    assert there == pytest.approx(back)
    assert 0 < feature_distance(_stages, first, little) < there


def test_the_view_has_half_the_longer_side_round_the_hole() -> None:
    hole = np.zeros((200, 300), bool)
    hole[100:120, 10:71] = True
    assert view_of_hole(hole) == (slice(70, 150), slice(0, 101))
    assert view_of_hole(hole, least=96) == (slice(4, 200), slice(0, 167))
    assert view_of_hole(np.zeros((7, 9), bool)) == (slice(0, 7), slice(0, 9))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose file of weights, drawn by chance, passes for the published one."""
    torch.manual_seed(0)
    state = {
        key: torch.rand(value.shape) if value.is_floating_point() else value
        for key, value in EfficientNetLite().state_dict().items()
    }
    file = tmp_path / downloads.EFFICIENTNET_LITE.file
    torch.save(state, file)
    found = downloads.Weights(file.name, "", downloads.checksum_of(file), "")
    monkeypatch.setattr(module, "EFFICIENTNET_LITE", found)
    return tmp_path


def test_the_metric_sees_what_lies_round_the_hole_alone(folder: Path) -> None:
    metric = FeatureDistance(f"efficientnet-lite0:{folder}", "cpu")
    (score,) = metric.scores
    assert score.name == "features_efficientnet"
    rng = np.random.default_rng(0)
    truth = rng.random((3, 90, 110), dtype=np.float32)
    hole = np.zeros((90, 110), bool)
    hole[2:20, 0:25] = True
    answer = np.where(hole, np.float32(0.5), truth)
    value = metric.measure(FilledPicture(truth, answer, hole))[score.name]
    assert value > 0
    part = (slice(None), *view_of_hole(hole))
    cut = FilledPicture(truth[part], answer[part], hole[part[1:]])
    assert metric.measure(cut)[score.name] == pytest.approx(value)
    nothing = FilledPicture(truth, truth, np.zeros_like(hole))
    assert math.isnan(metric.measure(nothing)[score.name])


def test_an_unknown_network_is_told() -> None:
    with pytest.raises(DataError, match=r"neither efficientnet-lite0 nor an \.npz"):
        FeatureDistance("resnet", "cpu")
