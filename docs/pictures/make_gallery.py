"""Make the site's pictures before and after, filled by this copy of regionwise.

    python docs/pictures/make_gallery.py [NAME...]      (needs scikit-image, whose photos it takes)

Nothing is picked from several tries and nothing is retouched; what goes wrong is shown too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageFont
from skimage import data

import regionwise

HERE = Path(__file__).parent
GALLERY = HERE / "gallery"
EXAMPLES = HERE.parents[1] / "examples"
WIDTH = 640

Case = tuple[Image.Image, Image.Image, dict[str, Any]]
"""A photo, its mask (white = fill) and options of `regionwise.fill`."""


def example(name: str) -> Case:
    """One of the photos in examples/, with its mask."""
    photo = next(EXAMPLES.joinpath("photos").glob(f"{name}.*"))
    return Image.open(photo).convert("RGB"), Image.open(EXAMPLES / "masks" / f"{name}.png"), {}


def blank(photo: Image.Image) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty mask for a photo, and a pen for it."""
    mask = Image.new("L", photo.size)
    return mask, ImageDraw.Draw(mask)


def stamped(photo: Image.Image, text: str, place: tuple[int, int], size: int, color: str) -> Case:
    """A photo with writing on it, and the writing's mask, three pixels wider."""
    photo = photo.copy()
    font = ImageFont.load_default(size)
    ImageDraw.Draw(photo).text(place, text, fill=color, font=font)
    mask, pen = blank(photo)
    pen.text(place, text, fill=255, font=font, stroke_width=3)
    return photo, mask, {}


def date_stamp() -> Case:
    """The orange date of a compact camera."""
    return stamped(Image.fromarray(data.rocket()), "'98  7 14", (480, 385), 30, "#ff8c1a")


def caption() -> Case:
    """A caption across a photo."""
    photo = Image.fromarray(data.coffee())
    return stamped(photo, "the best coffee in town", (90, 180), 40, "white")


def print_scan() -> Case:
    """A grey print with dust, hairs and a crease."""
    photo = Image.fromarray(data.camera())
    mask, pen = blank(photo)
    chance = Random(0)
    for _ in range(160):
        x, y, r = chance.uniform(0, 512), chance.uniform(0, 512), chance.uniform(0.6, 2.4)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    for _ in range(9):
        x, y = chance.uniform(0, 512), chance.uniform(0, 512)
        steps = [(chance.uniform(-30, 30), chance.uniform(-30, 30)) for _ in range(3)]
        pen.line([(x, y), *((x + a, y + b) for a, b in steps)], fill=255, width=2, joint="curve")
    pen.line([(0, 330), (140, 322), (300, 336), (512, 318)], fill=255, width=5, joint="curve")
    damaged = photo.copy()
    damaged.paste(235, mask=mask)
    return damaged, mask.filter(ImageFilter.MaxFilter(3)), {}


def texture(name: str, model: str) -> Case:
    """A hole in a picture of one texture."""
    photo = Image.fromarray(getattr(data, name)())
    mask, pen = blank(photo)
    pen.ellipse((170, 150, 350, 350), fill=255)
    return photo, mask, {"model": model}


def face() -> Case:
    """A hole that takes the eyes of a face."""
    photo = Image.fromarray(data.astronaut())
    mask, pen = blank(photo)
    pen.rounded_rectangle((178, 78, 270, 130), 16, fill=255)
    return photo, mask, {}


def writing() -> Case:
    """A hole in a page of print."""
    photo = Image.fromarray(data.page())
    mask, pen = blank(photo)
    pen.rounded_rectangle((120, 60, 250, 110), 10, fill=255)
    return photo, mask, {}


def half_a_thing() -> Case:
    """A hole that takes half of the cup."""
    photo = Image.fromarray(data.coffee())
    mask, pen = blank(photo)
    pen.rectangle((300, 60, 480, 330), fill=255)
    return photo, mask, {}


CASES: dict[str, Callable[[], Case]] = {
    "object": lambda: example("rocket"),
    "watermark": lambda: example("coffee"),
    "scratches": lambda: example("chelsea"),
    "whiskers": lambda: example("whiskers"),
    "shuttle": lambda: example("astronaut"),
    "date": date_stamp,
    "caption": caption,
    "print": print_scan,
    "brick": lambda: texture("brick", "auto"),
    "brick_smooth": lambda: texture("brick", "smooth"),
    "grass": lambda: texture("grass", "auto"),
    "gravel": lambda: texture("gravel", "auto"),
    "face": face,
    "writing": writing,
    "half": half_a_thing,
}


def tinted(photo: Image.Image, mask: Image.Image) -> Image.Image:
    """The photo with its hole in pink, lightly, so that what goes can still be seen."""
    photo = photo.convert("RGB")
    weight = mask.convert("L").point(lambda value: value * 2 // 5)
    photo.paste((255, 0, 160), mask=weight)
    return photo


def save(picture: Image.Image, name: str) -> None:
    """Write a picture at the width that the site shows."""
    height = round(picture.height * WIDTH / picture.width)
    picture = picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    picture.save(GALLERY / f"{name}.jpg", quality=84, optimize=True)


def main() -> None:
    """Write NAME_before.jpg and NAME_after.jpg for each case, or for those that are named."""
    GALLERY.mkdir(exist_ok=True)
    for name in sys.argv[1:] or CASES:
        photo, mask, options = CASES[name]()
        seen = photo if name in {"date", "caption", "print"} else tinted(photo, mask)
        save(seen, f"{name}_before")
        save(regionwise.fill(photo, mask, **options), f"{name}_after")
        print(name)


if __name__ == "__main__":
    main()
