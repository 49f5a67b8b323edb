"""The web server in a thread of the tests, on a port of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from regionwise.web.app import create_app
from regionwise.web.connection import connection_kind
from regionwise.web.listening import listen
from regionwise.web.settings import ServerSettings


@contextmanager
def running(
    settings: ServerSettings, head_seconds: float = 10, most_waiting: int = 128
) -> Iterator[httpx.Client]:
    """Serve, with the connections of `regionwise serve`; gives a client of the server."""
    with listen("127.0.0.1", 0) as listener:
        app = create_app(settings)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=connection_kind(head_seconds, most_waiting),
                log_level="critical",
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        while not server.started:
            time.sleep(0.01)
        try:
            with httpx.Client(base_url=address, timeout=60) as client:
                client.app = app
                yield client
        finally:
            server.should_exit = True
            thread.join(10)
