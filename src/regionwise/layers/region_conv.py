"""Region-wise convolution (Ma et al., IJCAI 2019, eq. 1): another filter for each region.

Two readings of one equation:

- "window", as eq. (1) is written: the region at a window's centre chooses the filter, and the
  filter sees the whole window.
- "released", as the authors computed it ("separating the two types of regions by channel"): each
  region's pixels are convolved with its own filter, the rest being 0, and the results are added. In
  a window across a border all its regions' filters contribute.

Both cost one convolution over all regions' channels. On a CPU each filter runs over the bounding
box of its region only, where that is less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.upsampling_conv import upsampling_conv

RegionConvReading = Literal["window", "released"]

_WORTH_SPLITTING = 0.85
"""Share of the work left by bounding boxes below which many small convolutions beat one."""


def resize_regions(regions: Tensor, height: int, width: int) -> Tensor:
    """Nearest neighbour with corners aligned: index = ⌊i·(in − 1)/(out − 1) + ½⌋, as released.

    Args:
        regions: N×K×h×w.
        height, width: of the answer.

    Returns:
        N×K×height×width.
    """
    for axis, size in ((-2, height), (-1, width)):
        last = torch.sym_max(size - 1, 1)  # type: ignore[no-untyped-call]
        place = torch.arange(size, device=regions.device)
        index = (2 * place * (regions.shape[axis] - 1) + last) // (2 * last)
        regions = regions.index_select(axis, index)
    return regions


def region_conv(
    maps: Sequence[Tensor],
    regions: Tensor,
    weights: Sequence[Tensor],
    bias: Tensor,
    *,
    reading: RegionConvReading = "released",
    upsample: bool = False,
) -> Tensor:
    """Convolve each region with its own filter; borders are reflected.

    Args:
        maps: for each of the K regions the features that its filter sees, N×C_k×H×W. In eq. (1) all
            are the same; as released, the skip link is in the known region's alone.
        regions: N×K×h×w of 0 and 1, exactly one of the K set at each pixel; of any size, resized by
            `resize_regions` to the maps ("released") or to the answer ("window").
        weights: K filters of Cout×C_k×k×k, k odd; 3 if upsampling.
        bias: K×Cout ("window"), or Cout, shared ("released": a sum of biases is one bias).
        reading: see the module.
        upsample: double the maps by nearest neighbour before the convolution; in "released" after
            the regions were parted.

    Returns:
        N×Cout×H×W, twice the height and width if upsampling.

    Raises:
        ModelError: if maps, regions and filters don't fit each other.
    """
    _check(maps, regions, weights, upsample)
    height, width = maps[0].shape[-2:]
    if reading == "window":
        scale = 2 if upsample else 1
        chosen = resize_regions(regions, scale * height, scale * width) > 0.5
        return _chosen(maps, chosen, weights, bias, upsample)
    parts = resize_regions(regions, height, width).to(maps[0].dtype)
    masked = [map_ * part for map_, part in zip(maps, parts.chunk(len(maps), dim=1), strict=True)]
    return _summed(masked, parts > 0.5, weights, bias, upsample)


def _check(
    maps: Sequence[Tensor], regions: Tensor, weights: Sequence[Tensor], upsample: bool
) -> None:
    if not len(maps) == len(weights) == regions.shape[1]:
        raise ModelError(
            f"{len(maps)} maps, {regions.shape[1]} regions and {len(weights)} filters: "
            "a region-wise convolution needs one map and one filter for each region"
        )
    sizes = {weight.shape[-1] for weight in weights}
    if len(sizes) > 1 or min(sizes) % 2 == 0 or (upsample and sizes != {3}):
        raise ModelError(
            f"filters of {', '.join(map(str, sorted(sizes)))} pixels: they must be of one odd "
            "size, and of 3 where the map is doubled"
        )


def _chosen(
    maps: Sequence[Tensor], chosen: Tensor, weights: Sequence[Tensor], bias: Tensor, upsample: bool
) -> Tensor:
    """At each place the answer of the filter whose region is set there."""
    scale = 2 if upsample else 1
    insides = chosen.chunk(len(maps), dim=1)
    parts = list(zip(maps, weights, bias, insides, strict=True))
    boxes = _bounding_boxes(chosen, scale, grow=0)
    if boxes is None:
        map_, weight, shift, _ = parts[0]
        answer = _convolved(map_, weight, shift, upsample)
        for map_, weight, shift, inside in parts[1:]:
            answer = torch.where(inside, _convolved(map_, weight, shift, upsample), answer)
        return answer
    answer = _filled(torch.zeros_like(bias[0]), maps[0], scale)
    for (map_, weight, shift, inside), box in zip(parts, boxes, strict=True):
        if box is not None:
            y = _convolved(map_, weight, shift, upsample, box)
            place = box.place(scale)
            answer[place] = torch.where(inside[place], y, answer[place])
    return answer


def _summed(
    maps: Sequence[Tensor], parts: Tensor, weights: Sequence[Tensor], bias: Tensor, upsample: bool
) -> Tensor:
    """The sum of the convolutions of maps that are 0 outside their parts."""
    boxes = _bounding_boxes(parts, 1, grow=weights[0].shape[-1] // 2)
    if boxes is None or _share_of_work(boxes, weights, parts[0, 0].numel()) > _WORTH_SPLITTING:
        stacked, filters = torch.cat(list(maps), dim=1), torch.cat(list(weights), dim=1)
        return _convolved(stacked, filters, bias, upsample)
    scale = 2 if upsample else 1
    answer = _filled(bias, maps[0], scale)
    for map_, weight, box in zip(maps, weights, boxes, strict=True):
        if box is not None:
            answer[box.place(scale)] += _convolved(map_, weight, None, upsample, box)
    return answer


def _convolved(
    x: Tensor, weight: Tensor, bias: Tensor | None, upsample: bool, box: _Box | None = None
) -> Tensor:
    """The (upsampling) convolution of a map, or what of it lies in a box of the map."""
    reach = weight.shape[-1] // 2
    padding = [reach] * 4
    if box is not None:
        x, padding = box.windows(x, reach)
    if upsample:
        return upsampling_conv(F.pad(x, padding, mode="replicate"), weight, bias)
    return F.conv2d(F.pad(x, padding, mode="reflect"), weight, bias)


def _filled(values: Tensor, like: Tensor, scale: int) -> Tensor:
    """N×C×H×W of one value a channel, in channels-last layout; N, H and W as of a map, scaled."""
    batch, _, height, width = like.shape
    filled = values.to(like.dtype).view(1, -1, 1, 1)
    filled = filled.expand(batch, -1, scale * height, scale * width)
    return filled.clone(memory_format=torch.channels_last)


class _Box(NamedTuple):
    """Rows and columns of a map, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> int:
        return (self.bottom - self.top) * (self.right - self.left)

    def windows(self, x: Tensor, reach: int) -> tuple[Tensor, list[int]]:
        """What the windows centred in the box see of a map, and the padding they lack."""
        height, width = x.shape[-2:]
        padding = [
            max(reach - self.left, 0),
            max(self.right + reach - width, 0),
            max(reach - self.top, 0),
            max(self.bottom + reach - height, 0),
        ]
        rows = slice(max(self.top - reach, 0), self.bottom + reach)
        return x[..., rows, max(self.left - reach, 0) : self.right + reach], padding

    def place(self, scale: int) -> tuple[slice, slice, slice, slice]:
        """Where it lies in a batch of maps larger by scale."""
        rows = slice(scale * self.top, scale * self.bottom)
        return slice(None), slice(None), rows, slice(scale * self.left, scale * self.right)


def _bounding_boxes(regions: Tensor, scale: int, grow: int) -> list[_Box | None] | None:
    """Of each region over the whole batch; None for an empty region.

    Args:
        regions: N×K×H×W of bool.
        scale: the boxes are of a map smaller by it.
        grow: pixels added on each side, within the map.

    Returns:
        None where shapes must not depend on values (a compiler) or reading them stalls (a GPU).
    """
    if regions.device.type != "cpu" or torch.compiler.is_compiling():
        return None
    used = regions.any(dim=0)
    return [_bounding_box(region, scale, grow) for region in used]


def _bounding_box(region: Tensor, scale: int, grow: int) -> _Box | None:
    ends = []
    for along, size in ((1, region.shape[0]), (0, region.shape[1])):
        places = region.any(dim=along).nonzero().flatten().tolist()
        if not places:
            return None
        start, end = places[0] // scale, places[-1] // scale + 1
        ends += [max(start - grow, 0), min(end + grow, size // scale)]
    return _Box(*ends)


def _share_of_work(boxes: Sequence[_Box | None], weights: Sequence[Tensor], pixels: int) -> float:
    """What the boxes leave of the work of all filters everywhere."""
    channels = [weight.shape[1] for weight in weights]
    areas = [0 if box is None else box.area for box in boxes]
    return sum(map(int.__mul__, areas, channels)) / (pixels * sum(channels))


class RegionConv(nn.Module):
    """Region-wise convolution with K filters; see `region_conv`.

    Args:
        channels: C_k, of each region's map.
        out_channels: Cout.
        kernel_size: odd; 3 if upsampling.
        reading: "released" (one bias) or "window", eq. (1) (a bias for each region).
        upsample: double the maps before.

    Shapes: K maps of N×C_k×H×W and regions N×K×h×w → N×Cout×H×W, doubled if upsampling.
    """

    def __init__(
        self,
        channels: Sequence[int],
        out_channels: int,
        kernel_size: int = 3,
        *,
        reading: RegionConvReading = "released",
        upsample: bool = False,
    ) -> None:
        super().__init__()
        if reading not in ("released", "window"):
            raise ModelError(f"reading={reading!r}: it is 'released' or 'window'")
        self.reading: RegionConvReading = reading
        self.upsample = upsample
        self.weights = nn.ParameterList(
            torch.empty(out_channels, count, kernel_size, kernel_size) for count in channels
        )
        shape = (out_channels,) if reading == "released" else (len(channels), out_channels)
        self.bias = nn.Parameter(torch.zeros(shape))
        for weight in self.weights:
            nn.init.xavier_uniform_(weight)

    def forward(self, maps: Sequence[Tensor], regions: Tensor) -> Tensor:
        """Convolve each region's map with its own filter."""
        return region_conv(
            maps,
            regions,
            list(self.weights),
            self.bias,
            reading=self.reading,
            upsample=self.upsample,
        )

    def multiply_accumulates(self, inputs: tuple[Any, ...], output: Tensor) -> int:
        """As released: all filters everywhere, after the upsampling."""
        filters: list[int] = [weight[0].numel() for weight in self.weights]
        return output.numel() * sum(filters)
