"""Masks in the page: in and out, grown, found, selected; answers to choose from; results out."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.page_user import BROWSER, HEIGHT, WIDTH, distance_to, expect, photo_file, upload
from tests.support.photo_files import file_of, noise, saved
from tests.support.pictures import open_picture
from tests.support.running_server import running

from regionwise.photos.masks import grow
from regionwise.photos.reading import read_photo
from regionwise.web.settings import ServerSettings

pytestmark = BROWSER

EXAMPLES = Path(__file__).parents[2] / "examples"


def mask_of(page):
    """What the page saves as a mask."""
    with page.expect_download() as waiting:
        page.locator("[data-action=saveMask]").click()
    assert waiting.value.suggested_filename.endswith("_mask.png")
    return np.asarray(open_picture(io.BytesIO(waiting.value.path().read_bytes()))) > 0


def load(page, mask, name="mask.png"):
    page.set_input_files("#mask-file", [upload(saved(Image.fromarray(mask), "PNG"), name)])
    expect(page.locator("#status")).to_have_text("")


def test_a_saved_mask_is_what_is_filled(open_page):
    original = photo_file()
    page = open_page().open(upload(original))
    page.set("#grow", 0)
    page.drag((100, 60), (200, 110), (180, 190))
    mask = mask_of(page)
    assert mask.shape == (HEIGHT, WIDTH)
    page.fill()
    assert np.array_equal(page.changed(original), mask)


def test_a_loaded_mask_is_what_is_filled_and_survives_a_reload(open_page):
    original = photo_file()
    page = open_page().open(upload(original))
    page.set("#grow", 0)
    wanted = noise("1", HEIGHT, WIDTH)
    load(page, wanted)
    assert np.array_equal(mask_of(page), wanted)
    page.wait_for_timeout(400)
    page.reload()
    page.ready()
    assert np.array_equal(mask_of(page), wanted)
    page.fill()
    assert np.array_equal(page.changed(original), wanted)


def test_a_mask_of_another_size_is_scaled_and_no_mask_is_told(open_page):
    page = open_page().open(upload(photo_file()))
    small = np.zeros((HEIGHT // 2, WIDTH // 2), bool)
    small[20:40, 30:70] = True
    load(page, small)
    assert np.array_equal(mask_of(page), small.repeat(2, axis=0).repeat(2, axis=1))
    page.set_input_files("#mask-file", [upload(b"nothing", "words.png")])
    expect(page.get_by_role("alert")).to_contain_text("words.png")
    load(page, np.zeros((5, 5), bool), "black.png")
    expect(page.get_by_role("alert").last).to_contain_text("no white pixel")


@pytest.mark.parametrize("pixels", [1, 5])
def test_grow_and_shrink_are_exact(open_page, pixels):
    page = open_page().open(upload(photo_file()))
    wanted = np.zeros((HEIGHT, WIDTH), bool)
    wanted[50:90, 60:130] = True
    wanted[100:104, 2:9] = True
    load(page, wanted)
    page.set("#step", pixels)
    page.locator("[data-action=grow]").click()
    expect(page.locator("#status")).to_have_text("")
    page.wait_for_timeout(100)
    assert np.array_equal(mask_of(page), grow(wanted, pixels))
    page.keyboard.press("Control+z")  # one step
    assert np.array_equal(mask_of(page), wanted)
    page.locator("[data-action=shrink]").click()
    page.wait_for_timeout(200)
    assert np.array_equal(mask_of(page), ~grow(~wanted, pixels))


def test_shift_draws_a_straight_line(open_page):
    page = open_page().open(upload(photo_file()))
    page.mouse.click(*page.at(60, 60))
    page.keyboard.down("Shift")
    page.mouse.click(*page.at(240, 150))
    page.keyboard.up("Shift")
    mask = mask_of(page)
    radius = 20 / page.view[0]
    distance = distance_to([(60, 60), (240, 150)])
    assert mask[distance < radius - 1].all()
    assert not mask[distance > radius + 1].any()


def test_the_mask_of_another_photo(open_page):
    page = open_page().open(upload(photo_file(1), "one.png"), upload(photo_file(2), "two.png"))
    page.drag((60, 60), (100, 60))
    mask = mask_of(page)
    page.keyboard.press("PageDown")
    expect(page.locator("#photo-name")).to_have_text("two.png")
    page.locator("#mask-from").select_option("one.png")
    assert np.array_equal(mask_of(page), mask)


def disk_photo():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    disk = (y - 120) ** 2 + (x - 110) ** 2 < 50**2
    square = (abs(y - 120) < 30) & (abs(x - 250) < 25)
    color = np.full((HEIGHT, WIDTH, 3), (80, 120, 70), np.uint8)
    color[disk] = 200, 50, 40
    color[square] = 40, 60, 200
    return saved(Image.fromarray(color), "PNG"), disk, square


def test_select_by_click_shift_alt_and_box(open_page):
    data, disk, square = disk_photo()
    page = open_page().open(upload(data))

    def overlap(wanted):
        page.wait_for_selector("#stage:not(.busy)")
        page.wait_for_selector("[data-action=saveMask]:enabled")
        mask = mask_of(page)
        return (mask & wanted).sum() / (mask | wanted).sum()

    def click(x, y, key=None):
        if key:
            page.keyboard.down(key)
        with page.expect_response(re.compile("/select")):
            page.mouse.click(*page.at(x, y))
        if key:
            page.keyboard.up(key)
        page.wait_for_timeout(150)

    page.keyboard.press("s")
    click(110, 120)
    assert overlap(disk) > 0.9
    click(250, 120)  # in place of the first
    assert overlap(square) > 0.9
    click(110, 120, "Shift")
    assert overlap(square | disk) > 0.9
    click(250, 120, "Alt")
    assert overlap(disk) > 0.9
    page.keyboard.press("Delete")
    with page.expect_response(re.compile("/select")):
        page.drag((215, 80), (285, 160))
    page.wait_for_timeout(150)
    assert overlap(square) > 0.9


def test_a_second_click_at_the_same_place_takes_more(open_page):
    page = open_page().open(upload(disk_photo()[0]))
    page.keyboard.press("s")
    asked = []
    page.on("request", lambda sent: asked.append(sent.post_data) if "/select" in sent.url else None)
    for place in ((110, 120), (111, 120), (250, 120)):
        with page.expect_response(re.compile("/select")):
            page.mouse.click(*page.at(*place))
        page.wait_for_selector("#stage:not(.busy)")
        page.wait_for_timeout(150)
    assert [json.loads(one)["wider"] for one in asked] == [0, 1, 0]
    expect(page.locator("#status")).to_contain_text("Click again")


def test_the_feather_is_seen_before_the_fill(open_page):
    page = open_page().open(upload(photo_file()))
    load(page, np.pad(np.ones((80, 80), bool), ((60, HEIGHT - 140), (60, WIDTH - 140))))
    x, y = (round(edge) for edge in page.at(62, 100))
    inner = tuple(round(edge) for edge in page.at(100, 100))

    def opacity(place):
        box = page.locator("#stage").bounding_box()
        at = [place[0] - box["x"], place[1] - box["y"]]
        return page.evaluate(
            """([x, y]) => {
                const { overlay, ratio } = { overlay: document.querySelector("canvas.mask"),
                    ratio: Math.min(2, devicePixelRatio) };
                return overlay.getContext("2d").getImageData(x * ratio, y * ratio, 1, 1).data[3];
            }""",
            at,
        )

    hard = opacity((x, y))
    assert hard == opacity(inner)
    page.evaluate("document.querySelector('#more').open = true")
    page.locator("#feather").fill("20")
    page.wait_for_timeout(300)
    assert opacity((x, y)) < 0.6 * hard
    assert opacity(inner) > 0.9 * hard


def test_scratches_are_found(open_page):
    page = open_page().open(upload((EXAMPLES / "photos" / "chelsea.png").read_bytes(), "cat.png"))
    page.locator("[data-find=scratches]").click()
    page.wait_for_selector("[data-action=saveMask]:enabled")
    wanted = np.asarray(Image.open(EXAMPLES / "masks" / "chelsea.png").convert("L")) > 127
    assert (mask_of(page) & wanted).sum() / wanted.sum() > 0.9
    page.locator("[data-find=dust]").click()
    expect(page.locator("[data-find=dust]")).to_be_enabled()


def test_several_answers(open_page):
    page = open_page().open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    page.locator("[data-action=several]").click()
    answers = page.locator("#answers .list button")
    expect(answers).to_have_count(4, timeout=60_000)
    page.wait_for_selector("#fill:visible")
    expect(page.locator("#history li")).to_have_count(5)
    answers.nth(3).click()
    expect(page.locator("#history li").nth(4).locator("button")).to_have_attribute(
        "aria-current", "true"
    )
    page.locator("#answers-keep").click()
    expect(page.locator("#answers")).to_be_hidden()
    page.keyboard.press("Control+z")  # one step back to the mask
    expect(page.locator("#history li").first.locator("button")).to_have_attribute(
        "aria-current", "true"
    )


def test_copy(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"]).open(
        upload(file_of("PNG", "RGB", noise("RGB", 40, 50), 1))
    )
    page.keyboard.press("Control+c")
    expect(page.locator("#notices")).to_contain_text("is copied")
    copied = page.evaluate("""async () => {
        const [item] = await navigator.clipboard.read();
        const blob = await item.getType("image/png");
        return [...new Uint8Array(await blob.arrayBuffer())];
    }""")
    assert np.array_equal(read_photo(bytes(copied)).color, noise("RGB", 40, 50))


def test_pasted_words_are_answered(open_page):
    page = open_page().ready()
    page.evaluate("""() => {
        const data = new DataTransfer();
        data.setData("text/plain", "https:" + "//example.org/cat.jpg");
        document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
    }""")
    expect(page.locator("#notices")).to_contain_text("no picture on the clipboard")


def test_names_by_a_pattern_and_a_folder_of_the_server(open_page, tmp_path):
    settings = ServerSettings(model="membrane", output_dir=tmp_path)
    with running(settings) as client:
        page = open_page(url=str(client.base_url)).open(upload(photo_file()))
        page.drag((60, 60), (100, 60))
        page.fill()
        page.set("#pattern", "{number} of {name}")
        name, data = page.download()
        assert name == "1 of noise.png"
        for _ in range(2):
            with page.expect_response(re.compile("/save")):
                page.locator("#save-server").click()
            expect(page.locator("#notices")).to_contain_text("1 saved")
        assert {file.name for file in tmp_path.iterdir()} == {"1 of noise.png", "1 of noise-2.png"}
        assert (tmp_path / name).read_bytes() == data


def test_the_server_saves_nowhere_else(client):
    sent = client.post("/api/v1/photos", files={"photo": ("a.png", photo_file())}).json()
    assert client.post(f"/api/v1/photos/{sent['id']}/save").status_code == 403
