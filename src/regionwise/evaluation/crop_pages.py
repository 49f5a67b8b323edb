"""Pages of crops at 100 %: what fills look like to somebody who looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

from regionwise.evaluation.contact_sheet import Sample

SIDE = 1980
"""Pixels of a page's side at most."""
_TILE = 480
_GAP, _HEAD = 6, 16


def crop_pages(samples: Sequence[Sample]) -> Iterator[Image.Image]:
    """Truth, hole and each model's fill of each sample, side by side; as many on a page as fit.

    Pictures of more than 480 pixels a side are scaled down to that, which their titles tell.
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


def _block(sample: Sample) -> Image.Image:
    """The pictures of a sample in as many lines as they need."""
    pictures = {"truth": sample.truth, "hole": sample.input} | sample.answers
    width, height = sample.truth.size
    scale = min(1.0, _TILE / max(width, height))
    tile = (max(round(scale * width), 1), max(round(scale * height), 1))
    step = (max(tile[0], 150) + _GAP, tile[1] + _HEAD + _GAP)
    columns = min(SIDE // step[0], len(pictures))
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
