"""A simulated Ray cluster loses machines while it fills a folder: is any photo lost, or twice?

Several Ray nodes on this machine fill small photos; some are killed (SIGKILL, with their actors) in
the midst. Then one process fills the same photos, and rows and results are compared:

    python benchmarks/ray_cluster.py --photos 20000 --nodes 3 --killed 2
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from PIL import Image

from regionwise.cluster.ray_map import RayCluster
from regionwise.engines.zoo import load_model
from regionwise.filling.folder import fill_folder
from regionwise.filling.folder_jobs import find_jobs
from regionwise.filling.on_ray import fill_folder_on_ray
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome

_SIDE = 32


def save_photos(folder: Path, count: int) -> None:
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (_SIDE, _SIDE, 3), np.uint8)
        file = folder / f"{number // 1000:03}" / f"{number:06}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file, compress_level=0)


def fill_and_kill(
    photos: Path, output: Path, options: FillOptions, nodes: int, killed: int
) -> list[FillOutcome]:
    """Fill on a cluster of one head, which has no workers, and some nodes, of which some die."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    machines: list[Any] = [cluster.add_node(num_cpus=1) for _ in range(nodes)]
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.CRITICAL)
    jobs = find_jobs(photos, None, output)
    output.mkdir()
    ends = [len(jobs) * (number + 1) // (killed + 1) for number in range(killed)]
    rows = []
    started = time.monotonic()
    for row in fill_folder_on_ray(jobs, options, RayCluster()):
        rows.append(row)
        if ends and len(rows) >= ends[0]:
            ends.pop(0)
            print(f"{len(rows)} rows after {time.monotonic() - started:.0f} s: a node is killed")
            cluster.remove_node(machines.pop(), allow_graceful=False)
        if len(rows) % 1000 == 0:
            print(f"{len(rows)} rows after {time.monotonic() - started:.0f} s", flush=True)
    print(f"cluster: {len(rows)} rows in {time.monotonic() - started:.0f} s")
    ray.shutdown()
    cluster.shutdown()
    return rows


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--killed", type=int, default=2)
    parser.add_argument("--model", default="membrane")
    chosen = parser.parse_args()
    home = Path(mkdtemp(prefix="cluster"))
    try:
        save_photos(home / "photos", chosen.photos)
        options = FillOptions(box=(8, 8, 12, 12), model=chosen.model)
        rows = fill_and_kill(home / "photos", home / "many", options, chosen.nodes, chosen.killed)
        started = time.monotonic()
        alone = fill_folder(
            find_jobs(home / "photos", None, home / "one"),
            load_model(chosen.model, threads=1),
            options,
        )
        keys = {row.key for row in alone}
        print(f"one process: {len(keys)} rows in {time.monotonic() - started:.0f} s")
        twice = [key for key, count in Counter(row.key for row in rows).items() if count > 1]
        same = contents(home / "many") == contents(home / "one")
        print(f"statuses: {dict(Counter(row.status for row in rows))}")
        print(f"rows lost: {len(keys - {row.key for row in rows})}, rows twice: {len(twice)}")
        print(f"results are the same, bit for bit: {same}")
        return int(twice != [] or keys != {row.key for row in rows} or not same)
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    sys.exit(main())
