"""Make the README's picture: examples before and after, filled by the bundled network.

python docs/pictures/make_before_after.py
"""

from pathlib import Path

from PIL import Image

import regionwise

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
SIZE = (480, 320)


def main() -> None:
    """Write before_after.jpg: a row for each example, before on the left."""
    rows = [("rocket", "jpg"), ("coffee", "png")]
    sheet = Image.new("RGB", (2 * SIZE[0] + 8, len(rows) * (SIZE[1] + 8) - 8), "white")
    for number, (name, suffix) in enumerate(rows):
        photo = EXAMPLES / "photos" / f"{name}.{suffix}"
        mask = EXAMPLES / "masks" / f"{name}.png"
        after = regionwise.fill(photo, mask)
        before = Image.open(photo).convert("RGB")
        tint = Image.new("RGB", before.size, (255, 0, 160))
        weight = Image.open(mask).convert("L").point(lambda value: value * 2 // 5)
        before.paste(tint, mask=weight)
        for column, picture in enumerate((before, after.convert("RGB"))):
            place = (column * (SIZE[0] + 8), number * (SIZE[1] + 8))
            sheet.paste(picture.resize(SIZE, Image.Resampling.LANCZOS), place)
    sheet.save(HERE / "before_after.jpg", quality=88, optimize=True)


if __name__ == "__main__":
    main()
