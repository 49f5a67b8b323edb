"""Pages of crops at 100 %: what fills look like to somebody who looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

from regionwise.evaluation.contact_sheet import Sample

SIDE = 1980
"""Pixels of a page's side at most."""
_GAP, _HEAD = 6, 16
_NARROWEST = 150
"""Pixels of a column at least, so that a title can be read."""


def crop_pages(samples: Sequence[Sample]) -> Iterator[Image.Image]:
    """Truth, hole and each model's fill of each sample, side by side; as many on a page as fit.

    Pictures that would not fit on one page are scaled down, which their titles tell.
    """
    waiting: list[Image.Image] = []
    for sample in samples:
        block = _block(sample)
        if waiting and sum(one.height for one in waiting) + block.height > SIDE:
            yield _stacked(waiting)
            waiting = []
        waiting.append(block)
    if waiting:
        yield _stacked(waiting)


def _stacked(blocks: Sequence[Image.Image]) -> Image.Image:
    size = (max(block.width for block in blocks), sum(block.height for block in blocks))
    page = Image.new("RGB", size, "white")
    top = 0
    for block in blocks:
        page.paste(block, (0, top))
        top += block.height
    return page


def _scale_and_columns(size: tuple[int, int], count: int) -> tuple[float, int]:
    """The largest scale, up to 1, at which so many pictures fit on a page, and in how many columns.

    Of ways that allow the same scale the widest is taken.
    """
    best = (0.0, 1)
    for columns in range(1, min(count, SIDE // (_NARROWEST + _GAP)) + 1):
        lines = -(-count // columns)
        room = (SIDE // columns - _GAP, (SIDE - _HEAD) // lines - _HEAD - _GAP)
        best = max(best, (min(1.0, room[0] / size[0], room[1] / size[1]), columns))
    return best


def _block(sample: Sample) -> Image.Image:
    """The pictures of a sample in as many lines as they need."""
    pictures = {"truth": sample.truth, "hole": sample.input} | sample.answers
    scale, columns = _scale_and_columns(sample.truth.size, len(pictures))
    width, height = sample.truth.size
    tile = (max(int(scale * width), 1), max(int(scale * height), 1))
    step = (max(tile[0], _NARROWEST) + _GAP, tile[1] + _HEAD + _GAP)
    lines = -(-len(pictures) // columns)
    block = Image.new("RGB", (columns * step[0], _HEAD + lines * step[1]), "white")
    draw = ImageDraw.Draw(block)
    draw.text((0, 2), f"{sample.name}, at {scale:.0%}", "black")
    for number, (title, picture) in enumerate(pictures.items()):
        left, top = number % columns * step[0], _HEAD + number // columns * step[1]
        draw.text((left, top + 2), title[-step[0] // 7 :], "black")
        shown = picture if scale == 1 else picture.resize(tile, Image.Resampling.LANCZOS)
        block.paste(shown, (left, top + _HEAD))
    return block
