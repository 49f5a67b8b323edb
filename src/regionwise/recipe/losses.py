"""The terms of a loss as data: what is compared, of which stage, where, and how much it weighs.

A phase has a list of terms. So a cascade whose decoders are supervised one by one (MADF, section
III-E), or "correlation on the first stage, style on the second" (RED), are lines of a recipe.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from regionwise.recipe.section import Count, NotNegative, Section

Stage = int | Literal["all", "low_resolution", "guide"]
Picture = Literal["raw", "composed", "both", "hole"]
"""Which picture is compared: "hole" is black outside the hole, and so is its truth."""
LayerWeights = dict[str, NotNegative]


class FeaturesSection(Section):
    """Which activations of which frozen network are compared.

    Attributes:
        network: "darknet" serves where VGG's weights can't be had.
        layers: names with a weight each, or a list of names (weight 1): `conv1_1`, `relu1_1`,
            `pool1`, ... for VGG; `stage1` to `stage5` for Darknet.
        size: side to which pictures are scaled first; as they are if none.
        normalize: whether VGG is given pictures of ImageNet's mean and deviation, or of [0, 1].
    """

    network: Literal["vgg16", "vgg19", "darknet"] = "vgg16"
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
            if layer not in layer_names(self.network):
                names = layer_names(self.network)
                raise ValueError(
                    f"{self.network} has no layer {layer!r}; it has {names[0]} … {names[-1]}"
                )
        return self


class _Term(Section):
    """Common to all.

    Attributes:
        stage: a number (0 = the first, -1 = the last), "all", "low_resolution", or a list. Values
            for several stages, and for both pictures, are added up. "guide" is no picture, but what
            the network paints along, EdgeConnect's edges; its truth is the data's (`data.guide`).
    """

    weight: NotNegative = 1.0
    stage: Stage | tuple[Stage, ...] = -1

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages as a tuple."""
        return self.stage if isinstance(self.stage, tuple) else (self.stage,)


class _PixelTerm(_Term):
    """Pixel by pixel.

    Attributes:
        region: where pixels count.
        picture: the raw prediction, or composed with the known pixels.
        over: what the sum is divided by: the pixels of the region, of the hole, or of the whole
            picture, times channels; or nothing ("sum": each picture's own sum).
        discount: what a missing pixel counts, to the power of its distance from the known region.
    """

    picture: Picture = "raw"
    region: Literal["hole", "known", "all"] = "all"
    over: Literal["region", "hole", "picture", "sum"] = "picture"
    discount: Annotated[float, Field(gt=0, le=1)] = 1.0


class L1Term(_PixelTerm):
    """Absolute difference of pixels."""

    name: Literal["l1"]


class L2Term(_PixelTerm):
    """Squared difference of pixels."""

    name: Literal["l2"]


class TotalVariationTerm(_Term):
    """Differences of neighbouring pixels: of the whole picture, or of the hole grown by a pixel.

    Attributes:
        power: 1 for absolute, 2 for squared differences.
    """

    name: Literal["total_variation"]
    picture: Picture = "composed"
    region: Literal["grown_hole", "all"] = "all"
    power: Literal[1, 2] = 1


class StructuralSimilarityTerm(_Term):
    """One less the structural similarity (SSIM) of the whole picture."""

    name: Literal["structural_similarity"]
    picture: Picture = "composed"


class PerceptualTerm(_Term):
    """L1 distance of features, a mean for each layer."""

    name: Literal["perceptual"]
    picture: Picture = "composed"
    features: FeaturesSection


class StyleTerm(_Term):
    """Distance of Gram matrices, see `regionwise.losses.perceptual.style`.

    Attributes:
        distance: of two matrices: mean of absolute or of squared differences, or their plain sum.
    """

    name: Literal["style"]
    picture: Picture = "composed"
    features: FeaturesSection
    distance: Literal["mean_absolute", "mean_squared", "sum_absolute"] = "mean_absolute"


class CorrelationTerm(_Term):
    """Non-local correlation of the Region-wise papers, on one layer."""

    name: Literal["correlation"]
    picture: Picture = "composed"
    features: FeaturesSection


class AdversarialTerm(_Term):
    """What the recipe's discriminator says of the picture.

    It is trained on just these pictures, in each phase that has such a term.
    """

    name: Literal["adversarial"]
    picture: Literal["raw", "composed"] = "composed"


class FeatureMatchingTerm(_Term):
    """The discriminator's features of the filled picture shall be those of the true one.

    Attributes:
        layers: how the layers' distances are put together.
        scores: whether the scores count as a layer.
    """

    name: Literal["feature_matching"]
    picture: Literal["raw", "composed"] = "composed"
    layers: Literal["mean", "sum"] = "mean"
    scores: bool = False


Term = Annotated[
    L1Term
    | L2Term
    | TotalVariationTerm
    | StructuralSimilarityTerm
    | PerceptualTerm
    | StyleTerm
    | CorrelationTerm
    | AdversarialTerm
    | FeatureMatchingTerm,
    Field(discriminator="name"),
]
FeatureTerm = PerceptualTerm | StyleTerm | CorrelationTerm

_VGG_BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


def layer_names(network: str) -> list[str]:
    """The names of a feature network's layers, first to last."""
    if network == "darknet":
        return [f"stage{number}" for number in range(1, 6)]
    names = []
    for block, convolutions in enumerate(_VGG_BLOCKS[network], start=1):
        for number in range(1, convolutions + 1):
            names += [f"conv{block}_{number}", f"relu{block}_{number}"]
        names.append(f"pool{block}")
    return names
