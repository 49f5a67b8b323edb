"""The options of `FillOptions` as parameters of a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter, signature
from typing import Annotated, Any, get_args

import typer

from regionwise.filling.options import FillOptions, choices_of, option_of, option_types

Command = Callable[..., int]


def with_fill_options(*names: str) -> Callable[[Command], Command]:
    """Give a command, in place of its `**options`, a parameter for each option of a fill.

    Args:
        names: of the options; all if none are given.
    """

    def decorate(command: Command) -> Command:
        own = signature(command, eval_str=True)
        parameters = [p for p in own.parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
        vars(command)["__signature__"] = own.replace(parameters=[*parameters, *_parameters(names)])
        return command

    return decorate


def _parameters(names: tuple[str, ...]) -> list[Parameter]:
    return [
        Parameter(
            one.name,
            Parameter.KEYWORD_ONLY,
            default=one.default,
            annotation=Annotated[
                _plain(option_types()[one.name], several=option_of(one).several),
                typer.Option(
                    f"--{one.name.replace('_', '-')}",
                    help=option_of(one).help,
                    min=option_of(one).minimum,
                    max=option_of(one).maximum,
                    metavar="|".join(choices_of(one.name)) or option_of(one).metavar or None,
                ),
            ],
        )
        for one in fields(FillOptions)
        if not names or one.name in names
    ]


def _plain(hint: Any, *, several: bool) -> Any:
    """The type that a command line can read: words and paths are text, "or none" stays."""
    if several:
        return list[str] | None
    kinds = get_args(hint) if type(None) in get_args(hint) else (hint,)
    plain = next((kind for kind in (bool, int, float) if kind in kinds), str)
    return plain | None if type(None) in kinds else plain
