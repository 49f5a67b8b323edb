"""Total variation equals loops over pairs of neighbours."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.image import total_variation as summed_variation

from regionwise.losses.total_variation import total_variation


def picture(batch, height, width, share, seed, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    answer = torch.rand(batch, 3, height, width, generator=rng, dtype=dtype)
    mask = (torch.rand(batch, 1, height, width, generator=rng) < share).to(dtype)
    return answer, mask


def in_grown_hole(mask, n, i, j):
    return bool(mask[n, 0, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2].any())


def looped(x, mask, region, power):
    """MADF's eq. (6) for the grown hole, DeepGIN's for the whole picture."""
    batch, channels, height, width = x.shape
    answer = 0.0
    for di, dj in ((0, 1), (1, 0)):
        total, pairs = 0.0, 0
        for n in range(batch):
            for i in range(height - di):
                for j in range(width - dj):
                    inside = in_grown_hole(mask, n, i, j) and in_grown_hole(mask, n, i + di, j + dj)
                    pairs += channels
                    if region == "all" or inside:
                        difference = x[n, :, i + di, j + dj] - x[n, :, i, j]
                        total += difference.abs().pow(power).sum().item()
        answer += total / max(pairs if region == "all" else x.numel(), 1)
    return answer


@settings(max_examples=40, deadline=None)
@given(
    region=st.sampled_from(["all", "grown_hole"]),
    power=st.sampled_from([1, 2]),
    batch=st.integers(1, 2),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    share=st.sampled_from([0.0, 0.1, 0.3, 1.0]),
    seed=st.integers(0, 99),
)
def test_equals_a_loop(region, power, batch, height, width, share, seed):
    answer, mask = picture(batch, height, width, share, seed)
    value = total_variation(answer, None, mask, region=region, power=power)
    assert value.item() == pytest.approx(looped(answer, mask, region, power), rel=1e-12, abs=1e-15)


def test_equals_torchmetrics_on_squares():
    """Its sums of both directions; on a square the numbers of pairs are equal."""
    answer, _ = picture(2, 9, 9, 0, seed=1)
    pairs = 2 * 3 * 9 * 8
    wanted = summed_variation(answer, reduction="sum") / pairs
    torch.testing.assert_close(total_variation(answer), wanted)


@pytest.mark.parametrize("region", ["all", "grown_hole"])
@pytest.mark.parametrize("power", [1, 2])
def test_gradcheck(region, power):
    answer, mask = picture(2, 5, 4, 0.2, seed=2)
    answer.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a: total_variation(a, None, mask, region=region, power=power), answer
    )


def test_full_hole_is_the_whole_picture_with_another_divisor():
    answer, mask = picture(1, 10, 10, 1.0, seed=3)
    inside = total_variation(answer, None, mask, region="grown_hole")
    torch.testing.assert_close(inside, total_variation(answer) * 9 / 10)


def test_half_precision():
    answer, mask = picture(1, 40, 40, 0.2, seed=4, dtype=torch.bfloat16)
    value = total_variation(answer, None, mask, region="grown_hole")
    wanted = total_variation(answer.double(), None, mask.double(), region="grown_hole")
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_grown_hole_needs_a_mask():
    with pytest.raises(ValueError, match="needs the mask"):
        total_variation(torch.rand(1, 3, 4, 4), region="grown_hole")
