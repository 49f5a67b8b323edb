"""Fill a folder of photos and look at the run as a table (needs pandas).

python examples/folder_report.py PHOTOS MASKS RESULTS
"""

import json
import subprocess
import sys

import pandas as pd


def fill_folder(photos: str, masks: str, results: str) -> pd.DataFrame:
    """One row a photo; a photo that fails is a row too, and does not stop the run."""
    command = [sys.executable, "-m", "regionwise", "fill", photos, "--masks", masks]
    run = subprocess.run([*command, "-o", results, "--json"], capture_output=True, text=True)
    if run.returncode > 1:  # 1: some photos failed; 2: nothing was done
        raise SystemExit(run.stderr)
    return pd.DataFrame(json.loads(run.stdout)["photos"])


def main() -> None:
    table = fill_folder(*sys.argv[1:4])
    print(table["status"].value_counts().to_string())
    filled = table[table["status"] == "filled"]
    print(filled[["hole_ratio", "seconds"]].describe().round(3).to_string())
    print("the slowest:")
    print(filled.nlargest(3, "seconds")[["photo", "seconds"]].to_string(index=False))


if __name__ == "__main__":
    main()
