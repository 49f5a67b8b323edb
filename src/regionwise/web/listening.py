"""Listen and serve until Ctrl-C."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable

import uvicorn

from regionwise.errors import RegionwiseError
from regionwise.web.app import create_app
from regionwise.web.connection import connection_kind
from regionwise.web.settings import ServerSettings


def listen(host: str, port: int) -> socket.socket:
    """Take a port.

    Args:
        host: a name or an address.
        port: 0 for any that is free.

    Raises:
        RegionwiseError: if it is taken, or the address is not one of this computer's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise RegionwiseError(f"there is no address {host}; give another with --host") from error
    try:
        if os.name == "posix":  # elsewhere it would let two servers take one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} is taken; give another with --port, or 0 for any that is free"
        elif error.errno == errno.EACCES:
            reason = f"port {port} needs special rights; give one above 1023 with --port"
        else:
            reason = f"{host} is not an address of this computer; give another with --host"
        raise RegionwiseError(reason) from error
    listener.listen(128)
    return listener


def page_address(listener: socket.socket, settings: ServerSettings) -> str:
    """Where the page is found; the token rides behind the #, which no browser sends or logs."""
    port = listener.getsockname()[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(settings.host, settings.host)
    token = f"#token={settings.token}" if settings.token else ""
    return f"http://{host}:{port}/{token}"


def serve(listener: socket.socket, settings: ServerSettings, started: Callable[[], None]) -> None:
    """Serve until a signal.

    Args:
        listener: a socket that listens.
        settings: of the server.
        started: called when it answers.

    Raises:
        RegionwiseError: if the model doesn't load.
    """
    app = create_app(settings)
    app.state.context.warm_up()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

    Server(
        uvicorn.Config(
            app,
            http=connection_kind(),
            access_log=False,  # it would write the ids of photos; see regionwise.web.guard
            log_level="warning",
            server_header=False,
            limit_concurrency=512,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=32768,
        )
    ).run(sockets=[listener])
