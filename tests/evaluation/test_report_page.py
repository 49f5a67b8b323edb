"""The report in a real browser: the slider, on a desk and on a phone."""

import os
import shutil
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.support.pictures import open_picture

from regionwise.evaluation.contact_sheet import Sample
from regionwise.evaluation.metrics.metric import Score
from regionwise.evaluation.plan import Plan
from regionwise.evaluation.report import html_report
from regionwise.evaluation.rows import Row
from regionwise.evaluation.tables import make_tables

playwright_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")

CHROMIUM = os.environ.get("REGIONWISE_CHROMIUM") or shutil.which("chromium")
MODELS = ["a model", "<b>another</b>", "third", "fourth", "the fifth of them"]
SIZES = {
    "desk": {"viewport": {"width": 1200, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 760}, "is_mobile": True, "has_touch": True},
}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; apt install chromium")


class Named:
    name = "10-20%"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    plan = Plan("p", "P", "", (Named(),), (), "")
    rows = [
        Row(photo, "10-20%", "0", model, {"psnr": 20.0 + number})
        for number, photo in enumerate("abc")
        for model in MODELS
    ]
    tables = make_tables(rows, plan, MODELS, [Score("psnr", "PSNR (dB)", "higher", digits=2)])
    white, black, grey = (Image.new("RGB", (64, 64), c) for c in ("white", "black", "grey"))
    sample = Sample("photo 1, 10-20%", white, grey, black, dict.fromkeys(MODELS, black))
    record = {"command": "regionwise evaluate " + "x" * 300, "seconds": {"a": 0.12345}, "notes": []}
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(html_report("<title> & more", record, tables, [sample], ["<failed>"]))
    return file


@pytest.fixture(scope="module")
def browser():
    with playwright_api.sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture(params=SIZES)
def page(browser, report, request):
    context = browser.new_context(**SIZES[request.param])
    page, troubles = context.new_page(), []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text))
    page.on("requestfailed", lambda failed: troubles.append(failed.url[:80]))
    page.goto(report.as_uri())
    yield page
    context.close()
    assert not troubles


def colors(page):
    """The first slider as seen: its pixel at a quarter and at three quarters of the width."""
    place = page.locator(".slider img").first.bounding_box()
    seen = np.asarray(open_picture(BytesIO(page.screenshot(clip=place))).convert("L"), int)
    height, width = seen.shape
    return seen[height // 4, width // 4], seen[height // 4, 3 * width // 4]


def test_slider_is_dragged_over_the_picture(page):
    slider = page.locator(".slider input").first
    slider.scroll_into_view_if_needed()
    assert colors(page) == (255, 0)
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=5)
    page.mouse.up()
    assert colors(page) == (255, 255)


def test_slider_moves_by_keys(page):
    slider = page.locator(".slider input").first
    slider.focus()
    for _ in range(5):
        slider.press("ArrowLeft")
    assert slider.input_value() == "45"
    slider.press("Home")
    assert colors(page) == (0, 0)


def test_truth_instead_of_input(page):
    page.get_by_label("truth").check()
    page.locator(".slider input").first.scroll_into_view_if_needed()
    left, right = colors(page)
    assert abs(left - 128) < 3
    assert right == 0


def test_nothing_is_wider_than_the_page(page):
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_names_are_text_and_not_markup(page):
    assert page.locator("h1").inner_text() == "<title> & more"
    assert "<b>another</b>" in page.locator("th").all_inner_texts()
    assert "<failed>" in page.locator(".error").inner_text()
    made = page.locator(".made").inner_text()
    assert "a: 0.123" in made
    assert "{" not in made
