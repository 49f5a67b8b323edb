"""What travels: the options of a request, and the answers as data. OpenAPI is made from these."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)

from regionwise.filling.options import FillOptions, choices_of, option_of, option_types
from regionwise.web.refusals import RefusedError
from regionwise.web.words import PAGE_STARTS

_Form = TypeVar("_Form", bound=BaseModel)
_Request = TypeVar("_Request", bound="FillRequest")

_LONGEST_TEXT, _LONGEST_BOXES = 100, 2000


class FillRequest(BaseModel):
    """The fields of a fill: an option each, named as on the command line, and where the mask is."""

    model_config = ConfigDict(extra="forbid")

    mask_at: str | None = Field(
        default=None,
        max_length=30,
        description="The mask is a part of the photo's size; its upper left corner lies at x,y.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any, info: ValidationInfo) -> Any:
        optional = cls.model_fields[str(info.field_name)].default is None
        return None if optional and value == "" else value

    @property
    def options(self) -> FillOptions:
        """The options alone."""
        return FillOptions(**self.model_dump(include=set(_OPTIONS)))

    @property
    def corner(self) -> tuple[int, int] | None:
        """`mask_at` as x and y.

        Raises:
            RefusedError: if it is none.
        """
        if self.mask_at is None:
            return None
        x, comma, y = self.mask_at.partition(",")
        if not (comma and x.strip().isdecimal() and y.strip().isdecimal()):
            raise RefusedError(
                422, f"mask_at {self.mask_at!r} is not x,y in whole pixels; write it like 40,30"
            )
        return int(x), int(y)


_NOT_SERVED = ("device", "page", "keep_video", "stage", "raw")
_OPTIONS = {one.name: one for one in dataclasses.fields(FillOptions) if one.name not in _NOT_SERVED}
"""Those that a client may set."""


def _with_options(request: type[_Request]) -> type[_Request]:
    """Give a request a field for each option, with its limits."""
    made: Any = {name: _form_field(one) for name, one in _OPTIONS.items()}
    return create_model(request.__name__, __base__=request, __doc__=request.__doc__, **made)


def _form_field(one: dataclasses.Field[Any]) -> tuple[Any, Any]:
    """An option's type as a form sends it, its limits and its help."""
    option, hint = option_of(one), option_types()[one.name]
    if one.name in ("model", "box"):  # over HTTP neither is a file or a tuple
        hint = str if one.default is not None else str | None
    return hint, Field(
        default=one.default,
        ge=option.minimum,
        le=option.served_maximum or option.maximum,
        max_length=_longest(one.name) if hint in (str, str | None) else None,
        description=option.help,
    )


def _longest(name: str) -> int:
    return _LONGEST_BOXES if name == "box" else _LONGEST_TEXT


def served_maximum(name: str) -> float:
    """The largest number that a client may give for an option."""
    option = option_of(_OPTIONS[name])
    return option.served_maximum or option.maximum or math.inf


@_with_options
class StatelessFill(FillRequest):
    """The fields of POST /api/v1/fill beside its files."""

    photo_id: str | None = Field(
        default=None, max_length=64, description="A photo sent before, in place of `photo`."
    )
    result: int = Field(
        default=0, ge=0, description="Which result of that photo to start from; 0 is none."
    )


@_with_options
class FillOfUpload(FillRequest):
    """The fields of POST /api/v1/photos/{id}/fills beside its mask."""

    result: int = Field(
        default=0, ge=0, description="Which result to start from; 0 is the photo itself."
    )


def read_options(kind: type[_Form], fields: dict[str, str]) -> _Form:
    """Check the fields of a form.

    Raises:
        RefusedError: with 422 and what is wrong with the first bad one.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"]))[:60]
        if first["type"] == "extra_forbidden":
            known = ", ".join(kind.model_fields)
            raise RefusedError(422, f"there is no option {name!r}; there are {known}") from error
        raise RefusedError(422, f"{name}: {first['msg'].lower()}") from error


def read_json(kind: type[_Form], body: bytes) -> _Form:
    """Check a body of JSON.

    Raises:
        RefusedError: with 422 and what is wrong first.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"]))[:60] or "the body"
        raise RefusedError(422, f"{name}: {first['msg'].lower()}") from error


class ResultInfo(BaseModel):
    """One fill of a stored photo."""

    number: int = Field(description="1 for the first; 0 is the photo as it came.")
    start: int = Field(description="The result that it was made from.")
    box: tuple[int, int, int, int] = Field(description="x, y, width and height of what is new.")
    hole_ratio: float = Field(description="The filled part of the photo, 0 to 1.")
    seconds: float
    model: str
    warnings: list[str]


class PhotoInfo(BaseModel):
    """A photo that the server keeps for a while."""

    id: str = Field(description="Whoever knows it may use the photo.")
    name: str
    format: str
    width: int
    height: int
    bits: int = Field(description="A channel: 8 or 16.")
    bytes: int
    has_alpha: bool
    has_hole: bool = Field(description="Whether it has transparent pixels to fill without a mask.")
    tile: int = Field(description="The side of a tile in pixels.")
    results: list[ResultInfo]


class ModelInfo(BaseModel):
    """A model that can fill."""

    name: str
    title: str
    paper: str
    licences: dict[str, str]
    size: int = Field(description="Bytes of its weights.")
    installed: bool
    install: str = Field(description="The command that installs what it lacks.")
    default: bool
    seeded: bool = Field(description="Whether the seed changes its fills.")


class Word(BaseModel):
    """A plain word for how to fill, and the options that it stands for."""

    name: str
    options: dict[str, str | bool | float]


class OptionInfo(BaseModel):
    """An option of a fill, for a form to be made from."""

    name: str
    kind: Literal["flag", "number", "whole number", "choice", "text"]
    default: bool | float | str | None = Field(description="null: chosen by the photo.")
    page: bool | float | str | None = Field(description="What this server's page starts with.")
    minimum: float | None = None
    maximum: float | None = Field(default=None, description="What this server takes at most.")
    choices: list[str] = []
    help: str


def served_options() -> list[OptionInfo]:
    """What a client may set, in the order of the command line's help."""
    return [_option_info(one) for one in _OPTIONS.values()]


def _option_info(one: dataclasses.Field[Any]) -> OptionInfo:
    option, default = option_of(one), vars(FillOptions())[one.name]
    return OptionInfo(
        name=one.name,
        kind=_kind(one.name),
        default=default,
        page=PAGE_STARTS.get(one.name, default),
        minimum=option.minimum,
        maximum=option.served_maximum or option.maximum,
        choices=list(choices_of(one.name)),
        help=option.help,
    )


def _kind(name: str) -> Literal["flag", "number", "whole number", "choice", "text"]:
    hint = option_types()[name]
    if choices_of(name):
        return "choice"
    if hint is bool:
        return "flag"
    if hint is int:
        return "whole number"
    return "number" if hint in (float, float | None) else "text"


class ModelList(BaseModel):
    """The models, and what the server allows."""

    models: list[ModelInfo]
    words: list[Word]
    options: list[OptionInfo]
    saves: bool = Field(description="Whether the server has a folder to save results in.")
    max_bytes: int
    max_pixels: int
    max_grow: float


class ZipEntry(BaseModel):
    """A photo for the archive."""

    id: str = Field(max_length=64)
    result: int = Field(default=0, ge=0)


class ZipOrder(BaseModel):
    """What goes into the archive."""

    photos: list[ZipEntry] = Field(min_length=1, max_length=1000)


class Saved(BaseModel):
    """A result that was written into the server's folder."""

    name: str = Field(description="Of the file; nothing is written over.")


class Point(BaseModel):
    """A pixel of the photo."""

    x: int
    y: int
    inside: bool = Field(default=True, description="Whether it is of the thing, or beside it.")


class Selection(BaseModel):
    """What to select: points on it and beside it, or a box round it."""

    result: int = Field(default=0, ge=0)
    points: list[Point] = Field(default=[], max_length=100)
    box: tuple[int, int, int, int] | None = None
    wider: int = Field(
        default=0, ge=0, le=1000, description="Steps larger than what the points mean at first."
    )


class Problem(BaseModel):
    """What every answer with a status of 400 and above holds."""

    error: str = Field(description="One line: what was wrong and how to mend it.")
