"""What travels: the options of a request, and the answers as data. OpenAPI is made from these."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from regionwise.filling import Large
from regionwise.web.refusals import RefusedError

_Options = TypeVar("_Options", bound=BaseModel)

MAX_GROW = 200
"""Pixels; the time that growing and feathering take rises with their square."""


class FillOptions(BaseModel):
    """The options of a fill, named as on the command line."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(default="default", max_length=100, description="A name of /api/v1/models.")
    box: str | None = Field(
        default=None, max_length=60, description="Fill the rectangle x,y,w,h; needs no mask."
    )
    invert_mask: bool = Field(default=False, description="Fill black instead of white.")
    resize_mask: bool = Field(
        default=False, description="Scale a mask of another size to the photo's."
    )
    mask_at: str | None = Field(
        default=None,
        max_length=30,
        description="The mask is a part of the photo's size; its upper left corner lies at x,y.",
    )
    grow: float = Field(
        default=0, ge=0, le=MAX_GROW, description="Widen the hole by so many pixels."
    )
    feather: float | None = Field(
        default=None,
        ge=0,
        le=MAX_GROW,
        description="Pixels in the hole over which the fill fades in.",
    )
    large: Large = Field(
        default="auto",
        description="window: round the holes; detail: thick holes then get detail of the rest of "
        "the photo; polyphase: by small pictures of all of the photo; auto: detail for the "
        "bundled networks in photos over 512 pixels, else window.",
    )
    ensemble: bool = Field(
        default=False, description="Average the photo turned and mirrored: 5 times the time."
    )
    blend: Literal["none", "poisson"] = Field(
        default="none", description="poisson: the fill takes on the border's light."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="For models that draw numbers.")

    @field_validator("feather", "box", "mask_at", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

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


class StatelessFill(FillOptions):
    """The fields of POST /api/v1/fill beside its files."""

    photo_id: str | None = Field(
        default=None, max_length=64, description="A photo sent before, in place of `photo`."
    )
    result: int = Field(
        default=0, ge=0, description="Which result of that photo to start from; 0 is none."
    )


class StoredFill(FillOptions):
    """The fields of POST /api/v1/photos/{id}/fills beside its mask."""

    result: int = Field(
        default=0, ge=0, description="Which result to start from; 0 is the photo itself."
    )


def read_options(kind: type[_Options], fields: dict[str, str]) -> _Options:
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


class ModelList(BaseModel):
    """The models, and what the server allows."""

    models: list[ModelInfo]
    max_bytes: int
    max_pixels: int
    max_grow: int = MAX_GROW


class ZipEntry(BaseModel):
    """A photo for the archive."""

    id: str = Field(max_length=64)
    result: int = Field(default=0, ge=0)


class ZipOrder(BaseModel):
    """What goes into the archive."""

    photos: list[ZipEntry] = Field(min_length=1, max_length=1000)


class Problem(BaseModel):
    """What every answer with a status of 400 and above holds."""

    error: str = Field(description="One line: what was wrong and how to mend it.")
