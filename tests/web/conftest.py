"""A server for most tests: the membrane, which fills in milliseconds; and a browser."""

import re

import pytest

pytest.importorskip("fastapi", reason='pip install "regionwise[web]"')

from tests.support.running_server import running

from regionwise.web.settings import ServerSettings


@pytest.fixture(scope="module")
def client():
    with running(ServerSettings(model="membrane", waiting=100)) as client:
        yield client


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright
    from tests.support.page_user import CHROMIUM, FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, client):
    """Opens the page; afterwards nothing must have gone wrong or elsewhere."""
    from tests.support.page_user import DESKTOP, Page

    contexts, troubles = [], []

    def open_page(options=DESKTOP, url=None, context=None, **more):
        if context is None:
            context = browser.new_context(**options, **more)
            context.set_default_timeout(20_000)
            contexts.append(context)
        page = context.new_page()
        own = str(client.base_url) if url is None else re.match(r"http://[^/]+", url).group()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda sent: (
                None if sent.url.startswith((own, "blob:", "data:")) else troubles.append(sent.url)
            ),
        )
        page.goto(str(client.base_url) if url is None else url)
        return Page(page)

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
