"""A command that refuses an option that is given twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer
from typer.core import TyperCommand


class OnceCommand(TyperCommand):
    """Refuses an option that is given twice: the first would be lost without a word."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command's words."""
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for one, number in Counter(given).items():
            if one.param_type_name == "option" and number > 1 and not _may_repeat(one):
                raise typer.BadParameter(
                    f"{one.opts[0]} is given {number} times; give it once", ctx
                )
        return super().parse_args(ctx, args)


def _may_repeat(option: Any) -> bool:
    return bool(option.multiple or option.count or option.is_flag)
