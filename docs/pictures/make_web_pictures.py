"""Make the pictures of the page from the page itself, in Chromium.

python docs/pictures/make_web_pictures.py    (needs regionwise[dev], and apt install chromium)
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
PHOTOS = HERE.parent.parent / "examples" / "photos"
CHROMIUM = os.environ.get("REGIONWISE_CHROMIUM") or shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 800},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
TOWER = [
    (451, 120),
    (452, 200),
    (456, 280),
    (459, 345),
    (461, 402),
]  # what goes, in pixels of rocket.jpg


SIZES = [
    (width, height, scheme)
    for scheme in ("light", "dark")
    for width, height in ((1440, 900), (834, 900), (390, 844), (320, 640))
]


def main() -> None:
    """Write web_desktop.jpg, web_compare.jpg, web_phone.jpg and web_sizes.jpg."""
    with server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(color_scheme="light", **DESKTOP).new_page()
        open_photo(page, address)
        paint(page, 68)
        keep(page, "web_desktop")
        fill(page)
        page.locator("#compare-button").click()
        page.mouse.move(5, 5)
        page.wait_for_timeout(500)
        keep(page, "web_compare")
        page = browser.new_context(color_scheme="dark", **PHONE).new_page()
        open_photo(page, address)
        paint(page, 29)
        keep(page, "web_phone", width=390)
        sheet([picture(browser, address, *one) for one in SIZES], "web_sizes")
        browser.close()


@contextmanager
def server() -> Iterator[str]:
    """`regionwise serve` on a port of its own."""
    arguments = [sys.executable, "-m", "regionwise", "serve", "--port", "0", "--no-open"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found.group()
    finally:
        process.terminate()
        process.wait()


def picture(browser: Browser, address: str, width: int, height: int, scheme: Any) -> Image.Image:
    """The page with a painted photo at a size."""
    touch = width < 1000
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        has_touch=touch,
        is_mobile=touch,
    )
    page = context.new_page()
    open_photo(page, address)
    scale = float(page.locator("#stage").get_attribute("data-scale") or 1)
    paint(page, round(45 * scale))
    seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    return seen


def sheet(pictures: list[Image.Image], name: str, height: int = 420, columns: int = 4) -> None:
    """Write pictures side by side, in rows of four."""
    small = [one.resize((round(one.width * height / one.height), height)) for one in pictures]
    rows = [small[start : start + columns] for start in range(0, len(small), columns)]
    width = max(sum(one.width + 12 for one in row) + 12 for row in rows)
    whole = Image.new("RGB", (width, len(rows) * (height + 12) + 12), (128, 132, 140))
    for number, row in enumerate(rows):
        left = 12
        for one in row:
            whole.paste(one, (left, 12 + number * (height + 12)))
            left += one.width + 12
    whole.save(HERE / f"{name}.jpg", quality=86, optimize=True, subsampling=0)


def open_photo(page: Page, address: str) -> None:
    """Open the photo of a rocket."""
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    page.set_input_files("#file", str(PHOTOS / "rocket.jpg"))
    page.wait_for_selector("#stage[data-scale]")
    page.wait_for_timeout(800)


def paint(page: Page, size: int) -> None:
    """Paint over the right tower with a brush of so many screen pixels."""
    page.locator("#size").fill(str(size))
    stage = page.locator("#stage")
    box = stage.bounding_box()
    assert box is not None
    scale, x, y = (float(stage.get_attribute(f"data-{name}") or 0) for name in ("scale", "x", "y"))
    places = [(box["x"] + x + a * scale, box["y"] + y + b * scale) for a, b in TOWER]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()
    page.wait_for_timeout(300)


def fill(page: Page) -> None:
    """Press the button and wait for the result."""
    page.locator("#fill").click()
    page.wait_for_selector("#history li:nth-child(2)", timeout=60_000)
    page.wait_for_timeout(800)


def keep(page: Page, name: str, width: int = 1280) -> None:
    """Write what is seen as a JPEG."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    height = round(picture.height * width / picture.width)
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    picture.save(HERE / f"{name}.jpg", quality=86, optimize=True, subsampling=0)


if __name__ == "__main__":
    main()
