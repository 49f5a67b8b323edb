"""python by_dask.py PHOTOS MASK RESULTS (pip install "dask[distributed]")."""

import sys
from pathlib import Path

from dask.distributed import Client, as_completed
from fill_one import fill_one

if __name__ == "__main__":
    photos, mask, results = sys.argv[1:4]
    Path(results).mkdir(exist_ok=True)
    # A cluster: Client("tcp://HEAD:8786"); its workers import fill_one, too.
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        names = [str(photo) for photo in sorted(Path(photos).iterdir())]
        running = client.map(fill_one, names, mask=mask, results=results, pure=False)
        for _, row in as_completed(running, with_results=True):
            print(row["key"], row["status"])
