"""python by_ray.py PHOTOS MASK RESULTS; `regionwise fill --on ray` does more of it."""

import sys
from pathlib import Path

import ray
from fill_one import fill_one

photos, mask, results = sys.argv[1:4]
Path(results).mkdir(exist_ok=True)
names = ray.data.from_items([str(photo) for photo in sorted(Path(photos).iterdir())])
rows = names.map(lambda row: fill_one(row["item"], mask, results), num_cpus=1)
for row in rows.iter_rows():
    print(row["key"], row["status"])
