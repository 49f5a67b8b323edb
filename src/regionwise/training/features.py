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
from regionwise.recipe.losses import FeaturesSection, FeatureTerm, FlowTerm, Term, feature_layers

_CAFFE_MEAN = (103.939, 116.779, 123.68)
"""Blue, green, red, of 255."""

Features = Mapping[str, Tensor]
Extractor = Callable[[Tensor], Features]
"""Features by the names of their layers, of pictures N×3×H×W in [0, 1]."""


class FeatureNetworks:
    """The networks that some terms name, each with all the layers that any of them wants.

    Args:
        terms: of a phase.
        random: seeded random weights in place of trained ones.
        files: of weights: "vgg" (else they are downloaded), "darknet". For "vgg16-caffe" the VGG's
            file has to be Caffe's.
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
            if isinstance(term, FeatureTerm | FlowTerm):
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
        return lambda picture: dict(zip(feature_layers("darknet"), darknet(picture), strict=False))
    if network == "vgg16-caffe":
        return _make_caffe(layers, random, files, device)
    name: VggName = "vgg16" if network == "vgg16" else "vgg19"
    if random:
        vgg = random_vgg(name, layers, normalize=normalize)
    else:
        vgg = load_vgg(name, layers, normalize=normalize, file=files.get("vgg"))
    return vgg.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _make_caffe(
    layers: list[str], random: bool, files: Mapping[str, Path], device: torch.device
) -> Extractor:
    """VGG16 with its authors' weights, which see other pictures than torchvision's."""
    if random:
        vgg = random_vgg("vgg16", layers, normalize=False)
    elif "vgg" in files:
        vgg = load_vgg("vgg16", layers, normalize=False, file=files["vgg"])
    else:
        raise CheckpointError(
            "a loss compares features of vgg16-caffe, whose weights are not torchvision's: give "
            "--vgg FILE (vgg16-00b39a1b.pth of jcjohnson/pytorch-vgg), or see docs/training.md"
        )
    vgg = vgg.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = torch.tensor(_CAFFE_MEAN, device=device).view(1, 3, 1, 1)

    def features(picture: Tensor) -> Features:
        found: Features = vgg(255 * picture.flip(1) - mean)
        return found

    return features
