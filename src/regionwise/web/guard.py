"""The door: who may ask, what every answer says to browsers, and one line of log a request.

Against pages of other sites, which a browser would let talk to this computer:

- a `Host` that is not ours means that a name was rebound to this address (DNS rebinding);
- an `Origin` or `Sec-Fetch-Site` that is not ours means that another site's page asks.

Programs that are no browsers send neither and pass.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import logging
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regionwise.web.clients import WrongTokens, client_of
from regionwise.web.refusals import RefusedError
from regionwise.web.settings import ServerSettings

log = logging.getLogger("regionwise.web")

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_PATIENCE = 20  # seconds for the rest of a body that is refused
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Guard:
    """ASGI middleware round the whole application."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._settings = settings
        self._wrong_tokens = WrongTokens()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, see ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        started = time.perf_counter()
        body = _Body(receive)
        status = 0

        async def guarded_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
                if status == 408 or (
                    status >= 400 and not await body.read_to_end(2 * self._settings.max_bytes)
                ):
                    headers["Connection"] = "close"
            await send(message)

        try:
            self._check(scope)
        except RefusedError as error:
            await _refuse(error, guarded_send)
        else:
            await self._serve(scope, body.receive, guarded_send, lambda: status)
        finally:
            # The route's pattern, not the path: that holds a photo's id.
            pattern = getattr(scope.get("route"), "path", "-")
            milliseconds = 1000 * (time.perf_counter() - started)
            log.info("%s %s %d %.0f ms", scope["method"], pattern, status, milliseconds)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, status: Callable[[], int]
    ) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:
            log.exception("a request failed")
            if not status():
                await _refuse(
                    RefusedError(500, "a mistake of the server itself; its log says more"), send
                )

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_own_host(host, self._settings):
            raise RefusedError(
                421, "the server does not go by this name; start it with --allow-host NAME"
            )
        check_same_site(headers, host, scope)
        if self._settings.token is not None and scope["path"].startswith("/api/"):
            self._check_token(headers.get("authorization", ""), client_of(scope))

    def _check_token(self, sent: str, client: str) -> None:
        scheme, _, shown = sent.partition(" ")
        if scheme.lower() != "bearer" or not shown:
            raise RefusedError(401, "the server asks for its token; send Authorization: Bearer")
        self._wrong_tokens.check(client)
        wanted = (self._settings.token or "").encode()
        if not hmac.compare_digest(shown.encode("latin-1"), wanted):  # as headers are decoded
            self._wrong_tokens.add(client)
            raise RefusedError(401, "this token is not the server's; send the one it was given")


class _Body:
    """A request's body, which may be refused before it was read.

    Browsers that are answered while they still send report a broken connection, not the answer.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._ended = not message.get("more_body", False)
        return message

    async def read_to_end(self, most: int) -> bool:
        """Pass over the rest; False if it is more than so many bytes, or takes too long."""
        with anyio.move_on_after(_PATIENCE):
            while not self._ended and most > 0:
                most -= len((await self.receive()).get("body", b""))
        return self._ended


def is_own_host(host: str, settings: ServerSettings) -> bool:
    """Whether a Host header names this server.

    An address of numbers can't be rebound, so that any will do, though not from beyond this
    computer if the server is only for it.
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return False
    if name == "localhost" or name in settings.allowed_hosts:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or not settings.is_local


def check_same_site(headers: Headers, host: str, scope: Scope) -> None:
    """Refuse what a browser sends for a page of another site.

    Raises:
        RefusedError: with 403.
    """
    refused = RefusedError(403, "the page of another site may not ask this server")
    origin = headers.get("origin")
    if origin is not None and _place(origin) != _place(f"{scope['scheme']}://{host}", origin):
        raise refused
    site = headers.get("sec-fetch-site", "none")
    opens_page = headers.get("sec-fetch-mode") == "navigate" and scope["method"] == "GET"
    if site not in ("none", "same-origin") and not opens_page:
        raise refused


def _place(url: str, like: str = "") -> tuple[str, int] | None:
    """Host and port. A proxy may speak TLS for us: the default port is that of `like`."""
    try:
        parts = urlsplit(url)
        scheme = urlsplit(like).scheme or parts.scheme
        port = parts.port or _DEFAULT_PORTS.get(scheme, 0)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


async def _refuse(error: RefusedError, send: Send) -> None:
    body = json.dumps({"error": str(error)}).encode()
    headers = [(b"content-type", b"application/json")]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
