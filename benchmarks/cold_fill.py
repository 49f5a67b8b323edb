"""A cold `regionwise fill` of a 512×512 photo with a 20 % hole, against its convolutions alone.

The process is timed from its start to its end, by the clock and by the processor. What the
convolutions need of the processor is a warm fill's time on one thread, times the share of the
convolution kernels in ONNX Runtime's own profile.

    python benchmarks/cold_fill.py [MODEL]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
from measure import run_often
from PIL import Image

from regionwise.weights.bundled import weights_file

SIZE = 512
HOLE = slice(141, 371)  # 230 × 230 of 512 × 512: 20.2 %


def photo_and_mask() -> tuple[np.ndarray, np.ndarray]:
    """A picture with structure at all scales, uint8 512×512×3, and its mask."""
    noise = np.random.default_rng(0)
    photo = sum(
        np.asarray(
            Image.fromarray(noise.integers(0, 256, (side, side, 3), np.uint8)).resize((SIZE, SIZE)),
            np.float32,
        )
        for side in (4, 16, 64, 256)
    )
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[HOLE, HOLE] = 255
    return (photo / 4).astype(np.uint8), mask


def seconds_in_convolutions(model: Path, runs: int = 7) -> tuple[float, float]:
    """Processor seconds of a warm fill on one thread, median, and of its convolution kernels."""
    photo, mask = photo_and_mask()
    feed = {
        "image": photo.transpose(2, 0, 1)[None].astype(np.float32) / 255,
        "mask": mask[None, None].astype(np.float32) / 255,
    }
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_profiling = True
    options.profile_file_prefix = str(Path(tempfile.mkdtemp(), "profile"))
    session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    session.run(None, feed)
    spent = []
    for _ in range(runs):
        started = time.process_time()
        session.run(None, feed)
        spent.append(time.process_time() - started)
    events = json.loads(Path(session.end_profiling()).read_text())
    kernels = [event for event in events if event["name"].endswith("_kernel_time")]
    whole = sum(event["dur"] for event in kernels)
    convolutions = sum(event["dur"] for event in kernels if "Conv" in event["args"]["op_name"])
    return median(spent), median(spent) * convolutions / whole


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "default"
    file = weights_file(model)
    if file.suffix != ".onnx":
        raise SystemExit(f"{model} is no ONNX model; give one")
    photo, mask = photo_and_mask()
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}.png" for name in ("photo", "mask", "filled")]
        Image.fromarray(photo).save(paths[0])
        Image.fromarray(mask).save(paths[1])
        process = run_often(
            [
                "-m",
                "regionwise",
                "fill",
                *paths[:2],
                "-o",
                paths[2],
                "--overwrite",
                "--model",
                model,
            ]
        )
    warm, convolutions = seconds_in_convolutions(file)
    print("processor, ms")
    ratio = process.processor / convolutions
    print(f"whole process      {process.processor * 1e3:7.0f}   {ratio:.2f} × convolutions")
    print(f"network, warm      {warm * 1e3:7.0f}")
    print(f"its convolutions   {convolutions * 1e3:7.0f}")
    print(f"by the clock       {process.seconds * 1e3:7.0f}")
    print(f"peak memory        {process.peak:7.0f} MB")


if __name__ == "__main__":
    main()
