"""The command line: one command a file, each imported only when it is called.

A new command is a line in `COMMANDS` and a module with a function `command`, whose parameters are
Typer's and whose docstring is its help. It may return an exit code; None means 0. A command with
sub-commands has a Typer `app` in place of the function.

Exit codes: 0 all is done, 1 some photos of a folder failed, 2 nothing was done (or it was stopped).
"""

from __future__ import annotations

import atexit
import gc
import os
import re
import sys
import warnings
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from regionwise.cli.once import OnceCommand
from regionwise.errors import RegionwiseError, RegionwiseWarning

COMMANDS = {
    "fill": ("regionwise.cli.fill", "Fill the hole of a photo, or of all photos in a folder."),
    "find": ("regionwise.cli.find", "Propose a mask: text, scratches, dust or a watermark."),
    "serve": ("regionwise.cli.serve", "Open a page where photos are painted over and filled."),
    "models": ("regionwise.cli.models", "List the models that can fill."),
    "train": ("regionwise.cli.train", "Train a network by a recipe."),
    "reproduce": ("regionwise.cli.reproduce", "Train and measure a paper's table, row by row."),
    "split": ("regionwise.cli.split", "List the photos that papers train and test on."),
    "curves": ("regionwise.cli.curves", "Draw a number of several trainings over their steps."),
    "export": ("regionwise.cli.export", "Write a network as ONNX."),
    "import": ("regionwise.cli.import_", "Turn an authors' checkpoint into safetensors."),
    "index": ("regionwise.cli.index", "List what tar shards hold, so that it is found at once."),
    "masks": ("regionwise.cli.masks", "Draw sets of masks, and count them."),
    "evaluate": (
        "regionwise.cli.evaluate",
        "Compare models under a protocol: tables by hole ratio.",
    ),
    "blind": ("regionwise.cli.blind", "Let people choose between fills, and count their votes."),
    "explain": ("regionwise.cli.explain", "Draw what a network does with a mask."),
}

_RESEARCH_LIBRARIES = ("torch", "safetensors", "onnx", "onnxscript")

# Typer's own base of all errors in how a command was called; it has moved between versions.
_CallError: type[Any] = typer.BadParameter.__mro__[2]


class _LazyCommands(TyperGroup):
    """Shows the commands by the table above, and imports one when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        stand_in = _new_app()
        stand_in.command(cmd_name, help=COMMANDS[cmd_name][1])(lambda: None)
        return get_command(stand_in)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        module = import_module(COMMANDS[str(name)][0])
        app = getattr(module, "app", None)
        if app is None:
            app = _new_app()
            app.command(name, cls=OnceCommand)(module.command)
        return name, get_command(app), rest


def _new_app(**options: Any) -> typer.Typer:
    return typer.Typer(add_completion=False, rich_markup_mode=None, **options)


def _show_version(wanted: bool) -> None:
    if wanted:
        from regionwise import __version__

        print(f"regionwise {__version__}")
        raise typer.Exit


def _root(
    ctx: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Fill holes in photos with networks that know where the hole is.

    Start with:  regionwise fill photo.jpg mask.png

    White in the mask is what gets filled; all else stays as it is.
    """
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and give the exit code.

    What a user can get wrong is told in one line on stderr. With REGIONWISE_DEBUG=1 in the
    environment errors come with their traceback.
    """
    atexit.register(gc.freeze)  # else Python's end looks for garbage in all that was imported
    app = _new_app(cls=_LazyCommands, invoke_without_command=True)
    app.callback()(_root)
    root = get_command(app)
    debug = bool(os.environ.get("REGIONWISE_DEBUG"))
    with warnings.catch_warnings():
        warnings.simplefilter("default" if debug else "ignore")
        warnings.simplefilter("always", RegionwiseWarning)
        warnings.showwarning = _show_warning
        try:
            # Not root.main(): that has ways of its own with Ctrl-C and closed pipes.
            with root.make_context(
                "regionwise", sys.argv[1:] if arguments is None else arguments
            ) as context:
                code = root.invoke(context)
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            if debug and not isinstance(error, typer.Exit):
                raise
            return _report(error)
    return code if isinstance(code, int) else 0


def _report(error: BaseException) -> int:
    """Tell what went wrong in one line, and give the exit code."""
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if isinstance(error, BrokenPipeError):  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    tell(with_flags(_one_line(error)))
    return 2


def _one_line(error: BaseException) -> str:
    if isinstance(error, RegionwiseError):
        return str(error)
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return "stopped; no half file is left"
    if isinstance(error, MemoryError):
        return "there is not enough memory for this photo; close other programs, or scale it down"
    if isinstance(error, _CallError):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "regionwise"
        return f"{error.format_message().rstrip('.')}{_dash_hint(error)}; see {path} --help"
    if isinstance(error, ModuleNotFoundError) and error.name in _RESEARCH_LIBRARIES:
        return f'this needs {error.name}, which is not installed; pip install "regionwise[train]"'
    if isinstance(error, OSError):
        return " ".join(str(error).split())
    return (
        f"a mistake of regionwise itself: {type(error).__name__}: {' '.join(str(error).split())}; "
        "please report it, with the traceback that REGIONWISE_DEBUG=1 shows"
    )


def with_flags(line: str) -> str:
    """A message in which options go by their names in Python, as `resize_mask`, for a terminal."""
    return re.sub(r"`([a-z]+(?:_[a-z]+)*)`", lambda name: f"--{name[1].replace('_', '-')}", line)


def _dash_hint(error: Any) -> str:
    """A file whose name begins with a dash is taken for an option."""
    files = [word for word in sys.argv[1:] if word.startswith("-") and "." in word[1:]]
    unknown = str(getattr(error, "option_name", "") or "")
    for file in files:
        if unknown and file.startswith(unknown):
            return f"; if {file} is a file, write ./{file}"
    return ""


def _show_warning(message: Any, category: Any, *_: Any, **__: Any) -> None:
    tell(f"warning: {message}" if category is RegionwiseWarning else f"{category}: {message}")


def tell(line: str) -> None:
    """Write a line to stderr, where results don't go."""
    print(f"regionwise: {line}", file=sys.stderr)
