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
from playwright.sync_api import Page, sync_playwright

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


def main() -> None:
    """Write web_desktop.jpg, web_compare.jpg and web_phone.jpg."""
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
