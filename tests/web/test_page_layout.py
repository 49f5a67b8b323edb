"""How the page looks at all widths: nothing lies under something else, nothing jumps."""

import pytest
from tests.support.page_user import BROWSER, DESKTOP, PHONE, expect, photo_file, upload

pytestmark = BROWSER


@pytest.mark.parametrize(
    "width", [320, 360, 390, 600, 641, 768, 821, 834, 910, 1020, 1021, 1280, 1920]
)
def test_every_button_of_the_dock_can_be_pressed(open_page, width):
    page = open_page({"viewport": {"width": width, "height": 700}}).open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    hidden = page.evaluate(
        """() => [...document.querySelectorAll("#dock button, #tools button, header button")]
            .filter((button) => button.checkVisibility())
            .filter((button) => {
                const box = button.getBoundingClientRect();
                const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                const beside = box.left < 0 || box.right > innerWidth || box.bottom > innerHeight;
                return beside || !button.contains(document.elementFromPoint(x, y));
            })
            .map((button) => button.outerHTML.slice(0, 90))"""
    )
    assert hidden == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    name = page.locator("#fill .label").bounding_box()
    assert name["height"] < 30  # one line
    page.fill()


@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_the_stage_keeps_its_size(open_page, options):
    page = open_page(options).open(upload(photo_file()))
    page.evaluate("""() => {
        window.sizes = new Set();
        new ResizeObserver(([entry]) => sizes.add(entry.contentRect.height))
            .observe(document.querySelector("#stage"));
    }""")
    page.drag((60, 60), (100, 60))
    page.fill()
    page.keyboard.press("Control+z")
    page.wait_for_timeout(200)
    assert page.evaluate("sizes.size") == 1


@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_the_line_between_before_and_after_stays_on_the_photo(open_page, options):
    page = open_page(options).open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    page.fill()
    page.locator("#compare-button").click()
    page.wait_for_timeout(150)
    line = page.locator("#compare-line").bounding_box()
    (_, top), (_, bottom) = page.at(0, 0), page.at(0, 240)
    assert line["y"] == pytest.approx(top, abs=1)
    assert line["y"] + line["height"] == pytest.approx(bottom, abs=1)


def test_the_frame_of_the_stage_is_for_the_keyboard(open_page):
    page = open_page().open(upload(photo_file()))
    style = "getComputedStyle(document.querySelector('#stage')).outlineStyle"
    page.mouse.click(*page.at(300, 200))
    page.keyboard.press("b")
    assert page.evaluate(style) == "none"
    page.locator("[data-action=clear]").focus()
    page.keyboard.press("Tab")
    page.locator("#stage").focus()
    assert page.evaluate(style) == "solid"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_press_of_the_theme_button_is_seen(open_page, scheme):
    page = open_page(color_scheme=scheme).ready()
    ground = "getComputedStyle(document.body).backgroundColor"
    seen = [page.evaluate(ground)]
    for _ in range(2):
        page.locator("header [data-action=theme]").click()
        seen.append(page.evaluate(ground))
    assert seen[0] != seen[1]
    assert seen[0] == seen[2]


def test_languages(open_page):
    page = open_page(locale="de-DE").ready()
    expect(page.locator("h2").first).to_have_text("Etwas aus einem Foto entfernen")
    assert page.evaluate("document.documentElement.lang") == "de"
    page.open(upload(photo_file()))
    page.locator("#language").select_option("fr")
    expect(page.get_by_role("radio", name="Pinceau")).to_be_visible()
    expect(page.locator("#fill")).to_have_text("Remplir")
    expect(page.get_by_role("radio", name="Net")).to_be_visible()
    page.locator("#language").select_option("en")
    expect(page.get_by_role("radio", name="Brush")).to_be_visible()
    assert page.locator("header [data-action=undo]").get_attribute("title") == "Undo (Ctrl Z)"


def test_right_to_left_the_panel_stands_on_the_left(open_page):
    page = open_page().open(upload(photo_file()))
    page.evaluate("document.documentElement.dir = 'rtl'")
    page.wait_for_timeout(200)
    assert page.locator("#panel").bounding_box()["x"] == 0
    page.drag((60, 60), (100, 60))
    page.fill()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_zoom_is_told(open_page):
    page = open_page().open(upload(photo_file()))
    page.keyboard.press("1")
    expect(page.locator("#zoom-value")).to_have_text("100%")
    page.keyboard.press("+")
    expect(page.locator("#zoom-value")).to_have_text("130%")
