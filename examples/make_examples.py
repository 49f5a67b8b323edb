"""Make the example photos and masks from the photos that scikit-image ships.

    python examples/make_examples.py        (needs scikit-image)

The result is committed; this script says how it came about. Credits: examples/README.md.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

HERE = Path(__file__).parent

WHISKERS = [
    [(0, 151), (20, 144), (52, 139)],
    [(0, 141), (27, 137), (50, 134)],
    [(0, 223), (33, 216), (74, 214), (117, 216), (157, 220)],
    [(0, 256), (40, 243), (84, 234), (144, 230)],
    [(0, 298), (33, 277), (84, 258), (134, 244), (164, 239)],
    [(27, 299), (67, 275), (110, 254), (141, 244)],
    [(57, 299), (100, 275), (141, 256), (172, 245)],
    [(80, 299), (110, 278), (144, 259), (161, 251)],
    [(102, 299), (131, 276), (157, 261), (186, 248)],
    [(127, 299), (147, 280), (167, 261)],
    [(146, 299), (161, 280), (181, 261)],
    [(157, 299), (167, 285), (177, 271)],
    [(172, 299), (179, 285), (186, 273)],
    [(313, 228), (352, 228), (388, 221)],
    [(318, 239), (352, 246), (395, 265)],
    [(321, 236), (355, 238), (382, 244)],
]
"""In pixels of the photo, by hand."""


def save(name: str, photo: Image.Image, mask: Image.Image) -> None:
    suffix = "jpg" if name in {"astronaut", "rocket", "whiskers"} else "png"
    photo.save(HERE / "photos" / f"{name}.{suffix}", quality=92, optimize=True)
    mask.save(HERE / "masks" / f"{name}.png", optimize=True)


def blank(photo: Image.Image) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    mask = Image.new("1", photo.size)
    return mask, ImageDraw.Draw(mask)


def astronaut() -> None:
    """An object to remove: the model of the space shuttle."""
    photo = Image.fromarray(data.astronaut())
    mask, draw = blank(photo)
    outline = [(380, 0), (448, 0), (468, 50), (468, 190), (490, 262), (490, 295), (346, 295)]
    draw.polygon([*outline, (336, 230), (364, 140), (366, 70), (380, 40)], fill=1)
    save("astronaut", photo, mask)


def rocket() -> None:
    """Another one: the tower on the right of the rocket."""
    photo = Image.fromarray(data.rocket())
    mask, draw = blank(photo)
    draw.polygon([(436, 116), (458, 116), (468, 190), (486, 372), (424, 372), (436, 190)], fill=1)
    save("rocket", photo, mask)


def chelsea() -> None:
    """Scratches, as on an old print."""
    photo = Image.fromarray(data.chelsea())
    mask, draw = blank(photo)
    rng = np.random.default_rng(4)
    for _ in range(9):
        point, direction = rng.uniform((0, 0), photo.size), rng.uniform(0, 2 * np.pi)
        path = [tuple(point)]
        for _ in range(rng.integers(8, 20)):
            direction += rng.normal(0, 0.15)
            point = point + 18 * np.array([np.cos(direction), np.sin(direction)])
            path.append(tuple(point))
        draw.line(path, fill=1, width=int(rng.integers(2, 5)))
    photo.paste((235, 230, 220), mask=mask)
    save("chelsea", photo, mask)


def whiskers() -> None:
    """A face shaved: the nearest that these photos have to the papers' beard."""
    photo = Image.fromarray(data.chelsea())
    mask, draw = blank(photo)
    for path in WHISKERS:
        draw.line(path, fill=1, width=5, joint="curve")
    save("whiskers", photo, mask)


def coffee() -> None:
    """A watermark."""
    photo = Image.fromarray(data.coffee())
    mask, draw = blank(photo)
    font = ImageFont.load_default(52)
    for top in (40, 175, 310):
        draw.text((60 + top // 3, top), "SAMPLE  PHOTO", fill=1, font=font, stroke_width=1)
    marked = Image.blend(photo, Image.new("RGB", photo.size, "white"), 0.75)
    photo.paste(marked, mask=mask)
    save("coffee", photo, mask)


if __name__ == "__main__":
    for make in (astronaut, rocket, chelsea, whiskers, coffee):
        make()
