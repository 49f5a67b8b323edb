"""A cold `regionwise fill` of a 512×512 photo with a 20 % hole, against its convolutions alone.

The process is timed from its start to its end. What the convolutions need is ONNX Runtime's own
profile of a warm session: the sum over all convolution kernels of one fill.

    python benchmarks/cold_fill.py [MODEL]
"""

from __future__ import annotations

import json
import sys
import tempfile
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


def seconds_in_convolutions(model: Path, runs: int = 5) -> tuple[float, float]:
    """Seconds of a warm fill, and of its convolution kernels, both medians."""
    photo, mask = photo_and_mask()
    feed = {
        "image": photo.transpose(2, 0, 1)[None].astype(np.float32) / 255,
        "mask": mask[None, None].astype(np.float32) / 255,
    }
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(Path(tempfile.mkdtemp(), "profile"))
    session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    for _ in range(runs + 1):
        session.run(None, feed)
    events = json.loads(Path(session.end_profiling()).read_text())
    starts = sorted(event["ts"] for event in events if event["name"] == "model_run")[1:]
    whole = [event["dur"] for event in events if event["name"] == "model_run"][1:]
    sums = dict.fromkeys(starts, 0)
    for event in events:
        kind = event.get("args", {}).get("op_name", "")
        if "Conv" in kind and event["name"].endswith("_kernel_time") and event["ts"] >= starts[0]:
            sums[max(start for start in starts if start <= event["ts"])] += event["dur"]
    return median(whole) / 1e6, median(sums.values()) / 1e6


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
        seconds, peak = run_often(
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
    print(
        f"whole process      {seconds * 1e3:7.0f} ms   {seconds / convolutions:.2f} × convolutions"
    )
    print(f"network, warm      {warm * 1e3:7.0f} ms")
    print(f"its convolutions   {convolutions * 1e3:7.0f} ms")
    print(f"peak memory        {peak:7.0f} MB")


if __name__ == "__main__":
    main()
