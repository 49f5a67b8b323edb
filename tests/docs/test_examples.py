"""The scripts in examples/ do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.docs.conftest import EXAMPLES, ROOT


def run(script: str, *arguments: str, folder: Path) -> str:
    # RAY_ADDRESS: else Ray would join whatever cluster is on this machine.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "RAY_ADDRESS": "local"}
    environment["PYTHONPATH"] = str(ROOT / "src")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_folder_becomes_a_table(samples: Path):
    (samples / "photos" / "broken.jpg").write_bytes(b"no photo")
    (samples / "masks" / "broken.png").write_bytes((samples / "masks" / "a.png").read_bytes())
    said = run("folder_report.py", "photos", "masks", "results", folder=samples)
    assert re.search(r"filled +2\b", said)
    assert re.search(r"failed +1\b", said)
    assert (samples / "results" / "b.jpg").exists()


def test_region_norms_learn_in_a_network_of_ones_own(tmp_path: Path):
    said = run("region_norm_in_your_network.py", folder=tmp_path)
    first, last = (float(number) for number in re.findall(r"0\.\d+", said))
    assert last < 0.8 * first


@pytest.mark.slow
def test_trains_and_fills(samples: Path):
    said = run(
        "train_and_fill.py",
        "my_photos",
        "cutout.png",
        "small.png",
        "out.png",
        folder=with_mask(samples),
    )
    assert "pixels changed outside: 0" in said
    assert (samples / "out.png").exists()


def with_mask(samples: Path) -> Path:
    """A photo and mask of one size, lossless."""
    Image.open(samples / "photos" / "a.jpg").convert("RGB").save(samples / "cutout.png")
    mask = np.zeros((214, 320), np.uint8)
    mask[60:100, 60:120] = 255
    Image.fromarray(mask).save(samples / "small.png")
    return samples


@pytest.mark.parametrize(
    ("package", "script"),
    [("joblib", "by_joblib.py"), ("distributed", "by_dask.py"), ("ray", "by_ray.py")],
)
def test_each_engine_maps_the_pure_function(samples: Path, package: str, script: str):
    pytest.importorskip(package)
    (samples / "photos" / "c.jpg").write_bytes(b"no photo")
    said = run(f"many_machines/{script}", "photos", "watermark.png", "results", folder=samples)
    rows = dict(re.findall(r"photos/(\w)\.jpg (\w+)", said))
    assert rows == {"a": "filled", "b": "filled", "c": "failed"}
    assert {file.name for file in (samples / "results").iterdir()} == {"a.jpg", "b.jpg"}


@pytest.mark.slow
def test_a_sweep(samples: Path):
    pytest.importorskip("optuna")
    said = run("sweep.py", "my_photos", "runs", "2", "3", folder=samples)
    assert re.search(r'"best": \{"lr": [\d.e-]+\}', said)
