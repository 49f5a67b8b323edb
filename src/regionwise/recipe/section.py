"""What all sections of a recipe have in common, and its numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A part of a recipe: nothing but the keys it names, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Duration:
    """A length of training: "300000 steps", "20 epochs", "2000000 photos"; a number alone is steps.

    An epoch is once through the photos, a step one update of the generator.
    """

    count: float
    unit: str = "steps"

    def __str__(self) -> str:
        return (
            f"{self.count:g} {self.unit}" if self.count < 1e6 else f"{self.count:.0f} {self.unit}"
        )

    def steps(self, batch: int, photos: int) -> int:
        """The number of steps with batches of so many photos, of a set of so many photos."""
        drawn = {"photos": self.count, "epochs": self.count * photos}
        if self.unit == "steps":
            return round(self.count)
        return max(1, -(-round(drawn[self.unit]) // batch))

    @classmethod
    def parse(cls, value: object) -> Duration:
        """A duration from what a YAML file holds.

        Raises:
            ValueError: if it is none.
        """
        if isinstance(value, Duration):
            return value
        found = re.fullmatch(r"([\d_.]+(?:e[+-]?\d+)?)\s*(step|epoch|photo)?s?", str(value).strip())
        count = float(found[1]) if found and found[1].count(".") < 2 else -1.0
        unit = f"{found[2] or 'step'}s" if found else "steps"
        if count < 0 or (unit == "steps" and count != int(count)):
            raise ValueError('give a length such as "300000 steps", "20 epochs" or "1e6 photos"')
        return cls(count, unit)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )
