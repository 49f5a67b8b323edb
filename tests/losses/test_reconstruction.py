"""L1 and L2 over regions equal loops over the pixels, with each paper's divisor."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_cdt

from regionwise.losses.reconstruction import discounted, hole_l1, l1, l2

REGIONS = ["hole", "known", "all"]
OVERS = ["picture", "region", "hole", "sum"]
POWERS = {l1: 1, l2: 2}


def pictures(batch, height, width, share, seed, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    answer, truth = torch.rand(2, batch, 3, height, width, generator=rng, dtype=dtype)
    mask = (torch.rand(batch, 1, height, width, generator=rng) < share).to(dtype)
    return answer, truth, mask


def looped(answer, truth, mask, power, region, over):
    """One value after the other."""
    total, counts = 0.0, {"hole": 0, "known": 0, "all": 0}
    batch, channels, height, width = answer.shape
    for n in range(batch):
        for c in range(channels):
            for i in range(height):
                for j in range(width):
                    here = "hole" if mask[n, 0, i, j] else "known"
                    counts[here] += 1
                    counts["all"] += 1
                    if region in ("all", here):
                        total += abs(answer[n, c, i, j] - truth[n, c, i, j]).item() ** power
    if over == "sum":
        return total / batch
    everything = counts["all"]
    if over == "picture":
        return total / everything
    divided_by = counts[region if over == "region" else over]
    # Without a hole the whole picture is divided as if one pixel of one picture were missing.
    return total / max(divided_by, channels)


@settings(max_examples=40, deadline=None)
@given(
    loss=st.sampled_from([l1, l2]),
    region=st.sampled_from(REGIONS),
    over=st.sampled_from(OVERS),
    batch=st.integers(1, 3),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 99),
)
def test_equals_a_loop(loss, region, over, batch, height, width, share, seed):
    answer, truth, mask = pictures(batch, height, width, share, seed)
    value = loss(answer, truth, mask, region=region, over=over)
    wanted = looped(answer, truth, mask, POWERS[loss], region, over)
    assert value.shape == ()
    assert value.item() == pytest.approx(wanted, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("loss", [l1, l2])
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("over", OVERS)
def test_gradcheck(loss, region, over):
    answer, truth, mask = pictures(2, 3, 4, 0.4, seed=1)
    answer.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a: loss(a, truth, mask, region=region, over=over), answer
    )


def test_oracles():
    answer, truth, mask = pictures(2, 7, 5, 0.4, seed=2)
    torch.testing.assert_close(l1(answer, truth, mask), F.l1_loss(answer, truth))
    torch.testing.assert_close(l2(answer, truth, mask), F.mse_loss(answer, truth))
    composed = torch.where(mask > 0.5, answer, truth)
    released = F.l1_loss(composed, truth) / mask.mean()
    torch.testing.assert_close(l1(composed, truth, mask, over="hole"), released)
    torch.testing.assert_close(hole_l1(answer, truth, mask), released)


@pytest.mark.parametrize("loss", [l1, l2])
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("over", OVERS)
def test_parts_of_a_batch_mean_the_batch(loss, region, over):
    """Given its share of missing pixels: so two processes equal one."""
    answer, truth, mask = pictures(4, 6, 5, 0.4, seed=3)
    options = {"region": region, "over": over, "hole_share": mask.mean()}
    whole = loss(answer, truth, mask, **options)
    parts = [loss(answer[k], truth[k], mask[k], **options) for k in (slice(0, 2), slice(2, 4))]
    torch.testing.assert_close(sum(parts) / 2, whole)
    torch.testing.assert_close(whole, loss(answer, truth, mask, region=region, over=over))


@pytest.mark.parametrize(("region", "share"), [("hole", 0.0), ("known", 1.0)])
@pytest.mark.parametrize("over", OVERS)
def test_a_region_without_pixels_costs_nothing(region, share, over):
    answer, truth, mask = pictures(2, 4, 4, share, seed=4)
    answer.requires_grad_()
    value = l1(answer, truth, mask, region=region, over=over)
    (gradient,) = torch.autograd.grad(value, answer)
    assert value == 0
    assert not gradient.any()


def test_half_precision():
    answer, truth, mask = pictures(1, 64, 64, 0.4, seed=5, dtype=torch.bfloat16)
    value = l1(answer, truth, mask, region="hole", over="sum")
    wanted = l1(answer.double(), truth.double(), mask.double(), region="hole", over="sum")
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(wanted.item(), rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    batch=st.integers(1, 3),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    share=st.sampled_from([0.0, 0.5, 0.9, 0.98, 1.0]),
    seed=st.integers(0, 99),
)
def test_discount_falls_with_the_chessboard_distance(batch, height, width, share, seed):
    *_, mask = pictures(batch, height, width, share, seed)
    weight = discounted(mask, 0.9)
    for one, hole in zip(weight[:, 0], mask[:, 0], strict=True):
        if hole.all():
            assert (one == 0).all()
        else:
            distance = distance_transform_cdt(hole.numpy(), "chessboard")
            torch.testing.assert_close(one, torch.from_numpy(0.9 ** distance.astype(float)))


def test_weights_count_in_the_sum_alone():
    answer, truth, mask = pictures(2, 6, 5, 0.6, 3)
    weight = discounted(mask, 0.5)
    by_hand = ((answer - truth).abs() * mask * weight).sum() / (3 * mask.sum())
    assert l1(answer, truth, mask, region="hole", over="region", discount=0.5) == pytest.approx(
        by_hand.item()
    )
    assert torch.equal(discounted(mask, 1.0) * mask, mask)
