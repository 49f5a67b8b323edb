"""The page in a real browser: painted, filled, compared, downloaded; by mouse, touch and keys."""

import io
import re
import time
import zipfile

import numpy as np
import pytest
from tests.support.page_user import (
    BROWSER,
    DESKTOP,
    HEIGHT,
    PHONE,
    WIDTH,
    distance_to,
    expect,
    photo_file,
    upload,
)
from tests.support.photo_files import file_of, noise, smooth
from tests.support.pictures import open_picture
from tests.support.running_server import running

from regionwise.engines.classical_engine import MembraneEngine
from regionwise.photos.reading import read_photo
from regionwise.web import context as web_context
from regionwise.web import jobs as web_jobs
from regionwise.web.settings import ServerSettings

pytestmark = BROWSER


def test_paint_undo_fill_compare_download(open_page):
    original = photo_file()
    page = open_page().open(upload(original))
    page.set("#grow", 0)
    fill = page.locator("#fill")
    expect(fill).to_be_disabled()
    page.drag((30, 30), (90, 40))
    expect(fill).to_be_enabled()
    page.keyboard.press("Control+z")
    expect(fill).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    expect(fill).to_be_enabled()
    page.keyboard.press("Control+z")
    path = [(100, 60), (200, 110), (180, 190)]
    page.drag(*path)
    page.fill()

    radius = 20 / page.view[0]
    distance = distance_to(path)
    changed = page.changed(original)
    assert not changed[distance > radius + 1].any()
    assert changed[distance < radius - 1].all()

    before = page.screenshot()
    page.keyboard.down("x")
    page.wait_for_function("document.querySelector('#stage').classList.contains('original')")
    page.wait_for_timeout(100)
    assert page.screenshot() != before
    page.keyboard.up("x")
    page.locator("#compare-button").click()
    slider = page.get_by_label("Border between before and after")
    expect(slider).to_be_visible()
    slider.press("End")
    assert page.locator("#compare-line").evaluate("line => line.style.left") == "100%"
    page.keyboard.press("Escape")
    expect(slider).to_be_hidden()

    page.keyboard.press("Control+z")  # the fill itself: the mask is there again
    expect(page.locator("#history li").first.locator("button")).to_have_attribute(
        "aria-current", "true"
    )
    expect(fill).to_be_enabled()
    assert page.download() == ("noise.png", original)


def test_rectangle_eraser_lasso_and_invert(open_page):
    original = photo_file()
    page = open_page().open(upload(original))
    page.set("#grow", 0)
    wanted = np.zeros((HEIGHT, WIDTH), bool)
    page.get_by_role("radio", name="Rectangle").click()
    page.drag((40, 50), (140, 110))
    wanted[50:110, 40:140] = True
    page.keyboard.down("Alt")
    page.drag((60, 70), (90, 90))
    page.keyboard.up("Alt")
    wanted[70:90, 60:90] = False
    page.keyboard.press("l")
    triangle = [(200, 60), (300, 60), (200, 160)]
    page.drag(*triangle, triangle[0])
    page.keyboard.press("i")
    page.fill()
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    inside = (x > 200) & (y > 60) & (x + y < 360)
    wanted |= inside
    near_border = distance_to([*triangle, triangle[0]]) < 1.5
    changed = page.changed(original)
    assert np.array_equal(changed[~near_border], ~wanted[~near_border])


def test_eraser_and_clear(open_page):
    page = open_page().open(upload(photo_file()))
    page.drag((100, 100), (140, 100))
    page.get_by_role("radio", name="Eraser").click()
    page.set("#size", 200)
    page.drag((80, 100), (160, 100))
    page.locator("#fill").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is painted yet")
    page.locator("[data-action=clear]").click()
    expect(page.locator("#fill")).to_be_disabled()


def test_touch_paints_and_two_fingers_zoom(open_page):
    original = photo_file()
    page = open_page(PHONE).open(upload(original))
    page.set("#grow", 0)
    path = [(100, 80), (160, 120)]
    page.touch("touchStart", page.at(*path[0]))
    for part in (0.25, 0.5, 0.75, 1):
        page.touch("touchMove", page.at(100 + 60 * part, 80 + 40 * part))
    page.touch("touchEnd")
    radius = 20 / page.view[0]
    scale, *_ = page.view
    (x0, y0), (x1, y1) = page.at(140, 120), page.at(180, 120)
    page.touch("touchStart", (x0, y0))
    page.touch("touchStart", (x0, y0), (x1, y1))
    for step in range(1, 6):
        page.touch("touchMove", (x0 - 8 * step, y0), (x1 + 8 * step, y1))
    page.touch("touchEnd")
    page.wait_for_timeout(100)
    assert page.view[0] / scale == pytest.approx((x1 - x0 + 80) / (x1 - x0), rel=0.05)
    page.fill()
    distance = distance_to(path)
    changed = page.changed(original)  # the pinch painted nothing
    assert not changed[distance > radius + 1].any()
    assert changed[distance < radius - 1].all()


def test_a_pens_pressure_changes_the_size(open_page):
    original = photo_file()
    page = open_page().open(upload(original))
    page.set("#grow", 0)
    page.set("#size", 80)
    for kind, x, y in (
        ("mousePressed", 60, 60),
        ("mouseMoved", 100, 60),
        ("mouseReleased", 100, 60),
    ):
        left, top = page.at(x, y)
        options = {"button": "left", "clickCount": 1, "pointerType": "pen", "force": 0.2}
        page.send("Input.dispatchMouseEvent", type=kind, x=left, y=top, buttons=1, **options)
    page.fill()
    radius = 40 / page.view[0] * (0.3 + 0.7 * 0.2)
    distance = distance_to([(60, 60), (100, 60)])
    changed = page.changed(original)
    assert not changed[distance > radius + 1].any()
    assert changed[distance < radius - 1].all()


def test_zoom_and_move(open_page):
    page = open_page().open(upload(photo_file()))
    fitted = page.view
    place = page.at(50, 60)
    page.mouse.move(*place)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(60)
    assert page.view[0] > 1.5 * fitted[0]
    assert page.at(50, 60) == pytest.approx(place, abs=1)
    page.keyboard.down("Space")
    page.mouse.down()
    page.mouse.move(place[0] + 70, place[1] + 30, steps=3)
    page.mouse.up()
    page.keyboard.up("Space")
    page.wait_for_timeout(60)
    assert page.at(50, 60) == pytest.approx((place[0] + 70, place[1] + 30), abs=1)
    expect(page.locator("#fill")).to_be_disabled()  # nothing was painted
    page.locator("#stage").focus()
    left = page.view[1]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("1")
    page.wait_for_timeout(60)
    assert page.view[0] == pytest.approx(1)
    assert page.view[1] != left
    page.keyboard.press("0")
    page.wait_for_timeout(60)
    assert page.view == pytest.approx(fitted)


def test_fill_again_history_and_reload(open_page):
    page = open_page().open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    page.fill(1)
    page.drag((150, 150), (200, 150))
    page.fill(2)
    expect(page.locator("#fill")).to_have_text("Fill again")
    page.fill(3)
    page.get_by_role("button", name=re.compile("Fill 1")).click()
    expect(page.locator("#history li:nth-child(2) button")).to_have_attribute(
        "aria-current", "true"
    )
    _, first = page.download()
    page.drag((250, 200), (280, 210))
    page.wait_for_timeout(400)  # until the work is kept
    page.reload()
    page.ready()
    expect(page.locator("#history li")).to_have_count(4)
    expect(page.locator("#history li:nth-child(2) button")).to_have_attribute(
        "aria-current", "true"
    )
    assert page.download()[1] == first
    expect(page.locator("#fill")).to_have_text("Fill")  # a mask is painted
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator("#history li:nth-child(4) button")).to_have_attribute(
        "aria-current", "true"
    )


def test_a_server_that_forgot_gets_the_photo_again(open_page, client):
    page = open_page().open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    page.wait_for_timeout(400)
    client.app.state.context.store._photos.clear()
    page.reload()
    page.ready()
    expect(page.locator("#notices")).to_contain_text("sent again")
    client.app.state.context.store._photos.clear()
    page.fill(1)  # it is sent again without a reload too


def test_fill_on_release(open_page):
    page = open_page().open(upload(photo_file()))
    page.get_by_label("Fill when I let go").check()
    page.drag((60, 60), (100, 60))
    page.filled(1)
    page.drag((60, 160), (100, 160))
    page.filled(2)


def test_a_word_and_its_seed_are_sent(open_page, monkeypatch):
    asked = []

    def fill_found(photo, found, engine, options, **more):
        asked.append(options)
        return jobs_fill_found(photo, found, engine, options, **more)

    jobs_fill_found = web_jobs.fill_found
    monkeypatch.setattr(web_jobs, "fill_found", fill_found)
    page = open_page().open(upload(photo_file()))
    page.page.get_by_role("radio", name="Sharp").click()
    page.set("#seed", 7)
    page.drag((60, 60), (100, 60))
    page.fill(1)
    assert [(options.model, options.seed) for options in asked] == [("sharp", 7)]
    expect(page.locator("#history")).to_contain_text("Sharp")


def test_several_photos_get_one_mask(open_page):
    names = ["one.png", "two.png", "wide.png"]
    data = [photo_file(1), photo_file(2), photo_file(3, HEIGHT, 2 * WIDTH)]
    page = open_page().open(*map(upload, data, names))
    page.set("#grow", 0)
    expect(page.locator("#photos li")).to_have_count(3)
    page.get_by_text("Rectangle by numbers").click()
    for name, value in {"x": 30, "y": 40, "width": 50, "height": 20}.items():
        page.locator(f"#box-form [name={name}]").fill(str(value))
    page.get_by_role("button", name="Add to the mask").click()
    page.get_by_role("button", name="Use this mask on all").click()
    page.get_by_role("button", name="Fill all painted").click()
    expect(page.locator("#notices")).to_contain_text("All photos are filled")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download all").click()
    archive = zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))
    assert archive.namelist() == ["one_filled.png", "two_filled.png", "wide_filled.png"]
    for name, before, factor in zip(archive.namelist(), data, (1, 1, 2), strict=True):
        changed = (read_photo(archive.read(name)).color != read_photo(before).color).any(axis=2)
        wanted = np.zeros_like(changed)
        wanted[40:60, 30 * factor : 80 * factor] = True
        assert np.array_equal(changed, wanted)
    page.keyboard.press("PageDown")
    expect(page.locator("#photo-name")).to_have_text("two.png")
    page.get_by_role("button", name="Remove two.png").click()
    expect(page.locator("#photos li")).to_have_count(2)


def test_a_fill_can_be_cancelled(open_page, monkeypatch):
    class Slow(MembraneEngine):
        def fill(self, images, masks):
            time.sleep(0.3)
            return super().fill(images, masks)

    monkeypatch.setattr(web_context, "load_model", lambda *_, **__: Slow())
    with running(ServerSettings(workers=1)) as client:
        wide = file_of("PNG", "RGB", smooth(600, 4000), 1)
        page = open_page(url=str(client.base_url)).open(upload(wide))
        page.get_by_role("radio", name="Rectangle").click()
        page.drag((10, 200), (3990, 400))  # ten windows
        page.locator("#fill").click()
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#status")).to_have_text("Stopped.")
        expect(page.locator("#fill")).to_be_enabled()
        while client.app.state.context.queue.taken:
            page.wait_for_timeout(20)
        assert page.locator("#history li").count() <= 1


def test_transparent_pixels_are_filled_without_painting(open_page):
    samples = noise("RGBA", 80, 90)
    page = open_page().open(upload(file_of("PNG", "RGBA", samples, 1)))
    page.set("#grow", 0)
    page.fill()
    _, data = page.download()
    after = np.asarray(open_picture(io.BytesIO(data)))
    known = samples[..., 3] >= 128
    assert np.array_equal(after[known], samples[known])
    assert (after[~known][:, 3] == 255).all()


def test_errors_are_told_in_words(open_page):
    page = open_page().ready()
    page.set_input_files("#file", [upload(b"no picture", "words.png")])
    expect(page.get_by_role("alert")).to_contain_text("not a picture")
    page.get_by_role("button", name="Close this message").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    page.locator("#more summary").click()
    page.locator("#grow").fill("999")
    page.locator("#fill").click()
    expect(page.get_by_role("alert")).to_contain_text("from 0 to 200")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_photos_are_dropped_and_pasted(open_page, way):
    page = open_page().ready()
    page.evaluate(
        """([way, bytes]) => {
            const data = new DataTransfer();
            const file = new File([new Uint8Array(bytes)], "noise.png", {type: "image/png"});
            data.items.add(file);
            document.dispatchEvent(way === "drop"
                ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
                : new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
        }""",
        [way, list(photo_file(0, 40, 50))],
    )
    expect(page.locator("#photo-facts")).to_have_text("50 × 40 PNG, 16 bit")


def test_keys(open_page):
    page = open_page().open(upload(photo_file()))
    for key, name in {
        "e": "Eraser",
        "r": "Rectangle",
        "l": "Lasso",
        "h": "Move",
        "b": "Brush",
    }.items():
        page.keyboard.press(key)
        expect(page.get_by_role("radio", name=name)).to_be_checked()
    page.keyboard.press("]")
    assert int(page.locator("#size").input_value()) > 40
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Show these keys")
    dialog.get_by_label("Keys of a single letter").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.get_by_role("radio", name="Brush")).to_be_checked()
    page.get_by_role("radio", name="Brush").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Select")).to_be_checked()


def test_token(open_page):
    with running(ServerSettings(model="membrane", token="geheim")) as client:
        address = str(client.base_url)
        page = open_page(url=f"{address}/#token=geheim").open(upload(photo_file()))
        assert "geheim" not in page.url
        page = open_page(url=address)
        page.get_by_role("textbox", name="Token").fill("geheim")
        page.get_by_role("button", name="Go on").click()
        page.open(upload(photo_file()))
        page.drag((60, 60), (100, 60))
        page.fill()
        page.download()


def test_api_page(open_page, client):
    page = open_page(url=f"{client.base_url}/docs")
    expect(page.locator("#routes")).to_contain_text("POST /api/v1/fill")
    expect(page.locator("#routes")).to_contain_text("feather")


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_accessible(open_page, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def check(what):
        page.wait_for_timeout(250)  # until transitions are over
        found = axe.run(page.page).response["violations"]
        assert [(what, one["id"], one["nodes"][0]["html"]) for one in found] == []

    page = open_page(PHONE if size == "phone" else DESKTOP, color_scheme=scheme).ready()
    check("welcome")
    page.open(upload(photo_file(1), "one.png"), upload(photo_file(2), "two.png"))
    page.drag((60, 60), (100, 60))
    page.fill()
    check("filled")
    page.locator("#compare-button").click()
    check("compared")
    page.locator("#compare-button").click()
    if size == "phone":
        page.locator("#panel-toggle").click()
        check("panel")
        page.locator("#panel-close").click()
    else:
        page.keyboard.press("?")
        check("help")
        page.keyboard.press("Escape")
