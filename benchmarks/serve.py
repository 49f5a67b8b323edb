"""What the server costs: latency against the same fill in Python, and memory over many fills.

    python benchmarks/serve.py                 # latency at 512×512, one connection
    python benchmarks/serve.py --fills 500     # memory after 50 fills and after 500

The server runs in a process of its own, as `regionwise serve` starts it. Latency: fills over the
API and in Python take turns, and the medians are compared. Memory: what /proc says of the server
(resident set), after the photo of a page was filled and forgotten and fills without a page ran.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx
import numpy as np
from PIL import Image

import regionwise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--rounds", type=int, default=15, help="fills a side for the latency")
    parser.add_argument("--fills", type=int, default=0, help="fills for the memory; 0 for none")
    parser.add_argument("--side", type=int, default=512)
    options = parser.parse_args()
    photo, mask = examples(options.side)
    with server(options.model) as (client, process):
        if options.fills:
            memory(client, process, photo, mask, options.fills)
        else:
            latency(client, photo, mask, options.model, options.rounds)


def examples(side: int) -> tuple[bytes, bytes]:
    """A photo as PNG, and a mask with a stroke through it."""
    file = Path(__file__).parent.parent / "examples" / "photos" / "astronaut.jpg"
    photo = Image.open(file).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    mask = np.zeros((side, side), bool)
    mask[side // 4 : side // 2, side // 8 : side * 3 // 4] = True
    return png(photo), png(Image.fromarray(mask))


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@contextmanager
def server(model: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """`regionwise serve` on a port of its own."""
    arguments = ["-m", "regionwise", "serve", "--port", "0", "--no-open", "--model", model]
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        with httpx.Client(base_url=found.group(), timeout=1200) as client:
            yield client, process
    finally:
        process.terminate()
        process.wait()


def latency(client: httpx.Client, photo: bytes, mask: bytes, model: str, rounds: int) -> None:
    """Print the median seconds of a fill, over the API and in Python."""
    engine = regionwise.load_model(model)
    files = {"photo": ("photo.png", photo), "mask": ("mask.png", mask)}
    stored = client.post("/api/v1/photos", files={"photo": files["photo"]}).json()["id"]

    def in_python() -> bytes:
        return bytes(regionwise.fill(photo, mask, engine))

    def over_the_api() -> bytes:
        return client.post("/api/v1/fill", files=files).raise_for_status().content

    def in_the_page() -> bytes:
        path = f"/api/v1/photos/{stored}/fills"
        return client.post(path, files={"mask": files["mask"]}).raise_for_status().content

    ways: dict[str, Callable[[], bytes]] = {
        "in Python": in_python,
        "over the API": over_the_api,
        "of a stored photo": in_the_page,
    }
    assert in_python() == over_the_api()
    in_the_page()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, fill in ways.items():
            started = time.perf_counter()
            fill()
            seconds[name].append(time.perf_counter() - started)
    base = median(seconds["in Python"])
    for name, values in seconds.items():
        print(f"{name:18} {1000 * median(values):7.1f} ms  {median(values) / base - 1:+.1%}")


def memory(
    client: httpx.Client, process: subprocess.Popen[str], photo: bytes, mask: bytes, fills: int
) -> None:
    """Print the server's resident memory as fills go by, half of them by a page."""
    files = {"photo": ("photo.png", photo), "mask": ("mask.png", mask)}
    after: dict[int, float] = {}
    for number in range(1, fills + 1):
        if number % 2:
            client.post("/api/v1/fill", files=files).raise_for_status()
        else:
            sent = client.post("/api/v1/photos", files={"photo": files["photo"]}).json()["id"]
            path = f"/api/v1/photos/{sent}"
            client.post(f"{path}/fills", files={"mask": files["mask"]}).raise_for_status()
            client.get(f"{path}/tile", params={"result": 1}).raise_for_status()
            client.get(f"{path}/file", params={"result": 1}).raise_for_status()
            client.delete(path).raise_for_status()
        if number == 50 or number % 100 == 0 or number == fills:
            after[number] = resident(process.pid)
            print(f"after {number:5} fills {after[number]:7.1f} MB", flush=True)
    first, last = after[min(after)], after[max(after)]
    print(f"from {min(after)} to {max(after)} fills: {last / first - 1:+.1%}")


def resident(process: int) -> float:
    """Resident memory of a process in MB (10^6 bytes); Linux."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024 / 1e6


if __name__ == "__main__":
    main()
