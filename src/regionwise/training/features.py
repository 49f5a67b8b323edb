"""The frozen networks whose features the recipe's terms compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.errors import CheckpointError
from regionwise.losses.feature_network import DarknetFeatures
from regionwise.recipe.losses import FeaturesSection, FeatureTerm, Term, layer_names

Features = Mapping[str, Tensor]


class Extractor(Protocol):
    """Features by the names of their layers, of pictures N×3×H×W in [0, 1]."""

    def __call__(self, picture: Tensor) -> Features:
        """See the class."""
        ...


class FeatureNetworks:
    """Networks and sizes that some terms name, each with all the layers that any of them wants.

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
        layers: dict[str, set[str]] = {}
        for term in terms:
            if isinstance(term, FeatureTerm):
                layers.setdefault(term.features.network, set()).update(term.features.layers)
        self._extractors = {
            network: _make(network, sorted(names), random, files, device)
            for network, names in layers.items()
        }

    def __call__(
        self, section: FeaturesSection, picture: Tensor, autocast: AbstractContextManager[None]
    ) -> Features:
        """Features of a picture, in float32, of all layers that any term wants."""
        if section.size is not None:
            picture = F.interpolate(
                picture, (section.size, section.size), mode="bilinear", align_corners=False
            )
        with autocast:
            features = self._extractors[section.network](picture)
        return {name: feature.float() for name, feature in features.items()}


class _Darknet:
    def __init__(self, layers: list[str], file: Path, device: torch.device) -> None:
        self.layers = layers
        self.network = DarknetFeatures(file).to(device)

    def __call__(self, picture: Tensor) -> Features:
        features = dict(zip(layer_names("darknet"), self.network(picture), strict=False))
        return {name: features[name] for name in self.layers}


def _make(
    network: str,
    layers: list[str],
    random: bool,
    files: Mapping[str, Path],
    device: torch.device,
) -> Extractor:
    if network == "darknet":
        if "darknet" not in files:
            raise CheckpointError("a loss compares Darknet's features: give --darknet FILE.npz")
        return _Darknet(layers, files["darknet"], device)
    raise CheckpointError(f"no feature network {network} yet")
