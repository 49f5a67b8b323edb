import math

import numpy as np
import pytest
import torch
import torchmetrics.functional.image as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.color import rgb2gray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from regionwise.errors import DataError
from regionwise.evaluation.metrics.metric import FilledPicture
from regionwise.evaluation.metrics.pixels import PSNR_LIMIT, l1, l1_grey, l1_rn, l2, psnr
from regionwise.evaluation.metrics.registry import BY_NAME, METRICS, measure, metrics_named
from regionwise.evaluation.metrics.sharpness import Sharpness, gradient_energy
from regionwise.evaluation.metrics.ssim import ssim, ssim_map


def channels_first(picture):
    return np.ascontiguousarray(picture.transpose(2, 0, 1)) / 255


@pytest.fixture(params=["astronaut", "coffee", "chelsea"])
def pair(request):
    truth = channels_first(getattr(data, request.param)()[:220, :260])
    rng = np.random.default_rng(1)
    answer = truth.copy()
    answer[:, 60:150, 80:200] = np.clip(
        truth[:, 60:150, 80:200] + rng.normal(0, 0.1, (3, 90, 120)), 0, 1
    )
    hole = np.zeros(truth.shape[1:], bool)
    hole[60:150, 80:200] = True
    return truth, answer, hole


def test_distances_agree_with_scikit_image_and_torchmetrics(pair):
    truth, answer, _ = pair
    x, y = (torch.from_numpy(p)[None] for p in (answer, truth))
    assert psnr(truth, answer) == pytest.approx(
        peak_signal_noise_ratio(truth, answer, data_range=1), rel=1e-9
    )
    assert psnr(truth, answer) == pytest.approx(
        reference.peak_signal_noise_ratio(x, y, data_range=1.0).item(), rel=1e-6
    )
    assert l1(truth, answer) == pytest.approx((x - y).abs().mean().item(), rel=1e-9)
    assert l2(truth, answer) == pytest.approx(((x - y) ** 2).mean().item(), rel=1e-9)


def test_ssim_agrees_with_scikit_image(pair):
    truth, answer, _ = pair
    options = {"channel_axis": 0, "data_range": 1, "win_size": 11}
    gaussian = structural_similarity(
        truth, answer, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, **options
    )
    assert ssim(truth, answer) == pytest.approx(gaussian, rel=1e-7)
    uniform = structural_similarity(truth, answer, **options)
    assert ssim(truth, answer, window="uniform") == pytest.approx(uniform, rel=1e-7)
    assert abs(gaussian - uniform) > 1e-4  # the names matter


def test_ssim_agrees_with_torchmetrics(pair):
    truth, answer, _ = pair
    x, y = (torch.from_numpy(p)[None] for p in (answer, truth))
    theirs = reference.structural_similarity_index_measure(
        x, y, sigma=1.5, kernel_size=11, data_range=1.0
    ).item()
    # Its mean is over the whole map, border too; here nothing differs there, on either padding.
    assert ssim_map(truth, answer, "gaussian").mean() == pytest.approx(theirs, rel=1e-4)


def test_the_map_is_the_definition_window_by_window():
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 1, 15, 17))
    kernel = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    kernel = np.outer(kernel, kernel) / kernel.sum() ** 2
    for row, column in [(5, 5), (9, 11), (7, 8)]:
        a, b = (p[0, row - 5 : row + 6, column - 5 : column + 6] for p in (x, y))
        mean_a, mean_b = (kernel * a).sum(), (kernel * b).sum()
        var_a = (kernel * (a - mean_a) ** 2).sum()
        var_b = (kernel * (b - mean_b) ** 2).sum()
        covariance = (kernel * (a - mean_a) * (b - mean_b)).sum()
        expected = (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
        expected /= (mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4)
        assert ssim_map(x, y, "gaussian")[0, row, column] == pytest.approx(expected, rel=1e-9)


def test_the_grey_variant_is_the_scripts_formula(pair):
    truth, answer, _ = pair
    a, b = (rgb2gray(p.transpose(1, 2, 0)) for p in (truth, answer))
    assert l1_grey(truth, answer) == pytest.approx(np.abs(a - b).sum() / (a + b).sum(), rel=1e-6)


def test_rns_l1_lets_errors_of_the_channels_cancel(pair):
    truth, answer, _ = pair
    means = [sum(p[channel] for channel in range(3)) / 3 for p in (truth, answer)]
    assert l1_rn(truth, answer) == pytest.approx(np.abs(means[0] - means[1]).mean(), rel=1e-5)
    opposite = truth + 0.1 * np.array([1, -1, 0])[:, None, None]
    assert l1_rn(truth, opposite) == pytest.approx(0, abs=1e-7)
    assert l1_rn(truth, truth + 0.1) == pytest.approx(l1(truth, truth + 0.1))


def test_values_of_the_hole_see_the_hole_only(pair):
    truth, answer, hole = pair
    share = hole.mean()
    assert l1(truth, answer, hole) == pytest.approx(l1(truth, answer) / share)
    assert l2(truth, answer, hole) == pytest.approx(l2(truth, answer) / share)
    shifted = psnr(truth, answer) + 10 * math.log10(share)
    assert psnr(truth, answer, hole) == pytest.approx(shifted)
    assert ssim(truth, answer, hole) < ssim(truth, answer)
    elsewhere = answer.copy()
    elsewhere[:, 200:] = 0.5
    assert l1(truth, elsewhere, hole) == l1(truth, answer, hole)
    assert ssim(truth, elsewhere, hole) == ssim(truth, answer, hole)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32))
def test_gradient_energy_is_the_sum_over_pairs_inside(height, width, seed):
    rng = np.random.default_rng(seed)
    picture, hole = rng.random((3, height, width)), rng.random((height, width)) < 0.6
    energy = 0.0
    for row, column in np.ndindex(height, width):
        for other in ((row + 1, column), (row, column + 1)):
            inside = other[0] < height and other[1] < width
            if inside and hole[row, column] and hole[other]:
                step = picture[:, row, column] - picture[:, other[0], other[1]]
                energy += (step**2).sum()
    assert gradient_energy(picture, hole) == pytest.approx(energy)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
def test_every_metric_at_any_size(height, width, seed):
    rng = np.random.default_rng(seed)
    truth, answer = rng.random((2, 3, height, width), dtype=np.float32)
    hole = rng.random((height, width)) < 0.5
    hole[0, 0] = True
    values = measure(FilledPicture(truth, answer, hole), metrics_named("all"))
    scores = {score.name for metric in metrics_named("all") for score in metric.scores}
    assert scores <= values.keys()
    without = {name for name, value in values.items() if not math.isfinite(value)}
    assert without <= {"seam", "naturalness", "sharpness", "sharpness_error"}
    if hole.all():  # no border, nothing known
        assert {"seam", "naturalness"} <= without
    assert ("sharpness" in without) == (values["texture_truth"] == 0)  # no two neighbours missing
    same = measure(FilledPicture(truth, truth, hole))
    assert same["psnr"] == same["psnr_hole"] == PSNR_LIMIT
    assert same["ssim"] == pytest.approx(1)
    assert same["l1"] == same["l2_hole"] == 0
    assert same["texture"] == same["texture_truth"]


def test_an_empty_hole_has_no_values():
    picture = np.full((3, 16, 16), 0.5)
    values = measure(FilledPicture(picture, picture, np.zeros((16, 16), bool)))
    assert math.isnan(values["l1_hole"])
    assert math.isnan(values["ssim_hole"])
    assert values["texture"] == values["texture_truth"] == 0


def test_sums_keep_their_digits_in_float32_pictures():
    truth = np.full((3, 600, 600), 1e-3, np.float32)
    answer = truth + np.float32(0.1)
    exact = float(np.float64(answer[0, 0, 0]) - np.float64(truth[0, 0, 0]))
    assert l1(truth, answer) == pytest.approx(exact, rel=1e-12)


def test_sharpness_is_taken_picture_by_picture():
    rng = np.random.default_rng(2)
    truth = rng.random((3, 9, 11))
    hole = np.zeros((9, 11), bool)
    hole[0:4, 3:11] = True  # at the border
    half = FilledPicture(truth, 0.5 * truth, hole)
    values = Sharpness().measure(half)
    assert values["sharpness"] == pytest.approx(0.25)  # of energies, which are squares
    assert values["sharpness_error"] == pytest.approx(2)
    values = Sharpness().measure(FilledPicture(truth, 2 * truth, hole))
    assert values["sharpness_error"] == pytest.approx(2)  # too much counts like too little
    flat = Sharpness().measure(FilledPicture(truth, np.zeros_like(truth), hole))
    assert flat["sharpness_error"] == pytest.approx(math.log2(1e6))
    nothing = Sharpness().measure(FilledPicture(np.zeros_like(truth), truth, hole))
    assert math.isnan(nothing["sharpness_error"])


def test_metrics_are_chosen_by_name():
    assert metrics_named("") == METRICS
    assert set(BY_NAME.values()) - set(METRICS) == {BY_NAME["naturalness"]}
    assert metrics_named("all") == tuple(BY_NAME.values())
    assert metrics_named("seam, psnr") == (BY_NAME["psnr"], BY_NAME["seam"])
    with pytest.raises(DataError, match=r"--metrics: 'lpips' is none of psnr, .*, all"):
        metrics_named("psnr,lpips")
