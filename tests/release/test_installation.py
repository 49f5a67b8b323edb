"""The wheel in an empty environment, without a compiler: a photo is filled."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def interpreter(version: str) -> str | None:
    """A Python of this version: on the path, or one of pyenv's."""
    if on_path := shutil.which(f"python{version}"):
        run = subprocess.run([on_path, "-c", "import ensurepip"], capture_output=True)
        if run.returncode == 0:
            return on_path
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(home.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else None


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_a_bare_python_fills_a_photo(version: str, tmp_path: Path):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    subprocess.run([python, "-m", "venv", "bare"], cwd=tmp_path, check=True)

    scripts = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin")
    inherited = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    empty = inherited | {"PATH": str(scripts), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    install = ["python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:", str(wheel)]
    subprocess.run([scripts / install[0], *install[1:]], env=empty, cwd=tmp_path, check=True)

    photo, mask = EXAMPLES / "photos" / "coffee.png", EXAMPLES / "masks" / "coffee.png"
    command = [scripts / "regionwise", "fill", photo, mask, "-o", "filled.png"]
    subprocess.run(command, env=empty, cwd=tmp_path, check=True)
    before, after = np.asarray(Image.open(photo)), np.asarray(Image.open(tmp_path / "filled.png"))
    changed = (before != after).any(axis=-1)
    hole = np.asarray(Image.open(mask).convert("L")) > 127
    assert changed[hole].mean() > 0.9
    assert not changed[~hole].any()
