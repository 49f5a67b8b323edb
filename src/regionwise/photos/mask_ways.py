"""The ways to read a mask, by name. It imports nothing heavy, as the command line asks it."""

from __future__ import annotations

import re

from regionwise.errors import MaskError

WAYS = ("auto", "luminance", "alpha", "difference")
_COLOR = re.compile(r"^colou?r=#?([0-9a-f]{6}|[0-9a-f]{3})$")


def check_way(text: object) -> None:
    """Refuse what is no way to read a mask.

    Raises:
        MaskError: with the ways that there are.
    """
    if not isinstance(text, str) or (text not in WAYS and not _COLOR.match(text.lower())):
        raise MaskError(f"mask_from can't be {text!r}; give {', '.join(WAYS)} or color=#ff0000")


def wanted_color(way: str) -> tuple[int, int, int]:
    """Red, green and blue of `color=#rrggbb` or `color=#rgb`, 0 to 255."""
    found = _COLOR.match(way.lower())
    digits = found.group(1) if found else "000000"
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue
