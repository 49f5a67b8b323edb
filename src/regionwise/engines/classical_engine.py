"""Methods without weights: the membrane, patches, and those of OpenCV and scikit-image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from regionwise.arrays import Floats, Mask
from regionwise.classical.membrane import membrane_fill
from regionwise.engines.engine import NO_TRAITS, Engine, Traits
from regionwise.errors import ModelError


class ClassicalEngine:
    """A classical method, picture by picture."""

    def __init__(self, fill_one: Callable[[Floats, Mask], Floats], *, draws: bool = False) -> None:
        """Take a function of image H×W×3 in [0, 1] and hole H×W that gives H×W×3."""
        self._fill_one = fill_one
        self.traits = Traits(draws=draws)

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `Engine`. Where nothing is known the answer is mid grey."""
        answers = np.full_like(images, 0.5)
        for answer, image, mask in zip(answers, images, masks[:, 0] > 0.5, strict=True):
            if not mask.all():
                answer[:] = self._fill_one(image.transpose(1, 2, 0), mask).transpose(2, 0, 1)
        return answers


class MembraneEngine:
    """The smooth fill of `regionwise.classical.membrane`: always there."""

    traits = NO_TRAITS

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `Engine`."""
        return membrane_fill(images, masks)


def patchmatch(seed: int = 0) -> ClassicalEngine:
    """Patches of the known region, see `regionwise.classical.synthesis`."""
    from regionwise.classical.synthesis import complete

    return ClassicalEngine(partial(complete, seed=seed), draws=True)


def telea() -> ClassicalEngine:
    """Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004."""
    return _opencv("telea")


def navier_stokes() -> ClassicalEngine:
    """Bertalmio et al., Navier-Stokes, Fluid Dynamics, and Image Inpainting, 2001."""
    return _opencv("navier-stokes")


def _opencv(method: str) -> ClassicalEngine:
    _require("cv2", "pip install opencv-python-headless")
    return ClassicalEngine(partial(_opencv_fill, method))


def _opencv_fill(method: str, image: Floats, hole: Mask) -> Floats:
    """OpenCV works in 8 bits, so its fill of a deep photo has 256 levels a channel."""
    import cv2

    flags = {"telea": cv2.INPAINT_TELEA, "navier-stokes": cv2.INPAINT_NS}
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    filled = cv2.inpaint(np.ascontiguousarray(pixels), hole.astype(np.uint8), 3, flags[method])
    return np.divide(filled, 255, dtype=np.float32)


def biharmonic() -> ClassicalEngine:
    """Damelin and Hoang, On Surface Completion and Image Inpainting, 2018."""
    _require("skimage", "pip install scikit-image")
    return ClassicalEngine(_biharmonic_fill)


def _biharmonic_fill(image: Floats, hole: Mask) -> Floats:
    from skimage.restoration import inpaint_biharmonic

    return np.asarray(inpaint_biharmonic(image, hole, channel_axis=-1), np.float32)


def _require(library: str, command: str) -> None:
    if find_spec(library) is None:
        raise ModelError(f"this model needs a library that is not installed; {command}")


@dataclass(frozen=True)
class ClassicalMethod:
    """A method as `list_models` shows it.

    Attributes:
        create: makes its engine; takes a `seed` if it draws.
        title, paper, licence: see `regionwise.weights.card.ModelCard`.
        library: what must be installed beside regionwise, and `install` how.
        draws: whether it draws numbers.
    """

    create: Callable[..., Engine]
    title: str
    paper: str
    licence: str
    library: str = ""
    install: str = ""
    draws: bool = False

    @property
    def installed(self) -> bool:
        """Whether it runs here."""
        return not self.library or find_spec(self.library) is not None


_OPENCV: dict[str, Any] = {
    "licence": "Apache-2.0",
    "library": "cv2",
    "install": "pip install opencv-python-headless",
}
METHODS = {
    "membrane": ClassicalMethod(
        MembraneEngine,
        "smooth continuation of the border, in milliseconds",
        "Gortler et al., The Lumigraph, SIGGRAPH 1996 (push-pull pyramid)",
        "Apache-2.0",
    ),
    "patchmatch": ClassicalMethod(
        patchmatch,
        "patches of the known region, sharp and textured; seconds for a large hole",
        "Wexler et al., Space-Time Completion of Video, 2007; Barnes et al., PatchMatch, 2009",
        "Apache-2.0",
        draws=True,
    ),
    "telea": ClassicalMethod(
        telea,
        "fast marching from the border inwards",
        "Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004",
        **_OPENCV,
    ),
    "navier-stokes": ClassicalMethod(
        navier_stokes,
        "lines of equal light carried into the hole",
        "Bertalmio, Bertozzi and Sapiro, Navier-Stokes, Fluid Dynamics, and Image Inpainting, 2001",
        **_OPENCV,
    ),
    "biharmonic": ClassicalMethod(
        biharmonic,
        "smooth surface through the border; slow for large holes",
        "Damelin and Hoang, On Surface Completion and Image Inpainting, 2018",
        "BSD-3-Clause",
        "skimage",
        "pip install scikit-image",
    ),
}
"""By the names that `--model` takes."""
