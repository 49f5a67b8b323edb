"""RN's Figure 2 and equations (1) to (4), measured."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import nn

from regionwise.cli import main
from regionwise.errors import ModelError
from regionwise.explain.shift import measure_shifts, recorded_shifts, region_shift, table_of
from regionwise.models.registry import create_model


def question(height=24, width=30):
    rng = np.random.default_rng(0)
    hole = np.zeros((height, width), bool)
    hole[5:15, 8:20] = True
    return rng.normal(2, 3, (4, height, width)), hole


def test_the_papers_white_hole():
    """Equations (1) to (4) as they stand, with the maximum in the hole."""
    features, hole = question()
    whole = features[:, ~hole]
    features[:, hole] = 255
    shift = region_shift("x", features, hole)
    np.testing.assert_allclose(shift.known_mean, whole.mean(1))  # (1)
    np.testing.assert_allclose(shift.known_std, whole.std(1))
    assert (shift.hole_mean == 255).all()  # (2)
    assert (shift.hole_std == 0).all()
    n, missing = hole.size, hole.sum()
    known = n - missing
    mean = known / n * whole.mean(1) + missing / n * 255  # (3)
    variance = known / n * whole.var(1)
    variance += missing * known / n**2 * (whole.mean(1) - 255) ** 2  # (4)
    np.testing.assert_allclose(shift.mean, mean)
    np.testing.assert_allclose(shift.std, np.sqrt(variance))
    assert shift.below == (1.0, pytest.approx(0.5, abs=0.03))  # all of them are put out


def test_any_hole_obeys_the_equations_with_its_own_deviation():
    features, hole = question()
    features[:, hole] = features[:, hole] * 2 - 7
    shift = region_shift("x", features, hole)
    for found, expected in zip(shift.predicted(), (shift.mean, shift.std), strict=True):
        np.testing.assert_allclose(found, expected)
    normal = (features - shift.mean[:, None, None]) / shift.std[:, None, None]
    known = normal[:, ~hole]
    assert shift.moved == pytest.approx(np.sqrt((known.mean(1) ** 2).mean()))
    assert shift.narrowed == pytest.approx(known.std(1).mean())
    assert shift.below[0] == pytest.approx((known < 0).mean())
    assert shift.together.sum() == pytest.approx(1)


def test_a_hole_like_the_rest_shifts_nothing():
    features, hole = question(200, 200)
    shift = region_shift("x", features, hole)
    assert shift.moved < 0.01
    assert shift.narrowed == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, nn.InstanceNorm2d, lambda c: nn.GroupNorm(2, c)])
def test_any_network_of_someones(norm):
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), norm(8), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), norm(8)
    )
    image, mask = torch.rand(1, 3, 32, 48), torch.zeros(1, 1, 32, 48)
    mask[..., 8:24, 10:30] = 1
    with recorded_shifts(network, mask) as shifts:
        network(torch.where(mask > 0, 1.0, image))
    assert [(one.name, one.size) for one in shifts] == [("1", (16, 24)), ("4", (8, 12))]
    expected = network[0](torch.where(mask > 0, 1.0, image))[0].mean(dim=(1, 2))
    np.testing.assert_allclose(shifts[0].mean, expected.detach().numpy(), atol=1e-5)
    before = len(shifts)
    network(image)
    assert len(shifts) == before  # nothing stays behind


def test_a_network_without_norms_is_measured_at_its_convolutions():
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1))
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4, :] = 1
    with recorded_shifts(network, mask) as shifts:
        network(torch.rand(1, 3, 8, 8))
    assert [one.name for one in shifts] == ["0", "2"]
    with pytest.raises(ModelError, match="neither norms nor"), recorded_shifts(nn.ReLU(), mask):
        pass
    with (
        pytest.raises(ModelError, match="one picture, not 2"),
        recorded_shifts(network, mask),
    ):
        network(torch.rand(2, 3, 8, 8))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rn", {"width": 4, "blocks": 1}),
        ("rn", {"width": 4, "blocks": 1, "architecture": 0}),
        ("deepgin", {"width": 4, "blocks": 1}),
    ],
)
def test_our_networks(name, options):
    image = np.random.default_rng(0).random((3, 64, 64), np.float32)
    mask = np.zeros((1, 64, 64), np.float32)
    mask[:, 20:40, 20:40] = 1
    shifts = measure_shifts(create_model(name, **options), image * (1 - mask), mask)
    assert len(shifts) >= 6
    assert len(table_of(shifts).splitlines()) == len(shifts) + 1


def test_the_command(tmp_path, capsys):
    photo = data.astronaut()[:100, 100:220]
    hole = np.zeros(photo.shape[:2], bool)
    hole[30:60, 40:80] = True
    Image.fromarray(photo).save(tmp_path / "photo.png")
    Image.fromarray(hole).save(tmp_path / "mask.png")
    out = tmp_path / "panel.png"
    command = ["explain", str(tmp_path / "photo.png"), str(tmp_path / "mask.png"), "-o", str(out)]
    assert main([*command, "--shift"]) == 0
    said = capsys.readouterr().out
    assert "encoder_norms.0" in said
    assert "under 0" in said
    with Image.open(out) as panel:
        assert panel.width > 800
