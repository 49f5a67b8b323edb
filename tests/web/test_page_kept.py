"""Nothing is lost: bad files, a server that starts anew, a tab that was closed."""

import socket
import subprocess
import sys

import pytest
from tests.support.page_user import BROWSER, DESKTOP, expect, photo_file, upload
from tests.support.running_server import running

from regionwise.web.settings import ServerSettings

pytestmark = BROWSER


def current(page, number):
    """Wait until a result is the one that is shown; 0 is the photo."""
    expect(page.locator("#history li").nth(number).locator("button")).to_have_attribute(
        "aria-current", "true"
    )


def test_a_bad_file_before_a_good_one(open_page):
    page = open_page().ready()
    page.set_input_files("#file", [upload(b"words", "words.txt"), upload(photo_file())])
    expect(page.locator("#photo-name")).to_have_text("noise.png")
    expect(page.locator("#welcome")).to_be_hidden()
    expect(page.get_by_role("alert")).to_contain_text("words.txt")


def test_many_bad_files_are_one_message(open_page):
    page = open_page().ready()
    page.set_input_files("#file", [upload(b"words", f"words{one}.txt") for one in range(5)])
    expect(page.get_by_role("alert").locator("p")).to_contain_text("5 files could not be opened")
    assert page.locator(".notice").count() == 1


def test_undo_takes_back_what_the_status_says(open_page):
    page = open_page().open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    page.fill()
    expect(page.locator("#status")).to_contain_text("Filled in")
    page.keyboard.press("Control+z")
    expect(page.locator("#status")).to_have_text("")


@pytest.mark.parametrize("reloads", [True, False])
def test_a_server_that_starts_anew_makes_the_fills_again(open_page, client, reloads):
    page = open_page().open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    page.fill(1)
    page.drag((150, 150), (200, 150))
    page.fill(2)
    _, before = page.download()
    page.drag((250, 60), (280, 60))
    page.wait_for_timeout(400)
    client.app.state.context.store._photos.clear()
    if reloads:
        page.reload()
        page.ready()
    else:
        page.locator("#fill").click()
        page.filled(3)
        page.keyboard.press("Control+z")
    expect(page.locator("#notices")).to_contain_text("sent again.")
    current(page, 2)
    assert page.download()[1] == before
    expect(page.locator("#fill")).to_have_text("Fill")  # what was painted last is there


def serve(port):
    """`regionwise serve` as a process of its own."""
    command = [sys.executable, "-m", "regionwise", "serve", "--no-open", "--model", "membrane"]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    assert "the page is at" in process.stdout.readline()
    return process


def test_a_killed_server(open_page):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = serve(port)
    try:
        page = open_page(url=f"http://127.0.0.1:{port}").open(upload(photo_file()))
        page.drag((60, 60), (100, 60))
        page.fill(1)
        _, before = page.download()
        page.drag((150, 150), (200, 150))
        process.kill()
        process.wait()
        page.locator("#fill").click()
        expect(page.get_by_role("alert")).to_contain_text("does not answer")
        process.stdout.close()
        process = serve(port)
        page.fill(2)  # which makes the first one again
        page.keyboard.press("Control+z")
        current(page, 1)
        assert page.download()[1] == before
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_results_that_can_not_be_made_again_are_left_out(open_page, client):
    page = open_page().open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    page.fill(1)
    page.drag((150, 150), (200, 150))
    page.wait_for_timeout(400)
    page.evaluate("""async () => {
        const open = indexedDB.open("regionwise");
        await new Promise((resolve) => { open.onsuccess = resolve; });
        const store = open.result.transaction("tabs", "readwrite").objectStore("tabs");
        const [work] = await new Promise((resolve) => {
            const all = store.getAll();
            all.onsuccess = () => resolve(all.result);
        });
        work.photos[0].recipes[0].options.model = "gone";
        const [key] = await new Promise((resolve) => {
            const all = store.getAllKeys();
            all.onsuccess = () => resolve(all.result);
        });
        await new Promise((resolve) => { store.put(work, key).onsuccess = resolve; });
        open.result.close();
    }""")
    client.app.state.context.store._photos.clear()
    page.reload()
    page.ready()
    expect(page.locator("#notices")).to_contain_text("without some results")
    expect(page.locator("#fill")).to_be_enabled()  # the mask stays
    page.fill(1)


def test_work_of_a_closed_tab(open_page, browser):
    page = open_page().open(upload(photo_file()))
    page.drag((60, 60), (100, 60))
    page.fill()
    page.drag((150, 150), (200, 150))
    page.wait_for_timeout(400)
    context = page.context
    still = open_page(context=context).ready()
    expect(still.locator("#last")).to_be_hidden()  # that tab is open
    page.close()
    still.reload()
    still.ready()
    expect(still.locator("#last")).to_contain_text("noise.png")
    still.get_by_role("button", name="Continue").click()
    expect(still.locator("#photo-name")).to_have_text("noise.png")
    current(still, 1)
    expect(still.locator("#fill")).to_have_text("Fill")
    still.wait_for_timeout(500)
    still.reload()
    still.ready()
    expect(still.locator("#photo-name")).to_have_text("noise.png")


def test_work_of_a_closed_tab_can_be_forgotten(open_page):
    page = open_page().open(upload(photo_file()))
    page.wait_for_timeout(400)
    context = page.context
    page.close()
    other = open_page(context=context).ready()
    other.get_by_role("button", name="Forget noise.png").click()
    expect(other.locator("#last")).to_be_hidden()
    kept = other.evaluate("""async () => {
        const open = indexedDB.open("regionwise");
        await new Promise((resolve) => { open.onsuccess = resolve; });
        const count = open.result.transaction("files").objectStore("files").count();
        await new Promise((resolve) => { count.onsuccess = resolve; });
        return count.result;
    }""")
    assert kept == 0


def test_the_sample_opens(open_page):
    page = open_page().ready()
    page.get_by_role("button", name="Try it with this photo").click()
    expect(page.locator("#photo-name")).to_have_text("rocket.jpg")


def test_a_wrong_token_is_told(open_page):
    with running(ServerSettings(model="membrane", token="geheim")) as client:
        page = open_page(DESKTOP, url=str(client.base_url))
        page.get_by_role("textbox", name="Token").fill("falsch")
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("#token-wrong")).to_contain_text("not the server's")
        page.get_by_role("textbox", name="Token").fill("geheim")
        page.get_by_role("button", name="Go on").click()
        page.ready()
