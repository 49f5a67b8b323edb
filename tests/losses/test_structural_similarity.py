"""Against torchmetrics and scikit-image, and gradients."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity as oracle

from regionwise.evaluation.metrics.ssim import ssim
from regionwise.losses.structural_similarity import structural_similarity


def pictures(height=33, width=27, dtype=torch.float64):
    rng = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 3, height, width, generator=rng, dtype=dtype)
    return (truth + 0.2 * torch.randn(truth.shape, generator=rng, dtype=dtype)).clamp(0, 1), truth


def test_is_one_less_the_similarity_of_scikit_image():
    answer, truth = pictures()
    maps = [
        oracle(
            a.permute(1, 2, 0).numpy(),
            t.permute(1, 2, 0).numpy(),
            channel_axis=2,
            data_range=1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )[1]
        for a, t in zip(answer, truth, strict=True)
    ]
    expected = 1 - np.mean([map_[5:-5, 5:-5].mean() for map_ in maps])
    assert structural_similarity(answer, truth).item() == pytest.approx(expected, rel=1e-9)


def test_is_one_less_the_metric():
    """Of `regionwise evaluate`: one formula, with two ways to take local means."""
    answer, truth = pictures()
    metric = [ssim(t.numpy(), a.numpy()) for a, t in zip(answer, truth, strict=True)]
    assert structural_similarity(answer, truth).item() == pytest.approx(1 - np.mean(metric), 1e-9)


def test_nothing_between_equal_pictures():
    _, truth = pictures()
    assert structural_similarity(truth, truth).item() == pytest.approx(0, abs=1e-12)


def test_gradients():
    answer, truth = pictures(13, 12)
    assert torch.autograd.gradcheck(
        lambda x: structural_similarity(x, truth), answer.requires_grad_()
    )


@pytest.mark.parametrize("size", [(1, 1), (2, 30), (10, 11)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_small_pictures_and_half_precision(size, dtype):
    answer, truth = (x.to(dtype) for x in pictures(*size))
    loss = structural_similarity(answer, truth)
    assert loss.dtype == torch.float32
    assert 0 <= loss.item() <= 2
