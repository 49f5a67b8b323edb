"""The frozen networks whose features the recipe's terms compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.errors import CheckpointError
from regionwise.features.darknet import DarknetFeatures
from regionwise.features.vgg import VggName, load_vgg, random_vgg
from regionwise.recipe.losses import FeaturesSection, FeatureTerm, Term, layer_names

Features = Mapping[str, Tensor]
Extractor = Callable[[Tensor], Features]
"""Features by the names of their layers, of pictures N×3×H×W in [0, 1]."""


class FeatureNetworks:
    """The networks that some terms name, each with all the layers that any of them wants.

    Args:
        terms: of a phase.
        random: seeded random weights in place of trained ones.
        files: of weights: "vgg" (else they are downloaded), "darknet".
        device: where they compute.
    """

    def __init__(
        self,
        terms: Iterable[Term],
        *,
        random: bool,
        files: Mapping[str, Path],
        device: torch.device,
    ) -> None:
        layers: dict[tuple[str, bool], set[str]] = {}
        for term in terms:
            if isinstance(term, FeatureTerm):
                layers.setdefault(_key(term.features), set()).update(term.features.layers)
        self._extractors = {
            key: _make(*key, sorted(names), random, files, device) for key, names in layers.items()
        }

    def __call__(
        self, section: FeaturesSection, picture: Tensor, autocast: AbstractContextManager[None]
    ) -> Features:
        """Features of a picture, in float32, of all layers that any term wants of the network."""
        if section.size is not None:
            picture = F.interpolate(
                picture, (section.size, section.size), mode="bilinear", align_corners=False
            )
        with autocast:
            features = self._extractors[_key(section)](picture)
        return {name: feature.float() for name, feature in features.items()}


def _key(section: FeaturesSection) -> tuple[str, bool]:
    return section.network, section.normalize


def _make(
    network: str,
    normalize: bool,
    layers: list[str],
    random: bool,
    files: Mapping[str, Path],
    device: torch.device,
) -> Extractor:
    if network == "darknet":
        if "darknet" not in files:
            raise CheckpointError("a loss compares Darknet's features: give --darknet FILE.npz")
        darknet = DarknetFeatures(files["darknet"]).to(device)
        return lambda picture: dict(zip(layer_names("darknet"), darknet(picture), strict=False))
    name: VggName = "vgg16" if network == "vgg16" else "vgg19"
    if random:
        vgg = random_vgg(name, layers, normalize=normalize)
    else:
        vgg = load_vgg(name, layers, normalize=normalize, file=files.get("vgg"))
    return vgg.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
