"""Run a model on a batch of crops: ONNX Runtime, PyTorch, and the classical methods.

An engine is anything with `fill(images, masks)`, see `Engine`. What it answers at known pixels is
ignored by its callers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from regionwise.errors import CheckpointError, ModelError
from regionwise.membrane import membrane_fill

if TYPE_CHECKING:
    from torch import nn

Floats = NDArray[np.float32]
Device = Literal["auto", "cpu", "cuda"]

DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")


class Engine(Protocol):
    """Fills the holes of a batch of pictures of one size."""

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch.

        Args:
            images: N×3×H×W in [0, 1], zero where missing.
            masks: N×1×H×W, 1 = missing.

        Returns:
            N×3×H×W, near [0, 1].
        """
        ...


class OnnxEngine:
    """A network as ONNX: inputs `image` and `mask`, output `output`, all sizes free.

    The file is opened in the background, while the caller reads its photo. The first fill raises
    `CheckpointError` if it is none of ours, `ModelError` if the device is not there.
    """

    def __init__(
        self, file: Path, device: Device = "auto", seed: int = 0, *, quick_to_open: bool = False
    ) -> None:
        """Begin to open a file.

        Args:
            file: of the network.
            device: auto, cpu or cuda.
            seed: for networks that draw numbers.
            quick_to_open: leave out optimisations that take as long as all else in opening. Some
                networks fill slower without them.
        """
        self.file = file
        self._quick_to_open = quick_to_open
        self._device = device
        self._seed = seed
        self._opening = ThreadPoolExecutor(1).submit(self._open)

    @property
    def draws(self) -> bool:
        """Whether another seed gives another answer, as the file says."""
        properties = self._opening.result().get_modelmeta().custom_metadata_map
        return bool(properties.get("draws") == "yes")

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `Engine`."""
        session = self._opening.result()
        try:
            (answer,) = session.run(["output"], {"image": images, "mask": masks})
        except Exception as error:  # ONNX Runtime has no common class for what goes wrong inside
            height, width = images.shape[2:]
            raise ModelError(
                f"{self.file} failed on a picture of {width}×{height} ({_one_line(error)})"
            ) from error
        return cast(Floats, answer)

    def _open(self) -> Any:
        import onnxruntime

        onnxruntime.set_default_logger_severity(4)  # what matters is raised, and told in one line
        onnxruntime.set_seed(self._seed)
        providers = _providers(onnxruntime.get_available_providers(), self._device)
        try:
            session = onnxruntime.InferenceSession(
                os.fspath(self.file), _session_options(onnxruntime, self._quick_to_open), providers
            )
        except Exception as error:  # as above
            raise CheckpointError(
                f"{self.file} is broken or no ONNX model ({_one_line(error)})"
            ) from error
        if self._device == "cuda" and session.get_providers()[0] != "CUDAExecutionProvider":
            raise ModelError(
                "ONNX Runtime can't use the GPU here; check its driver, or --device cpu"
            )
        inputs = {node.name for node in session.get_inputs()}
        outputs = {node.name for node in session.get_outputs()}
        if inputs != {"image", "mask"} or "output" not in outputs:
            raise CheckpointError(
                f"{self.file} is no inpainting model of regionwise: it takes "
                f"{', '.join(sorted(inputs))} and gives {', '.join(sorted(outputs))}, "
                "not image, mask and output; write one with regionwise export"
            )
        return session


def _providers(available: list[str], device: Device) -> list[str]:
    has_cuda = "CUDAExecutionProvider" in available
    if device == "cuda" and not has_cuda:
        raise ModelError(
            "this ONNX Runtime has no GPU support; "
            "pip install onnxruntime-gpu in place of onnxruntime, or use --device cpu"
        )
    if device != "cpu" and has_cuda:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]


def _session_options(onnxruntime: Any, quick_to_open: bool) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads()
    options.inter_op_num_threads = 1
    # To plan the reuse of buffers takes time with the square of the nodes where sizes are free: a
    # second for 1,600. Without it, and without patterns for each size, the arena needs less memory.
    options.enable_mem_reuse = False
    options.enable_mem_pattern = False
    if quick_to_open:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return options


def _threads() -> int:
    """The processors that this process may use; 0 (ONNX Runtime's own choice) for all of them."""
    everything = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else everything
    try:  # a container's quota, in microseconds of processor time a period
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        allowed = min(allowed, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass
    return 0 if allowed == everything else allowed


class TorchEngine:
    """A PyTorch module with the contract `model(image, mask)` → `Prediction`."""

    def __init__(self, module: nn.Module, device: Device = "auto", seed: int = 0) -> None:
        import torch

        if device == "cuda" and not torch.cuda.is_available():
            raise ModelError("PyTorch sees no GPU here; check its driver, or use --device cpu")
        wanted = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
        self._device = torch.device(wanted)
        self._module = module.to(self._device).eval()
        self._seed = seed
        self.draws: bool = getattr(module, "draws", False)
        """Whether another seed gives another answer."""

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `Engine`. The caller's random state is left as it was."""
        import torch

        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(self._seed)
            image, mask = (torch.from_numpy(array).to(self._device) for array in (images, masks))
            try:
                answer = self._module(image, mask).stages[-1]
            except RuntimeError as error:  # out of memory, above all
                height, width = images.shape[2:]
                raise ModelError(
                    f"the network failed on a picture of {width}×{height} ({_one_line(error)})"
                ) from error
            return cast(Floats, answer.float().cpu().numpy())


class ClassicalEngine:
    """A classical method, picture by picture."""

    def __init__(
        self, fill_one: Callable[[Floats, NDArray[np.bool_]], Floats], *, draws: bool = False
    ) -> None:
        """Wrap a function of image H×W×3 in [0, 1] and hole H×W that gives H×W×3."""
        self._fill_one = fill_one
        self.draws = draws
        """Whether another seed gives another answer."""

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `Engine`. Where nothing is known the answer is mid grey."""
        answers = np.full_like(images, 0.5)
        for answer, image, mask in zip(answers, images, masks[:, 0] > 0.5, strict=True):
            if not mask.all():
                answer[:] = self._fill_one(image.transpose(1, 2, 0), mask).transpose(2, 0, 1)
        return answers


class MembraneEngine:
    """The smooth fill of `regionwise.membrane`: always there."""

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `Engine`."""
        return membrane_fill(images, masks)


def patchmatch(seed: int = 0) -> ClassicalEngine:
    """Patches of the known region, see `regionwise.patchmatch`."""
    from regionwise.patchmatch import complete

    return ClassicalEngine(partial(complete, seed=seed), draws=True)


def telea() -> ClassicalEngine:
    """Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004."""
    return _opencv("INPAINT_TELEA")


def navier_stokes() -> ClassicalEngine:
    """Bertalmio et al., Navier-Stokes, Fluid Dynamics, and Image Inpainting, 2001."""
    return _opencv("INPAINT_NS")


def _opencv(method: str) -> ClassicalEngine:
    """OpenCV works in 8 bits, so its fill of a deep photo has 256 levels a channel."""
    _require("cv2", "pip install opencv-python-headless")
    import cv2

    flag = getattr(cv2, method)

    def fill_one(image: Floats, hole: NDArray[np.bool_]) -> Floats:
        pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        filled = cv2.inpaint(np.ascontiguousarray(pixels), hole.astype(np.uint8), 3, flag)
        return np.divide(filled, 255, dtype=np.float32)

    return ClassicalEngine(fill_one)


def biharmonic() -> ClassicalEngine:
    """Damelin and Hoang, On Surface Completion and Image Inpainting, 2018."""
    _require("skimage", "pip install scikit-image")
    from skimage.restoration import inpaint_biharmonic

    def fill_one(image: Floats, hole: NDArray[np.bool_]) -> Floats:
        filled = inpaint_biharmonic(image, hole, channel_axis=-1)
        return np.asarray(filled, np.float32)

    return ClassicalEngine(fill_one)


def _require(library: str, command: str) -> None:
    if find_spec(library) is None:
        raise ModelError(f"this model needs a library that is not installed; {command}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
