"""Sample photos under the names that the pages use."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def _scan() -> tuple[Image.Image, Image.Image]:
    """A small grey picture with bright specks, and their mask."""
    scan = Image.open(EXAMPLES / "photos" / "chelsea.png").convert("L").crop((0, 0, 200, 400))
    scan = scan.resize((200, 400)).point(lambda value: value // 2)
    mask = Image.new("L", scan.size)
    pen = ImageDraw.Draw(mask)
    for place in range(20, 190, 24):
        pen.ellipse((place, 2 * place, place + 3, 2 * place + 3), fill=255)
    scan.paste(250, mask=mask)
    return scan, mask


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A folder in which a reader's commands find what they name."""
    photo = Image.open(EXAMPLES / "photos" / "rocket.jpg")
    mask = Image.open(EXAMPLES / "masks" / "rocket.png").convert("L")
    photo.save(tmp_path / "photo.jpg", quality=92)
    mask.save(tmp_path / "mask.png")
    painted = photo.convert("RGB")
    painted.paste((255, 0, 0), mask=mask)
    painted.save(tmp_path / "painted.jpg", quality=92)
    cutout = photo.convert("RGB").resize((320, 214))
    cutout.putalpha(mask.resize(cutout.size).point(lambda value: 255 - value))
    cutout.save(tmp_path / "cutout.png")

    captioned = Image.open(EXAMPLES / "photos" / "coffee.png").convert("RGB").resize((300, 200))
    pen = ImageDraw.Draw(captioned)
    pen.text((40, 150), "coffee", fill="white", font=ImageFont.load_default(24))
    captioned.save(tmp_path / "captioned.png")

    scan, scan_mask = _scan()
    scan.save(tmp_path / "scan.png")
    scan_mask.save(tmp_path / "scan_mask.png")
    for photos, masks, kind in [("photos", "masks", "jpg"), ("scans", "scratches", "png")]:
        (tmp_path / photos).mkdir()
        (tmp_path / masks).mkdir()
        for name in "ab":
            source, hole = (photo, mask) if kind == "jpg" else (scan, scan_mask)
            source.resize((320, 214)).save(tmp_path / photos / f"{name}.{kind}")
            hole.resize((320, 214)).save(tmp_path / masks / f"{name}.png")
    mask.resize((320, 214)).save(tmp_path / "watermark.png")
    mask.resize((320, 214)).save(tmp_path / "logo.png")
    shutil.copytree(tmp_path / "photos", tmp_path / "frames")

    chance = np.random.default_rng(0)
    (tmp_path / "my_photos").mkdir()
    large = Image.open(EXAMPLES / "photos" / "astronaut.jpg")
    for number in range(40):
        x, y = (int(place) for place in chance.integers(0, 384, 2))
        large.crop((x, y, x + 128, y + 128)).save(tmp_path / "my_photos" / f"{number}.png")
    for folder in ("examples", "recipes", "benchmarks"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path
