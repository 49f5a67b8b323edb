"""`regionwise serve`: the page with a brush, and its API."""

from __future__ import annotations

import logging
import os
import sys
import warnings
import webbrowser
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from regionwise.cli import tell
from regionwise.errors import RegionwiseError, RegionwiseWarning

_LIBRARIES = ("fastapi", "uvicorn", "python_multipart")


def command(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
    open_page: Annotated[
        bool | None,
        typer.Option(
            "--open/--no-open",
            show_default=False,
            help="Open the page in the browser; by default where there is a screen.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="The default: a name that regionwise models lists, or a file.")
    ] = "default",
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda", help="auto takes a GPU where there is one.")
    ] = "auto",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="REGIONWISE_TOKEN",
            help="Serve only clients that send it. "
            "The variable keeps it out of the list of processes.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name by which browsers may reach this server; repeatable."),
    ] = None,
    max_megabytes: Annotated[float, typer.Option(min=0.1, help="The largest photo file.")] = 200,
    max_megapixels: Annotated[float, typer.Option(min=0.1, help="The largest photo.")] = 100,
    fill_seconds: Annotated[float, typer.Option(min=1, help="How long a fill may run.")] = 300,
    workers: Annotated[int, typer.Option(min=1, help="Photos worked on at a time.")] = 2,
    waiting: Annotated[
        int, typer.Option(min=0, help="How many more may wait before the server says it is busy.")
    ] = 64,
    memory: Annotated[
        float,
        typer.Option(min=1, help="Megabytes of photos and results kept, and of what arrives."),
    ] = 1000,
    output_dir: Annotated[
        Path | None,
        typer.Option(help="A folder that pages may save results in; nothing is written over."),
    ] = None,
    segmenter: Annotated[
        Path | None,
        typer.Option(help="A SAM-class network for selecting by a click; see docs/web.md."),
    ] = None,
    log_requests: Annotated[
        bool, typer.Option("--log-requests", help="Write a line to stderr for each request.")
    ] = False,
) -> None:
    """Open a page where photos are dropped in, painted over and filled.

    \b
    regionwise serve                      http://127.0.0.1:8000, for this computer alone
    regionwise serve --port 0             any port that is free
    regionwise serve --host 0.0.0.0 --token SECRET --allow-host photos.local

    Everything stays on this computer and in memory. The same server has an API: see /docs there.
    """
    if any(find_spec(library) is None for library in _LIBRARIES):
        raise RegionwiseError('the page needs a few more libraries; pip install "regionwise[web]"')
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise RegionwiseError("no header can carry this token; give letters and digits")
    from regionwise.web.listening import listen, page_address, serve
    from regionwise.web.settings import MEGA, ServerSettings

    if output_dir is not None and not output_dir.is_dir():
        raise RegionwiseError(f"{output_dir} is not a folder; make it, or give another")
    settings = ServerSettings(
        host=host,
        allowed_hosts=frozenset(name.lower() for name in allow_host or ()),
        token=token or None,
        model=model,
        device=device,  # type: ignore[arg-type]
        max_bytes=int(max_megabytes * MEGA),
        max_pixels=int(max_megapixels * MEGA),
        fill_seconds=fill_seconds,
        workers=workers,
        waiting=waiting,
        memory=int(memory * MEGA),
        output_dir=output_dir,
        segmenter=segmenter,
    )
    warnings.simplefilter("ignore", RegionwiseWarning)  # a client is told, not the terminal
    if log_requests:
        logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    with listen(host, port) as listener:
        address = page_address(listener, settings)

        def started() -> None:
            shown = address if sys.stdout.isatty() else address.partition("#")[0]  # no log gets it
            print(f"regionwise: the page is at {shown} (Ctrl-C ends it)", flush=True)
            if not settings.is_local and settings.token is None:
                tell("warning: anyone on the network may use this server; give it a --token")
            if _has_screen() if open_page is None else open_page:
                webbrowser.open(address)

        with suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
            serve(listener, settings, started)


def _has_screen() -> bool:
    """Whether a browser of someone who looks can be opened."""
    if not sys.stdout.isatty():
        return False
    variables: Any = os.environ
    return sys.platform in ("win32", "darwin") or any(
        variables.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
