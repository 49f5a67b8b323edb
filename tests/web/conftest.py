"""A server for most tests: the membrane, which fills in milliseconds."""

import pytest

pytest.importorskip("fastapi", reason='pip install "regionwise[web]"')

from tests.support.running_server import running

from regionwise.web.settings import ServerSettings


@pytest.fixture(scope="module")
def client():
    with running(ServerSettings(model="membrane", waiting=100)) as client:
        yield client
