"""How a hole is found and filled: each option once, with its default, its limits and its help.

The command line, folder runs, `regionwise.fill`, the server's API and its page are made from
`FillOptions`: an option that is added here is there everywhere.
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields
from functools import lru_cache
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from regionwise.engines.engine import Device
from regionwise.engines.wrapping import Blend
from regionwise.errors import RegionwiseError
from regionwise.photos.mask_ways import check_way

Box = str | tuple[int, int, int, int]
Boxes = Box | Sequence[Box]
Large = Literal["auto", "detail", "window", "polyphase"]


@dataclass(frozen=True)
class Option:
    """What is said of an option beside its name, type and default.

    Attributes:
        help: a line or two for `--help` and the API's description.
        minimum, maximum: of a number.
        served_maximum: the largest number that a server takes from strangers.
        metavar: what stands for the value in `--help`.
        several: whether a command line may give it more than once.
    """

    help: str
    minimum: float | None = None
    maximum: float | None = None
    served_maximum: float | None = None
    metavar: str = ""
    several: bool = False


def _said(text: str, **more: Any) -> dict[str, Option]:
    return {"option": Option(text, **more)}


@dataclass(frozen=True)
class FillOptions:
    """How to find the hole and how to fill it.

    Raises:
        RegionwiseError: for a value that an option can't have, in one line that names it.
    """

    box: Boxes | None = field(
        default=None,
        metadata=_said(
            "Fill this rectangle; needs no mask. Negative x and y count from the right and the "
            "bottom. Several: give it again, or a semicolon between them.",
            metavar="X,Y,W,H",
            several=True,
        ),
    )
    mask_from: str = field(
        default="auto",
        metadata=_said(
            "How to read the mask: auto, luminance (white is filled), alpha, color=#ff0000, or "
            "difference (a copy of the photo with paint on it).",
            metavar="WAY",
        ),
    )
    invert_mask: bool = field(default=False, metadata=_said("Fill black instead of white."))
    resize_mask: bool = field(
        default=False, metadata=_said("Scale a mask of another size to the photo's.")
    )
    grow: float = field(
        default=0.0,
        metadata=_said("Widen the hole by so many pixels.", minimum=0, served_maximum=200),
    )
    shrink: float = field(
        default=0.0,
        metadata=_said(
            "Narrow the hole by so many pixels, before it is widened.",
            minimum=0,
            served_maximum=200,
        ),
    )
    feather: float | None = field(
        default=None,
        metadata=_said(
            "Pixels inside the hole over which the fill fades in; a sensible number if not given.",
            minimum=0,
            served_maximum=200,
        ),
    )
    large: Large = field(
        default="auto",
        metadata=_said(
            "window: the model alone, in windows round the holes; detail: with detail copied from "
            "the rest of the photo; auto: with as much of that as fits, for the bundled networks; "
            "polyphase: the model alone, by small pictures of all of the photo."
        ),
    )
    ensemble: bool = field(
        default=False, metadata=_said("Average the photo turned and mirrored: 5 times the time.")
    )
    blend: Blend = field(
        default="none", metadata=_said("poisson: the fill takes on the border's light.")
    )
    model: str | os.PathLike[str] = field(
        default="default",
        metadata=_said(
            "auto, fast, sharp or smooth; a name that regionwise models lists; or a file of "
            "weights."
        ),
    )
    stage: int = field(
        default=-1,
        metadata=_said(
            "Which answer of a network of several stages: 0 the first, coarse one, -1 the last.",
            minimum=-10,
            maximum=10,
        ),
    )
    raw: bool = field(
        default=False,
        metadata=_said(
            "Show what the network answers for the whole photo, known pixels too: nothing is put "
            "back. To look at networks."
        ),
    )
    device: Device = field(default="auto", metadata=_said("auto takes a GPU where there is one."))
    page: int | None = field(
        default=None,
        metadata=_said(
            "Of an animation or a file of several pages fill this one, from 1; all if not given.",
            minimum=1,
        ),
    )
    keep_video: bool = field(
        default=False,
        metadata=_said("Keep the video of a motion photo, which still shows what was filled."),
    )
    seed: int = field(
        default=0,
        metadata=_said("For what is drawn by chance.", minimum=0, maximum=2**63 - 1),
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            _check(one.name, getattr(self, one.name), option_of(one))
        check_way(self.mask_from)


def option_of(one: Field[Any]) -> Option:
    """What is said of a field of `FillOptions`."""
    return cast(Option, one.metadata["option"])


@lru_cache
def option_types() -> dict[str, Any]:
    """The types of all options, by name, as Python's typing has them."""
    return get_type_hints(FillOptions)


def choices_of(name: str) -> tuple[str, ...]:
    """The words that an option takes; none for one that takes other values."""
    hint = option_types()[name]
    words: tuple[str, ...] = get_args(hint) if get_origin(hint) is Literal else ()
    return words


def _check(name: str, value: Any, option: Option) -> None:
    """Refuse a value that an option can't have."""
    words = choices_of(name)
    if words and value not in words:
        raise RegionwiseError(f"{name} can't be {value!r}; give {', '.join(words)}")
    if option.minimum is None or value is None:
        return
    kind = "whole number" if option_types()[name] is int else "number"
    rule = f"{name} can't be {value!r}; give a {kind} from {option.minimum:g}"
    rule += " on" if option.maximum is None else f" to {option.maximum:g}"
    abstract = numbers.Integral if kind == "whole number" else numbers.Real
    highest = math.inf if option.maximum is None else option.maximum
    if not isinstance(value, abstract) or not option.minimum <= float(value) <= highest:
        raise RegionwiseError(rule)
