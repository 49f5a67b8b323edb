"""A network as an ONNX file, run by ONNX Runtime."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

from regionwise.arrays import Floats
from regionwise.engines.engine import NO_TRAITS, Device, Traits, first_line
from regionwise.errors import CheckpointError, ModelError


class OnnxEngine:
    """A network as ONNX: inputs `image` and `mask`, output `output`, all sizes free.

    The file is opened in the background, while the caller reads its photo. The first fill raises
    `CheckpointError` if it is not one of regionwise's, `ModelError` if the device is not there.
    """

    def __init__(
        self,
        file: Path,
        device: Device = "auto",
        seed: int = 0,
        *,
        traits: Traits = NO_TRAITS,
        threads: int | None = None,
    ) -> None:
        """Begin to open a file.

        Args:
            file: of the network.
            device: auto, cpu or cuda.
            seed: for networks that draw numbers.
            traits: what the file does not say itself: `detail` and `texture`.
            threads: on the processor; by default as many as this process may use.
        """
        self._file = file
        self._device = device
        self._seed = seed
        self._traits = traits
        self._threads = threads
        self._opening = ThreadPoolExecutor(1).submit(self._open)

    @cached_property
    def traits(self) -> Traits:
        """What the file says of the network, and what was given."""
        properties = self._opening.result().get_modelmeta().custom_metadata_map
        draws = properties.get("draws") == "yes"
        return replace(self._traits, draws=draws, file=self._file)

    def __reduce__(self) -> tuple[Callable[..., OnnxEngine], tuple[object, ...]]:
        """Pickle as the name of the file: another process opens it again."""
        make = partial(OnnxEngine, traits=self._traits, threads=self._threads)
        return make, (self._file, self._device, self._seed)

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `Engine`."""
        session = self._opening.result()
        try:
            (answer,) = session.run(["output"], {"image": images, "mask": masks})
        except Exception as error:  # ONNX Runtime has no common class for what goes wrong inside
            height, width = images.shape[2:]
            raise ModelError(
                f"{self._file} failed on a picture of {width}×{height} ({first_line(error)})"
            ) from error
        return cast(Floats, answer)

    def _open(self) -> Any:
        import onnxruntime

        onnxruntime.set_default_logger_severity(4)  # what matters is raised, and told in one line
        onnxruntime.set_seed(self._seed)
        providers = _providers(onnxruntime.get_available_providers(), self._device)
        try:
            session = onnxruntime.InferenceSession(
                os.fspath(self._file),
                _session_options(onnxruntime, self._threads),
                providers,
            )
        except Exception as error:  # as above
            raise CheckpointError(
                f"{self._file} is broken or not an ONNX model ({first_line(error)})"
            ) from error
        if self._device == "cuda" and session.get_providers()[0] != "CUDAExecutionProvider":
            raise ModelError(
                "ONNX Runtime can't use the GPU here; check its driver, or give `device` cpu"
            )
        inputs = {node.name for node in session.get_inputs()}
        outputs = {node.name for node in session.get_outputs()}
        if inputs != {"image", "mask"} or "output" not in outputs:
            raise CheckpointError(
                f"{self._file} is not an inpainting model of regionwise: it takes "
                f"{', '.join(sorted(inputs))} and gives {', '.join(sorted(outputs))}, "
                "not image, mask and output; write one with regionwise export"
            )
        return session


def _providers(available: list[str], device: Device) -> list[str]:
    has_cuda = "CUDAExecutionProvider" in available
    if device == "cuda" and not has_cuda:
        raise ModelError(
            "this ONNX Runtime has no GPU support; "
            "pip install onnxruntime-gpu in place of onnxruntime, or give `device` cpu"
        )
    if device != "cpu" and has_cuda:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]


def _session_options(onnxruntime: Any, threads: int | None) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads() if threads is None else threads
    options.inter_op_num_threads = 1
    # A thread that spins while it waits takes its processor from the photo's decoder, and from
    # other programs: without it a fill of a large JPEG takes a sixth less time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # To plan the reuse of buffers takes time with the square of the nodes where sizes are free: a
    # second for 1,600. Without it, and without patterns for each size, the arena needs less memory.
    options.enable_mem_reuse = False
    options.enable_mem_pattern = False
    return options


def usable_processors() -> int:
    """The processors that this process may use, by its affinity and its container's quota."""
    everything = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else everything
    try:  # a container's quota, in microseconds of processor time a period
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        allowed = min(allowed, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass
    return allowed


def _threads() -> int:
    """The processors that this process may use; 0 (ONNX Runtime's own choice) for all of them."""
    allowed = usable_processors()
    return 0 if allowed == (os.cpu_count() or 1) else allowed
