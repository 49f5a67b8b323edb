"""The page as a user meets it, in Chromium by Playwright; and what the tests paint on."""

from __future__ import annotations

import os
import shutil
from itertools import pairwise

import numpy as np
import pytest
from tests.support.photo_files import file_of, noise

from regionwise.photos.reading import read_photo

pytest.importorskip("playwright", reason="pip install playwright")

from playwright.sync_api import expect

__all__ = ["expect"]

CHROMIUM = os.environ.get("REGIONWISE_CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; apt install chromium"),
]
DESKTOP = {"viewport": {"width": 1200, "height": 760}, "accept_downloads": True}
PHONE = {
    "viewport": {"width": 390, "height": 760},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}

HEIGHT, WIDTH = 240, 320


def photo_file(seed=0, height=HEIGHT, width=WIDTH):
    """Of noise in 16 bits: a filled pixel is never what it was."""
    return file_of("PNG", "RGB16", noise("RGB16", height, width, seed), 1)


def upload(data, name="noise.png", kind="image/png"):
    return {"name": name, "mimeType": kind, "buffer": data}


def distance_to(points, height=HEIGHT, width=WIDTH):
    """Of each pixel's centre to a polyline."""
    y, x = np.mgrid[:height, :width] + 0.5
    nearest = np.full((height, width), np.inf)
    for (x0, y0), (x1, y1) in pairwise(points):
        length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-9)
        along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
        distance = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
        nearest = np.minimum(nearest, distance)
    return nearest


class Page:
    """The page as a user meets it."""

    def __init__(self, page):
        self.page = page
        self.session = None

    def __getattr__(self, name):
        return getattr(self.page, name)

    def ready(self):
        self.page.wait_for_selector("body[data-ready]")
        return self

    def open(self, *files):
        self.ready()
        self.page.set_input_files("#file", list(files))
        self.page.wait_for_selector("body:not(.empty)")
        self.page.wait_for_selector("#stage[data-scale]")
        name = files[0]["name"]
        expect(self.page.locator("#status")).to_have_text("")
        expect(self.page.locator("#photo-name")).to_have_text(name)
        return self

    @property
    def view(self):
        stage = self.page.locator("#stage")
        return [float(stage.get_attribute(f"data-{name}")) for name in ("scale", "x", "y")]

    def at(self, x, y):
        """Where a place of the photo is on the screen."""
        box = self.page.locator("#stage").bounding_box()
        scale, left, top = self.view
        return box["x"] + left + x * scale, box["y"] + top + y * scale

    def drag(self, *places, **options):
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down(**options)
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place), steps=6)
        self.page.mouse.up(**options)

    def send(self, command, **arguments):
        """Speak to the browser below Playwright, which knows no fingers that move and no pens."""
        if self.session is None:
            self.session = self.page.context.new_cdp_session(self.page)
        self.session.send(command, arguments)

    def touch(self, kind, *places):
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def set(self, name, value):
        self.page.evaluate(
            """([name, value]) => {
                const input = document.querySelector(name);
                input.value = value;
                input.dispatchEvent(new Event("input"));
                input.dispatchEvent(new Event("change"));
            }""",
            [name, str(value)],
        )

    def fill(self, number=1):
        self.page.locator("#fill").click()
        self.filled(number)

    def filled(self, number):
        self.page.wait_for_selector(
            f"#history li:nth-child({number + 1}) [aria-current]", state="attached"
        )
        self.page.wait_for_selector("#fill:visible")

    def download(self):
        with self.page.expect_download() as waiting:
            self.page.locator("header [data-action=download]").click()
        return waiting.value.suggested_filename, waiting.value.path().read_bytes()

    def changed(self, original, number=1):
        """What the fill made new, height×width bool."""
        name, data = self.download()
        assert name == "noise_filled.png"
        before, after = read_photo(original), read_photo(data)
        assert after.color.dtype == np.uint16
        return (before.color != after.color).any(axis=2)
