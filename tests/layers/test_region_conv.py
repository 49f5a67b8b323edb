"""Region-wise convolution against eq. (1), written as loops over windows."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.errors import ModelError
from regionwise.layers.region_conv import RegionConv, region_conv, resize_regions
from regionwise.layers.upsampling_conv import UpsamplingConv


def one_hot(labels, regions):
    return F.one_hot(labels, regions).permute(0, 3, 1, 2).double()


def reflected(index, size):
    """-1 → 1, size → size - 2."""
    return -index if index < 0 else 2 * (size - 1) - index if index >= size else index


def resized(labels, height, width):
    """Nearest neighbour, corners aligned."""

    def source(i, old, new):
        return 0 if new == 1 else math.floor(i * (old - 1) / (new - 1) + 0.5)

    rows = [source(i, labels.shape[1], height) for i in range(height)]
    columns = [source(j, labels.shape[2], width) for j in range(width)]
    return torch.stack([torch.stack([labels[:, i, j] for j in columns], 1) for i in rows], 1)


def doubled(x):
    return x.repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1)


def literal(maps, labels, weights, bias, reading, upsample):
    """One window after the other; see the module's two readings."""
    height, width = maps[0].shape[-2:]
    if reading == "released":
        labels = resized(labels, height, width)
        maps = [map_ * (labels == k)[:, None] for k, map_ in enumerate(maps)]
    if upsample:
        maps, height, width = [doubled(map_) for map_ in maps], 2 * height, 2 * width
    if reading == "window":
        labels = resized(labels, height, width)
    reach = weights[0].shape[-1] // 2
    offsets = range(-reach, reach + 1)
    answer = torch.zeros(maps[0].shape[0], weights[0].shape[0], height, width, dtype=torch.float64)
    for n in range(answer.shape[0]):
        for i in range(height):
            for j in range(width):
                rows = [reflected(i + d, height) for d in offsets]
                columns = [reflected(j + d, width) for d in offsets]
                filters = [int(labels[n, i, j])] if reading == "window" else range(len(maps))
                for k in filters:
                    window = maps[k][n][:, rows][:, :, columns]
                    answer[n, :, i, j] += (weights[k] * window).sum(dim=(1, 2, 3))
                answer[n, :, i, j] += bias[filters[0]] if reading == "window" else bias
    return answer


def example(batch, channels, height, width, reading, seed, labels, kernel=3):
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float64)

    maps = [normal(batch, count, height, width) for count in channels]
    weights = [normal(3, count, kernel, kernel) for count in channels]
    bias = normal(len(channels), 3) if reading == "window" else normal(3)
    return maps, one_hot(labels, len(channels)), weights, bias


def spotted(batch, height, width, regions, seed):
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, regions, (batch, height, width), generator=rng)


def boxed(batch, height, width, regions, seed):
    """Region 0, and a small box of each other region (perhaps none): bounding boxes pay here."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.zeros(batch, height, width, dtype=torch.long)
    for k in range(1, regions):
        top, left, tall, wide = torch.randint(0, 5, (4,), generator=rng).tolist()
        labels[:, top : top + tall, left : left + wide] = k
    return labels


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(1, 2),
    channels=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    finer=st.sampled_from([1, 2, 4]),
    reading=st.sampled_from(["released", "window"]),
    upsample=st.booleans(),
    draw=st.sampled_from([spotted, boxed]),
    compiling=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_equals_the_loops(
    batch, channels, height, width, finer, reading, upsample, draw, compiling, seed
):
    labels = draw(batch, height * finer, width * finer, len(channels), seed)
    arguments = example(batch, channels, height, width, reading, seed, labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.compiler, "is_compiling", lambda: compiling)
        ours = region_conv(*arguments, reading=reading, upsample=upsample)
    maps, _, weights, bias = arguments
    wanted = literal(maps, labels, weights, bias, reading, upsample)
    torch.testing.assert_close(ours, wanted, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("reading", ["released", "window"])
@pytest.mark.parametrize("kernel", [1, 5])
def test_other_kernels(reading, kernel):
    labels = boxed(2, 11, 12, 2, seed=3)
    arguments = example(2, [2, 3], 11, 12, reading, 3, labels, kernel)
    maps, _, weights, bias = arguments
    wanted = literal(maps, labels, weights, bias, reading, upsample=False)
    torch.testing.assert_close(region_conv(*arguments, reading=reading), wanted)


@pytest.mark.parametrize("reading", ["released", "window"])
@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("draw", [spotted, boxed])
@pytest.mark.parametrize("compiling", [False, True])
def test_gradients(monkeypatch, reading, upsample, draw, compiling):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: compiling)
    maps, regions, weights, bias = example(1, [2, 1], 6, 5, reading, 1, draw(1, 6, 5, 2, seed=4))
    inputs = [x.requires_grad_() for x in (*maps, *weights, bias)]

    def function(known, missing, weight_known, weight_missing, bias):
        return region_conv(
            [known, missing],
            regions,
            [weight_known, weight_missing],
            bias,
            reading=reading,
            upsample=upsample,
        )

    # Random projections instead of one column after the other: a second instead of a minute.
    assert torch.autograd.gradcheck(function, inputs, fast_mode=True)


def test_the_gradient_of_a_window_reaches_its_own_filter_alone():
    maps, regions, weights, bias = example(
        1, [2, 2], 6, 6, "window", 0, torch.zeros(1, 6, 6, dtype=torch.long)
    )
    for weight in weights:
        weight.requires_grad_()
    region_conv(maps, regions, weights, bias, reading="window").sum().backward()
    assert weights[0].grad.abs().max() > 0
    assert weights[1].grad is None or weights[1].grad.abs().max() == 0


@pytest.mark.parametrize("upsample", [False, True])
def test_bounding_boxes_save_work(monkeypatch, upsample):
    """A hole of a quarter of the sides takes little more than the known region's convolution."""
    from torch.utils.flop_counter import FlopCounterMode

    layer = RegionConv([6, 3], 4, upsample=upsample)
    maps = [torch.randn(1, 6, 64, 64), torch.randn(1, 3, 64, 64)]
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    labels[:, 20:36, 10:26] = 1
    operations = []
    for compiling in (False, True):
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda value=compiling: value)
        with FlopCounterMode(display=False) as counter:
            layer(maps, one_hot(labels, 2).float())
        operations.append(counter.get_total_flops())
    assert operations[0] < 0.72 * operations[1]


@pytest.mark.parametrize(("old", "new"), [(96, 48), (92, 23), (5, 9), (4, 1), (1, 6), (7, 7)])
def test_regions_are_resized_with_corners_aligned(old, new):
    labels = torch.randint(0, 3, (2, old, 5))
    ours = resize_regions(one_hot(labels, 3), new, 3).argmax(dim=1)
    assert torch.equal(ours, resized(labels, new, 3))


@pytest.mark.parametrize("reading", ["released", "window"])
@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_near_single(reading, upsample, dtype):
    torch.manual_seed(0)
    layer = RegionConv([4, 3], 5, reading=reading, upsample=upsample)
    maps = [torch.randn(1, 4, 12, 12), torch.randn(1, 3, 12, 12)]
    regions = one_hot(boxed(1, 24, 24, 2, seed=4), 2).float()
    low = copy.deepcopy(layer).to(dtype)([map_.to(dtype) for map_ in maps], regions)
    assert low.dtype == dtype
    assert (low.float() - layer(maps, regions)).abs().max() < 0.05
    with torch.autocast("cpu", dtype):
        mixed = layer(maps, regions)
    assert (mixed.float() - layer(maps, regions)).abs().max() < 0.05


@pytest.mark.parametrize(
    ("maps", "regions", "kernel", "upsample", "message"),
    [
        (1, 2, 3, False, "1 maps, 2 regions and 2 filters"),
        (2, 3, 3, False, "2 maps, 3 regions and 2 filters"),
        (2, 2, 4, False, "4 pixels"),
        (2, 2, 5, True, "5 pixels"),
    ],
)
def test_what_does_not_fit(maps, regions, kernel, upsample, message):
    layer = RegionConv([2, 2], 3, kernel, upsample=upsample)
    with pytest.raises(ModelError, match=message):
        layer([torch.zeros(1, 2, 8, 8)] * maps, torch.zeros(1, regions, 8, 8))


def test_an_unknown_reading():
    with pytest.raises(ModelError, match="'released' or 'window'"):
        RegionConv([2, 2], 3, reading="both")


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 100))
def test_upsampling_convolution(height, width, seed):
    torch.manual_seed(seed)
    layer = UpsamplingConv(3, 4).double()
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    padded = F.pad(doubled(x), (1, 1, 1, 1), mode="reflect")
    torch.testing.assert_close(layer(x), F.conv2d(padded, layer.weight, layer.bias))
