"""Labelled rows of small pictures, drawn as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from regionwise.arrays import Bytes

_MARGIN = 28
_GAP = 12
_SECTION_GAP = 30
_INK, _FAINT, _FRAME = (24, 24, 27), (105, 105, 112), (212, 212, 216)


@dataclass(frozen=True)
class Tile:
    """A picture, H×W×3, with a short caption under it."""

    picture: Bytes
    caption: str = ""


@dataclass(frozen=True)
class PanelSection:
    """A title, a line that says what is seen, and rows of tiles, each with a name at its left.

    Attributes:
        columns: names over the tiles.
        height: of a tile in pixels; its width follows from its shape.
    """

    title: str
    note: str
    rows: Sequence[tuple[str, Sequence[Tile]]]
    columns: Sequence[str] = ()
    height: int = 150


def draw_panel(title: str, sections: Sequence[PanelSection]) -> Image.Image:
    """Draw sections below one another on white."""
    fonts = _Fonts()
    labels = max(
        (fonts.row.getlength(name) for section in sections for name, _ in section.rows), default=0
    )
    left = _MARGIN + (int(labels) + 2 * _GAP if labels else 0)
    widths = [
        left + sum(_width(tile, section) + _GAP for tile in tiles) - _GAP + _MARGIN
        for section in sections
        for _, tiles in section.rows
    ]
    texts = [
        fonts.note.getlength(line) + 2 * _MARGIN
        for section in sections
        for line in section.note.split("\n")
    ]
    width = round(max([*widths, *texts, fonts.title.getlength(title) + 2 * _MARGIN]))
    height = 2 * _MARGIN + 40 + sum(map(_height, sections)) + _SECTION_GAP * (len(sections) - 1)
    panel = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(panel)
    draw.text((_MARGIN, _MARGIN), title, _INK, fonts.title)
    top = _MARGIN + 40
    for section in sections:
        _draw_section(panel, draw, section, left, top, fonts)
        top += _height(section) + _SECTION_GAP
    return panel


class _Fonts:
    """Pillow's own font, in the sizes used. It has Latin letters alone: no ×, no Greek."""

    def __init__(self) -> None:
        self.title, self.section, self.row, self.note, self.caption = (
            _font(size) for size in (24, 18, 15, 13, 12)
        )


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _width(tile: Tile, section: PanelSection) -> int:
    rows, columns = tile.picture.shape[:2]
    return max(1, round(section.height * int(columns) / int(rows)))


def _head(section: PanelSection) -> int:
    lines = section.note.count("\n") + 1
    return 32 + 18 * lines + (20 if section.columns else 4)


def _row_height(section: PanelSection, tiles: Sequence[Tile]) -> int:
    return section.height + (22 if any(tile.caption for tile in tiles) else 6)


def _height(section: PanelSection) -> int:
    return _head(section) + sum(_row_height(section, tiles) for _, tiles in section.rows)


def _draw_section(
    panel: Image.Image,
    draw: ImageDraw.ImageDraw,
    section: PanelSection,
    left: int,
    top: int,
    fonts: _Fonts,
) -> None:
    draw.text((_MARGIN, top), section.title, _INK, fonts.section)
    draw.multiline_text((_MARGIN, top + 28), section.note, _FAINT, fonts.note, spacing=4)
    top += _head(section)
    for number, (name, tiles) in enumerate(section.rows):
        draw.text((_MARGIN, top + section.height // 2), name, _INK, fonts.row, anchor="lm")
        x = left
        for column, tile in enumerate(tiles):
            width = _width(tile, section)
            if number == 0 and column < len(section.columns):
                name_of_column = section.columns[column]
                draw.text(
                    (x + width // 2, top - 4), name_of_column, _INK, fonts.caption, anchor="mb"
                )
            panel.paste(_fitted(tile.picture, width, section.height), (x, top))
            draw.rectangle((x - 1, top - 1, x + width, top + section.height), outline=_FRAME)
            draw.text(
                (x + width // 2, top + section.height + 4),
                tile.caption,
                _FAINT,
                fonts.caption,
                anchor="mt",
            )
            x += width + _GAP
        top += _row_height(section, tiles)


def _fitted(picture: Bytes, width: int, height: int) -> Image.Image:
    """Scaled: what is small shows its pixels as squares, what is large is averaged."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    grows = width >= image.width and height >= image.height
    way = Image.Resampling.NEAREST if grows else Image.Resampling.LANCZOS
    return image.resize((width, height), way)
