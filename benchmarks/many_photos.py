"""What finding millions of photos costs: seconds and bytes, by an index of shards and without.

    python benchmarks/many_photos.py --photos 1000000

The shards hold heads alone (photos of no bytes), so that a million of them fit on a disk.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from regionwise.data.photo_sources import find_photos
from regionwise.filling.folder_jobs import find_jobs
from regionwise.photos.shard_index import NAME, write_shard_index

_PER_SHARD = 10_000


def write_shards(folder: Path, photos: int) -> None:
    for first in range(0, photos, _PER_SHARD):
        with tarfile.open(folder / f"shard-{first // _PER_SHARD:05}.tar", "w") as archive:
            for number in range(first, min(first + _PER_SHARD, photos)):
                archive.addfile(tarfile.TarInfo(f"{number:09}.jpg"))


def timed(name: str, photos: int, what: Callable[[], Any]) -> Any:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, spent = time.perf_counter(), time.process_time()
    found = what()
    seconds, spent = time.perf_counter() - started, time.process_time() - spent
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    rate = f"{1e6 * spent / photos:.2f} µs of the processor a photo"
    print(f"| {name} | {seconds:.1f} s | {rate} | peak grew by {grown:.0f} MB |", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=1_000_000)
    count = parser.parse_args().photos
    home = Path(mkdtemp(prefix="many"))
    try:
        write_shards(home, count)
        timed("write the index (reads all heads)", count, lambda: write_shard_index(home))
        kept = (home / NAME).stat().st_size
        print(f"the index: {kept / count:.1f} bytes a photo")
        found = timed("find_photos with the index", count, lambda: find_photos([home]))
        assert len(found) == count
        jobs = timed("find_jobs with the index", count, lambda: find_jobs(home, None, Path("out")))
        assert len(jobs) == count
        timed("make each job once", count, lambda: sum(1 for _ in jobs))
        (home / NAME).unlink()
        timed("find_photos without it", count, lambda: find_photos([home]))
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
