"""Contextual attention against a formulation that builds each patch and each score."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.layers.contextual_attention import available_patches, contextual_attention


def neighbours_summed(scores):
    """Each score with those of the previous key and query, and the next key and query."""
    count = len(scores)
    total = scores.clone()
    for key in range(count):
        for query in range(count):
            for shift in (-1, 1):
                if 0 <= key + shift < count and 0 <= query + shift < count:
                    total[key, query] += scores[key + shift, query + shift]
    return total


def literal(guide, values, available, *, patch, fuse, key_norm, floor):
    """One picture: guide C×h×w, values D×2h×2w, available h×w."""
    height, width = guide.shape[1:]
    places = [(i, j) for i in range(height) for j in range(width)]
    border = patch // 2
    padded = F.pad(guide, (border,) * 4)
    patches = [padded[:, i : i + patch, j : j + patch] for i, j in places]
    lengths = [
        p.square().sum().sqrt().clamp(min=1e-4)
        if key_norm == "clamped"
        else (p.square() + 1e-4).sum().sqrt()
        for p in patches
    ]
    scores = torch.stack(
        [
            torch.stack([(key / length * query).sum() for query in patches])
            for key, length in zip(patches, lengths, strict=True)
        ]
    )
    if fuse:
        by_column = [i * width + j for j in range(width) for i in range(height)]
        scores = neighbours_summed(scores)
        turned = neighbours_summed(scores[by_column][:, by_column])
        scores = torch.empty_like(scores)
        for a, key in enumerate(by_column):
            for b, query in enumerate(by_column):
                scores[key, query] = turned[a, b]
    usable = available.flatten().unsqueeze(1)
    weights = ((scores * usable * 10).softmax(dim=0) * usable).clamp(min=floor)
    padded = F.pad(values, (1, 1, 1, 1))
    answer = torch.zeros_like(padded)
    for query, (i, j) in enumerate(places):
        for key, (k, m) in enumerate(places):
            pasted = padded[:, 2 * k : 2 * k + 4, 2 * m : 2 * m + 4]
            answer[:, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += weights[key, query] * pasted
    return answer[:, 1:-1, 1:-1] / 4


@settings(max_examples=12, deadline=None)
@given(
    height=st.integers(1, 5),
    width=st.integers(1, 4),
    patch=st.sampled_from([1, 3]),
    fuse=st.booleans(),
    key_norm=st.sampled_from(["clamped", "smoothed"]),
    floor=st.sampled_from([0.0, 1e-2]),
    share=st.sampled_from([0.0, 0.5, 1.0]),
    columns=st.integers(1, 4),
)
def test_equals_the_literal_one(height, width, patch, fuse, key_norm, floor, share, columns):
    torch.manual_seed(height + 10 * width)
    guide = torch.randn(2, 3, height, width, dtype=torch.float64)
    values = torch.randn(2, 2, 2 * height, 2 * width, dtype=torch.float64)
    available = (torch.rand(2, 1, height, width) < share).double()
    options = {"patch": patch, "fuse": fuse, "key_norm": key_norm, "floor": floor}
    size = columns * 2 * height * height * width
    ours = contextual_attention(guide, values, available, slice_size=size, **options)
    for n in range(2):
        wanted = literal(guide[n], values[n], available[n, 0], **options)
        torch.testing.assert_close(ours[n], wanted, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("slice_size", [1, 10**6])
@pytest.mark.parametrize("fuse", [False, True])
def test_gradients(fuse, slice_size):
    torch.manual_seed(0)
    guide = torch.randn(1, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    values = torch.randn(1, 1, 4, 6, dtype=torch.float64, requires_grad=True)
    available = torch.tensor([1.0, 1, 0, 1, 0, 1], dtype=torch.float64).view(1, 1, 2, 3)

    def attended(guide, values):
        return contextual_attention(guide, values, available, fuse=fuse, slice_size=slice_size)

    assert torch.autograd.gradcheck(attended, (guide, values))


def test_nothing_of_the_hole_is_pasted():
    guide, values = torch.randn(1, 2, 6, 6), torch.randn(1, 2, 12, 12)
    mask = torch.zeros(1, 1, 6, 6)
    mask[..., 2:4, 2:4] = 1
    available = available_patches(mask)
    assert available.sum() == 36 - 16
    other = values.clone()
    other[..., 5:7, 5:7] += 100  # which only patches of the hole hold
    one = contextual_attention(guide, values, available)
    assert torch.equal(one, contextual_attention(guide, other, available))


def test_with_nothing_known_the_answer_is_zero():
    guide, values = torch.randn(1, 2, 3, 4), torch.randn(1, 2, 6, 8)
    assert contextual_attention(guide, values, torch.zeros(1, 1, 3, 4)).abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_finite(dtype):
    guide, values = (torch.randn(1, 2, 4, 4) * 30).to(dtype), torch.randn(1, 2, 8, 8).to(dtype)
    available = torch.ones(1, 1, 4, 4, dtype=dtype)
    assert contextual_attention(guide, values, available).isfinite().all()
