"""The page without a server: what it fills is what Python fills; it works offline."""

import functools
import http.server
import importlib.util
import io
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.page_user import BROWSER, Page, expect, upload
from tests.support.photo_files import saved, smooth
from tests.support.pictures import open_picture

import regionwise
from regionwise.weights import bundled

RUNTIME = os.environ.get("REGIONWISE_ORT_WEB")
"""A folder with onnxruntime-web's files; without it they are taken from npm."""

pytestmark = [
    *BROWSER,
    pytest.mark.slow,
    pytest.mark.skipif(not (RUNTIME or shutil.which("npm")), reason="no npm here"),
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    source = Path(__file__).parents[2] / "docs" / "demo" / "build.py"
    specification = importlib.util.spec_from_file_location("demo_build", source)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.build(folder, Path(RUNTIME) if RUNTIME else None)
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def demo(browser, site):
    context = browser.new_context(viewport={"width": 1200, "height": 760}, accept_downloads=True)
    context.set_default_timeout(120_000)
    page, troubles = context.new_page(), []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "request",
        lambda sent: (
            None if sent.url.startswith((site, "blob:", "data:")) else troubles.append(sent)
        ),
    )
    page.goto(site)
    yield Page(page).ready()
    context.close()
    assert troubles == []


def filled_in(page, color, mask):
    page.open(upload(saved(Image.fromarray(color), "PNG"), "photo.png"))
    page.set("#grow", 0)
    page.set_input_files("#mask-file", [upload(saved(Image.fromarray(mask), "PNG"), "mask.png")])
    expect(page.locator("#status")).to_have_text("")
    page.fill()
    name, data = page.download()
    assert name == "photo_filled.png"
    return np.asarray(open_picture(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((201, 303), (40, 50, 90, 60)),  # one window, the whole photo
        ((700, 900), (600, 300, 70, 110)),  # a window of the photo
        ((600, 1300), (100, 290, 1000, 9)),  # several that overlap
    ],
)
def test_fills_as_python_does(demo, size, box):
    color = smooth(*size)
    mask = np.zeros(size, bool)
    x, y, width, height = box
    mask[y : y + height, x : x + width] = True
    mask[y : y + 5, x : x + 5] = False
    found = filled_in(demo, color, mask)
    wanted = regionwise.fill(color, mask, bundled.FOLDER / "small.onnx", large="window")
    assert np.array_equal(found[~mask], color[~mask])
    difference = np.abs(found.astype(int) - wanted)[mask]
    assert difference.max() <= 1


def test_it_works_offline(demo):
    while not demo.evaluate("navigator.serviceWorker.controller !== null"):
        demo.wait_for_timeout(100)  # its policy forbids what wait_for_function does
    demo.reload()
    demo.ready()
    assert demo.evaluate("self.crossOriginIsolated")
    demo.context.set_offline(True)
    demo.reload()
    demo.ready()
    demo.get_by_role("button", name="Try it with this photo").click()
    expect(demo.locator("#photo-name")).to_have_text("rocket.png")
    demo.drag((450, 150), (455, 300))
    demo.fill()
