"""python by_joblib.py PHOTOS MASK RESULTS (pip install joblib)."""

import sys
from pathlib import Path

from fill_one import fill_one
from joblib import Parallel, delayed

photos, mask, results = sys.argv[1:4]
Path(results).mkdir(exist_ok=True)
work = [delayed(fill_one)(str(photo), mask, results) for photo in sorted(Path(photos).iterdir())]
for row in Parallel(n_jobs=2, return_as="generator")(work):
    print(row["key"], row["status"])
