"""The sections of a recipe."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from regionwise.holes import FAMILIES
from regionwise.plugins import HOLES, plugins
from regionwise.recipe.losses import AnyTerm, DiscriminatorTerm, Term
from regionwise.recipe.section import Count, Duration, NotNegative, Positive, Section, Share

STORED = "stored"
"""The family of holes that come from files (`HolesSection.masks`)."""


class ModelSection(Section):
    """Which network, and its options (see the network's class)."""

    name: str
    options: dict[str, Any] = Field(default={})


class InitializationSection(Section):
    """With which weights convolutions begin; biases begin with 0.

    Attributes:
        name: "own" is the network's own, see its class. "normal" has mean 0 and the standard
            deviation `std`. "kaiming" and "xavier" are normal with the std of these, times the
            gain. "pytorch" is what PyTorch's convolutions begin with, biases too.
    """

    name: Literal["own", "normal", "kaiming", "xavier", "pytorch"] = "own"
    std: Positive = 0.02
    gain: Positive = 1.0


class ScheduleSection(Section):
    """How the learning rate goes on after the warm-up.

    Attributes:
        name: "constant"; "cosine", down to the share `to`; "linear", constant for `hold`, then
            straight down to `to`; "steps", constant for `hold`, then times `factor` after each
            `every`.
        over: how long it is laid out for, the whole phase if none.
    """

    name: Literal["constant", "cosine", "linear", "steps"] = "constant"
    to: Share = 0.0
    hold: Duration = Duration(0)
    every: Duration = Duration(1, "epochs")
    factor: Positive = 1.0
    over: Duration | None = None


class OptimizerSection(Section):
    """Adam, Adadelta or Muon.

    Attributes:
        name: "adadelta" (Zeiler 2012) has its own measure of a step, which is a rate of 1. "muon"
            is Muon for wide convolutions and Adam for all else, see `regionwise.training.muon`.
        lr: the learning rate.
        betas: of Adam.
        warmup: how long the rate rises linearly at the beginning of the phase.
        clip: the norm to which all gradients together are shortened.
    """

    name: Literal["adam", "adadelta", "muon"] = "adam"
    lr: Positive
    betas: tuple[Share, Share] = (0.9, 0.999)
    weight_decay: NotNegative = 0.0
    warmup: Duration = Duration(0)
    schedule: ScheduleSection = ScheduleSection()
    clip: Positive | None = None


class AdversarialLossSection(Section):
    """What generator and discriminator lower against each other; a name alone will do.

    Attributes:
        name: see `regionwise.losses.adversarial.registry`.
        options: see its class.
    """

    name: str = "hinge"
    options: dict[str, Any] = Field(default={})

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given


class DiscriminatorSection(Section):
    """The generator's adversary, trained in each phase that has an adversarial term.

    Attributes:
        name: see `regionwise.discriminators.registry`. "patch" sees a picture; "conditional" the
            photo with its hole beside a candidate, at several scales; "region-wise" the hole's
            content alone, or a whole picture, with the mask; "local-global" a picture and a window
            around its hole, and "local-global-critics" has a score for each.
        options: see its class.
        loss: the adversarial loss.
        steps: updates of the discriminator for each one of the generator.
    """

    name: str = "patch"
    options: dict[str, Any] = Field(default={})
    loss: AdversarialLossSection = AdversarialLossSection()
    steps: Count = 1
    optimizer: OptimizerSection


class DataSection(Section):
    """How a photo becomes a square picture.

    Attributes:
        size: side of the picture in pixels.
        framing: "random-square": a square of any side between `size` and the photo's short side,
            anywhere, scaled to `size`. "center-square": the middle of the photo, scaled. "squash":
            the whole photo, its aspect not kept. "random-crop": the photo's short side scaled to
            `scale`, then a crop anywhere. "polyphase": the whole photo squashed to `scale`, then
            every `scale / size`-th pixel from a start drawn by chance.
        scale: see there; `size` if none.
        flip: whether half of the pictures are mirrored.
        quarter_turns: whether pictures are turned by 0, 90, 180 or 270 degrees.
        guide: what else is made of a picture for networks that paint along it: its "edges", Canny's
            with EdgeConnect's numbers; its "structure", by relative total variation.
    """

    size: int = Field(ge=16)
    framing: Literal["random-square", "center-square", "squash", "random-crop", "polyphase"] = (
        "random-square"
    )
    scale: Count | None = None
    flip: bool = True
    quarter_turns: bool = False
    guide: Literal["edges", "structure"] | None = None

    @model_validator(mode="after")
    def _scale_fits(self) -> DataSection:
        scale = self.scale or self.size
        if scale < self.size or (self.framing == "polyphase" and scale % self.size):
            raise ValueError(
                f"scale {scale} must be size {self.size} or more, polyphase a multiple"
            )
        return self


class HolesSection(Section):
    """Which holes are drawn.

    Attributes:
        mixture: weight of each family, see `regionwise.holes`; "stored" is the masks from files.
        ratio: interval of the share of missing pixels; each family has its own if none.
        sides: interval of a "rectangle"'s sides, as shares of the picture's; 0.3 to 0.7 if none. It
            has no use where a ratio is given.
        draw: "one" family for each photo, by weight, or a hole of "each" one, so that a photo
            gives as many pictures.
        masks: folders or tars of masks, for "stored".
        invert: whether those have black where something is missing.
        augment: whether those are flipped, turned, cropped and dilated (MADF, section IV-C); or
            "slightly", flipped and turned by up to 10 degrees alone (MADF as released).
    """

    mixture: dict[str, Positive] = Field(min_length=1)
    ratio: tuple[Share, Share] | None = None
    sides: tuple[Share, Share] | None = None
    draw: Literal["one", "each"] = "one"
    masks: tuple[str, ...] = ()
    invert: bool = False
    augment: bool | Literal["slightly"] = True

    @field_validator("mixture")
    @classmethod
    def _known_families(cls, mixture: dict[str, float]) -> dict[str, float]:
        for name in mixture:
            if name not in FAMILIES and name != STORED and name not in plugins(HOLES):
                known = ", ".join([*sorted(FAMILIES), *plugins(HOLES), STORED])
                raise ValueError(f"no family of holes is called {name!r}; there are: {known}")
        return mixture

    @field_validator("ratio")
    @classmethod
    def _interval(cls, ratio: tuple[float, float] | None) -> tuple[float, float] | None:
        if ratio is not None and ratio[0] >= ratio[1]:
            raise ValueError(f"no share lies above {ratio[0]:g} and up to {ratio[1]:g}")
        return ratio

    @model_validator(mode="after")
    def _masks_are_named(self) -> HolesSection:
        if STORED in self.mixture and not self.masks:
            raise ValueError("stored holes need their files: set masks to folders or tars")
        return self

    @property
    def per_photo(self) -> int:
        """Pictures made of one photo."""
        return len(self.mixture) if self.draw == "each" else 1


class ValidationSection(Section):
    """How it is judged whether the network gets better.

    Held-back photos are cropped in the middle and scaled to the first phase's size (or that of the
    protocol); each has the same hole every time.

    Attributes:
        every: how often; at the end of each phase in any case.
        photos: of so many photos.
        protocol: a benchmark whose masks are used, see `regionwise evaluate`; else holes of the
            first phase's kind are drawn from a fixed seed.
        best: the number by which the best checkpoint is chosen.
    """

    every: Duration = Duration(2000)
    photos: Count = 64
    protocol: str | None = None
    best: Literal["psnr", "ssim", "l1_hole"] = "psnr"


class AlarmSection(Section):
    """When a training is stopped because it goes wrong; NaN always does. `null` switches one off.

    Attributes:
        gradient: times its usual norm that a gradient exceeds in ten steps in a row.
        discriminator: loss below which the discriminator stays for `patience` when it has won
            outright (for losses whose least value is 0).
        patience: see there.
    """

    gradient: Positive | None = 100.0
    discriminator: Positive | None = 1e-3
    patience: Count = 500


class Phase(Section):
    """A stretch of training.

    Attributes:
        length: how long it is.
        batch: photos of a step, over all processes together.
        losses: the terms; their weighted sum is lowered. A term of weight 0 is left out.
        start: with the weights that the phase before ended with, or with their "average".
        keep_optimizer: whether Adam's moments go on from the phase before.
        accumulate: parts into which each process cuts its share of a batch, one after the other,
            to spare memory.
        parts: the network's modules that are trained, by their names in it; all others stand still,
            with the statistics of their batch norms. All are trained if none; with an empty list
            only the discriminator is.
        guide: along which guide the network paints: the one that it "predicted" itself or, as a
            teacher would have it, the "true" one (`data.guide`).
        discriminator: one of this phase's own, with fresh weights, in place of the recipe's.
        clip_pictures: whether the network's pictures are cut to [0, 1] before anything compares or
            judges them; what lies outside then gets no gradient.
        discriminator_lr: the discriminator's learning rate, where it is not its own section's.
    """

    name: str
    length: Duration
    batch: Count
    data: DataSection
    holes: HolesSection
    losses: tuple[AnyTerm, ...] = Field(min_length=1)
    optimizer: OptimizerSection
    start: Literal["last", "average"] = "last"
    keep_optimizer: bool = False
    accumulate: Count = 1
    parts: tuple[str, ...] | None = None
    guide: Literal["predicted", "true"] = "predicted"
    discriminator: DiscriminatorSection | None = None
    discriminator_lr: Positive | None = None
    clip_pictures: bool = False

    @property
    def terms(self) -> tuple[Term, ...]:
        """The losses that weigh anything."""
        return tuple(term for term in self.losses if term.weight > 0)

    @property
    def adversarial(self) -> bool:
        """Whether the discriminator takes part."""
        return any(isinstance(term, DiscriminatorTerm) for term in self.terms)

    @model_validator(mode="after")
    def _some_term_weighs(self) -> Phase:
        if not self.terms:
            raise ValueError(f"phase {self.name!r}: all its losses have weight 0")
        return self

    @model_validator(mode="after")
    def _guides_are_there(self) -> Phase:
        guided = [term for term in self.terms if "guide" in term.stages]
        if (guided or self.guide == "true") and self.data.guide is None:
            raise ValueError(f"phase {self.name!r} has a true guide: say which, in data.guide")
        for term in guided:
            if not term.compares_guides:
                raise ValueError(f"a {term.name} term compares pictures: it can't have stage guide")
        return self


class Recipe(Section):
    """A whole training.

    Attributes:
        initial_weights: a checkpoint from which the network begins, of any kind that
            `regionwise fill --model` reads. A narrower MADF than the recipe's is widened.
        feature_weights: "random" makes feature networks of seeded random weights, for tests.
        sync_batch_norm: whether batch norms see the pictures of all GPUs together, or each its own.
        ema: decay of the averaged weights, which are what is kept in the end; 0 for none.
        precision: "bf16" and "fp16" are mixed precision. "auto" is fp32 or bf16, whichever is
            faster, by measuring at the start; the run keeps what was found.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    model: ModelSection
    initialization: InitializationSection = InitializationSection()
    initial_weights: str | None = None
    discriminator: DiscriminatorSection | None = None
    phases: tuple[Phase, ...] = Field(min_length=1)
    feature_weights: Literal["imagenet", "random"] = "imagenet"
    sync_batch_norm: bool = True
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    precision: Literal["fp32", "bf16", "fp16", "auto"] = "fp32"
    validation: ValidationSection = ValidationSection()
    alarms: AlarmSection = AlarmSection()

    @model_validator(mode="after")
    def _phases_fit(self) -> Recipe:
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names):
            raise ValueError(f"two phases have one name; they are called {', '.join(names)}")
        for before, phase in pairwise(self.phases):
            if phase.keep_optimizer and _players(phase) != _players(before):
                raise ValueError(
                    f"phase {phase.name!r} can't keep the optimizer: phase {before.name!r} trains "
                    "other parts, another discriminator, or with another optimizer"
                )
        for phase in self.phases:
            if phase.adversarial and self.discriminator_of(phase) is None:
                raise ValueError(
                    f"phase {phase.name!r} has an adversarial term: add a section discriminator"
                )
        return self

    def discriminator_of(self, phase: Phase) -> DiscriminatorSection | None:
        """The discriminator of one of its phases."""
        return phase.discriminator or self.discriminator


def _players(phase: Phase) -> tuple[object, ...]:
    """What must be the same in two phases for an optimizer's moments to go on."""
    own = phase.name if phase.discriminator else ""
    return phase.parts, own, phase.optimizer.name
