"""The terms of a loss as data: what is compared, of which stage, where, and how much it weighs.

A phase has a list of terms. So a cascade whose decoders are supervised one by one (MADF, section
III-E), or "correlation on the first stage, style on the second" (RED), are lines of a recipe.

A term's class names the function that computes it, and its own keys are that function's keyword
arguments. What a function is called with besides depends on the kind of its term, the class that
it inherits from here:

| kind | function is called with |
|---|---|
| `PictureTerm` | answer, truth, mask |
| `PixelTerm` | the same, and `hole_share`, by which means over regions divide |
| `FeatureTerm` | lists of layers of answer and truth, and the layers' weights |
| `DiscriminatorTerm` | what the discriminator says of answer and truth |
| `FlowTerm` | layers of the truth and of the photo with its hole, the flow, and the mask |

A `NetworkTerm` has no function: its value is a number that the network itself takes.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from regionwise.plugins import LOSSES, plugins
from regionwise.recipe.section import Count, NotNegative, Section

Stage = int | Literal["all", "refined", "low_resolution", "low_resolution_if_any", "guide"]
ComparedPicture = Literal["raw", "composed", "both", "hole"]
"""Which picture is compared: "hole" is black outside the hole, and so is its truth."""
LayerWeights = dict[str, NotNegative]


class FeaturesSection(Section):
    """Which activations of which frozen network are compared.

    Attributes:
        network: "vgg16" and "vgg19" have torchvision's weights. "vgg16-caffe" has the authors'
            own, which see BGR pictures of 0 to 255 less a mean: features are some 57 times larger
            than torchvision's, and losses quadratic in them some 3,000 times; its file must be
            given. "darknet" serves where VGG's weights can't be had.
        layers: names with a weight each, or a list of names (weight 1): `conv1_1`, `relu1_1`,
            `pool1`, ... for VGG; `stage1` to `stage5` for Darknet.
        size: side to which pictures are scaled first; as they are if none.
        normalize: whether torchvision's VGG is given pictures of ImageNet's mean and standard
            deviation, or of [0, 1].
    """

    network: Literal["vgg16", "vgg19", "vgg16-caffe", "darknet"] = "vgg16"
    layers: LayerWeights = Field(min_length=1)
    size: Count | None = None
    normalize: bool = True

    @field_validator("layers", mode="before")
    @classmethod
    def _weights(cls, layers: object) -> object:
        return dict.fromkeys(layers, 1.0) if isinstance(layers, list | tuple) else layers

    @model_validator(mode="after")
    def _known_layers(self) -> FeaturesSection:
        for layer in self.layers:
            if layer not in feature_layers(self.network):
                names = feature_layers(self.network)
                raise ValueError(
                    f"{self.network} has no layer {layer!r}; it has {names[0]} … {names[-1]}"
                )
        return self


class Term(Section):
    """Common to all.

    Attributes:
        stage: which of the network's pictures, or a list; values for several stages, and for both
            pictures, are added up. A number (0 = the first stage, -1 = the last); "all" stages;
            "refined", all but the first, or the only one; "low_resolution", or
            "low_resolution_if_any" for networks that may lack one. "guide" is no picture, but what
            the network paints along, EdgeConnect's edges; its truth is the data's (`data.guide`).
        picture: which picture is compared.
    """

    function: ClassVar[str]
    """Where the function is: "module:name"."""
    compares_guides: ClassVar[bool] = True
    """Whether it may compare a guide, which has one channel."""

    name: str
    weight: NotNegative = 1.0
    stage: Stage | tuple[Stage, ...] = -1
    picture: ComparedPicture = "composed"

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages as a tuple."""
        return self.stage if isinstance(self.stage, tuple) else (self.stage,)

    @property
    def options(self) -> dict[str, Any]:
        """The keys of its own, with their values: its function's keyword arguments."""
        common = {*Term.model_fields, "features"}
        return {key: getattr(self, key) for key in type(self).model_fields if key not in common}

    @property
    def label(self) -> str:
        """Its name, with region and stages where these are not the usual ones."""
        region = self.options.get("region", "all")
        parts = [self.name] if region == "all" else [self.name, region]
        if self.stage != -1:
            parts += ["stage"] if isinstance(self.stages[0], int) else []
            parts += map(str, self.stages)
        return "_".join(parts)


class PictureTerm(Term):
    """Of pictures: its function takes answer and truth, N×3×H×W, and the mask, N×1×H×W."""


class PixelTerm(PictureTerm):
    """Pixel by pixel, over a region.

    Attributes:
        region: where pixels count.
        over: what the sum is divided by: the pixels of the region, of the hole, or of the whole
            picture, times channels; or nothing ("sum": each picture's own sum).
        discount: what a missing pixel counts, to the power of its distance from the known region.
    """

    picture: ComparedPicture = "raw"
    region: Literal["hole", "known", "all"] = "all"
    over: Literal["region", "hole", "picture", "sum"] = "picture"
    discount: Annotated[float, Field(gt=0, le=1)] = 1.0


class FeatureTerm(Term):
    """Of the features of a frozen network."""

    compares_guides = False
    features: FeaturesSection


class DiscriminatorTerm(Term):
    """Of what the recipe's discriminator says.

    It is trained on just these pictures, in each phase that has such a term.
    """

    picture: Literal["raw", "composed"] = "composed"


class L1Term(PixelTerm):
    """Absolute difference of pixels."""

    function = "regionwise.losses.reconstruction:l1"
    name: Literal["l1"]


class L2Term(PixelTerm):
    """Squared difference of pixels."""

    function = "regionwise.losses.reconstruction:l2"
    name: Literal["l2"]


class TotalVariationTerm(PictureTerm):
    """Differences of neighbouring pixels: of the whole picture, or of the hole grown by a pixel.

    Attributes:
        power: 1 for absolute, 2 for squared differences.
    """

    function = "regionwise.losses.total_variation:total_variation"
    name: Literal["total_variation"]
    region: Literal["grown_hole", "all"] = "all"
    power: Literal[1, 2] = 1


class StructuralSimilarityTerm(PictureTerm):
    """One less the structural similarity (SSIM) of the whole picture."""

    function = "regionwise.losses.structural_similarity:structural_similarity"
    compares_guides = False
    name: Literal["structural_similarity"]


class PerceptualTerm(FeatureTerm):
    """L1 distance of features, a mean for each layer."""

    function = "regionwise.losses.perceptual:perceptual"
    name: Literal["perceptual"]


class StyleTerm(FeatureTerm):
    """Distance of Gram matrices, see `regionwise.losses.perceptual.style`.

    Attributes:
        distance: of two matrices: mean of absolute or of squared differences, or their plain sum.
    """

    function = "regionwise.losses.perceptual:style"
    name: Literal["style"]
    distance: Literal["mean_absolute", "mean_squared", "sum_absolute"] = "mean_absolute"


class CorrelationTerm(FeatureTerm):
    """Non-local correlation of the Region-wise papers, on one layer."""

    function = "regionwise.losses.correlation:correlation_of_layers"
    name: Literal["correlation"]


class AdversarialTerm(DiscriminatorTerm):
    """The generator's side of the discriminator's loss (`discriminator.loss`)."""

    name: Literal["adversarial"]


class FeatureMatchingTerm(DiscriminatorTerm):
    """The discriminator's features of the filled picture shall be those of the true one.

    Attributes:
        layers: how the layers' distances are put together.
        scores: whether the scores count as a layer.
    """

    function = "regionwise.losses.feature_matching:multi_scale_feature_matching"
    name: Literal["feature_matching"]
    layers: Literal["mean", "sum"] = "mean"
    scores: bool = False


class FlowTerm(Term):
    """Of a flow that a network fetches features along; whatever its stage.

    Features are compared as large as the flow is, so a layer of that size is named.
    """

    compares_guides = False
    features: FeaturesSection


class SamplingCorrectnessTerm(FlowTerm):
    """How like the truth what the flow points to is (StructureFlow, eq. 5)."""

    function = "regionwise.losses.sampling_correctness:sampling_correctness"
    name: Literal["sampling_correctness"]


class NetworkTerm(Term):
    """A number that the network takes of each picture while it trains, whatever its stage.

    Attributes:
        number: its name: "divergence" of PIC.
    """

    name: Literal["network"]
    number: str

    @property
    def label(self) -> str:
        """The number's name."""
        return self.number


class OwnTerm(PictureTerm):
    """A loss that another package brings.

    Attributes:
        loss: name of its entry point in the group `regionwise.losses`: a function of answer and
            truth, N×3×H×W, and the mask, N×1×H×W, that gives a number for each picture, or their
            mean.
        keywords: further arguments of the function.
    """

    function = "regionwise.losses.own:own_loss"

    name: Literal["own"]
    loss: str
    keywords: dict[str, Any] = Field(default_factory=dict)

    @field_validator("loss")
    @classmethod
    def _is_there(cls, loss: str) -> str:
        if loss not in plugins(LOSSES):
            there = ", ".join(plugins(LOSSES)) or "none"
            raise ValueError(f"no package brings a loss {loss!r}; there are: {there}")
        return loss

    @property
    def label(self) -> str:
        """The loss's own name."""
        return super().label.replace("own", self.loss, 1)


AnyTerm = Annotated[
    L1Term
    | L2Term
    | TotalVariationTerm
    | StructuralSimilarityTerm
    | PerceptualTerm
    | StyleTerm
    | CorrelationTerm
    | AdversarialTerm
    | FeatureMatchingTerm
    | SamplingCorrectnessTerm
    | NetworkTerm
    | OwnTerm,
    Field(discriminator="name"),
]

_VGG_BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


def feature_layers(network: str) -> list[str]:
    """The names of a feature network's layers, first to last."""
    if network == "darknet":
        return [f"stage{number}" for number in range(1, 6)]
    names = []
    for block, convolutions in enumerate(_VGG_BLOCKS[network.removesuffix("-caffe")], start=1):
        for number in range(1, convolutions + 1):
            names += [f"conv{block}_{number}", f"relu{block}_{number}"]
        names.append(f"pool{block}")
    return names
