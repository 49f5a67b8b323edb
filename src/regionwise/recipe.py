"""The schema of a recipe: everything that a training depends on, as one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from regionwise.errors import RecipeError
from regionwise.holes import FAMILIES

Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSection(_Section):
    """Which network, and its options (see the network's class)."""

    name: str
    options: dict[str, Any] = {}


class DiscriminatorSection(_Section):
    """The PatchGAN: channels of its first convolution, 64 in the papers."""

    width: int = Field(default=64, gt=0)


class HolesSection(_Section):
    """Which holes are drawn: weight of each family, and an interval for the share of missing."""

    mixture: dict[str, Positive] = Field(min_length=1)
    ratio: tuple[float, float] | None = None

    @field_validator("mixture")
    @classmethod
    def _known_families(cls, mixture: dict[str, float]) -> dict[str, float]:
        unknown = sorted(set(mixture) - set(FAMILIES))
        if unknown:
            known = ", ".join(sorted(FAMILIES))
            raise ValueError(f"no family of holes is called {unknown[0]}; there are: {known}")
        return mixture


class LossSection(_Section):
    """Weight of each loss; 0 leaves it out."""

    hole_l1: Weight = 1.0
    perceptual: Weight = 0.0
    style: Weight = 0.0
    adversarial: Weight = 0.0
    feature_matching: Weight = 0.0


class OptimizerSection(_Section):
    """Adam, with a linear warm-up and then a constant rate or a cosine down to a tenth of it."""

    lr: Positive
    betas: tuple[float, float] = (0.9, 0.99)
    warmup: int = Field(default=0, ge=0)
    schedule: Literal["constant", "cosine"] = "constant"
    clip: Positive | None = None


class PhaseSection(_Section):
    """A stretch of training; phases follow one another with the same networks."""

    name: str
    steps: int = Field(gt=0)
    size: int = Field(ge=16)
    batch: int = Field(gt=0)
    holes: HolesSection
    losses: LossSection = LossSection()
    generator: OptimizerSection
    discriminator: OptimizerSection | None = None


class Recipe(_Section):
    """A whole training."""

    seed: int = 0
    model: ModelSection
    discriminator: DiscriminatorSection = DiscriminatorSection()
    phases: tuple[PhaseSection, ...] = Field(min_length=1)
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    precision: Literal["float32", "bfloat16"] = "float32"


def read_recipe(file: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        RecipeError: one line that names the file, the key, and what would be right.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file}: can't be read ({error})") from error
    except yaml.YAMLError as error:
        raise RecipeError(f"{file}: not YAML ({' '.join(str(error).split())})") from error
    return check_recipe(content, str(file))


def check_recipe(content: Any, origin: str) -> Recipe:
    """A recipe from plain data; `origin` is named in errors."""
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first, *others = error.errors()
        key = ".".join(map(str, first["loc"])) or "the whole"
        more = f" (and {len(others)} more)" if others else ""
        raise RecipeError(f"{origin}: {key}: {first['msg']}{more}") from error
