"""Each import rule of pyproject.toml, broken on purpose, fails what `make lint` runs."""

import os
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINTER = Path(sys.executable).with_name("lint-imports")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
LAYERS = [layer.split(" | ") for layer in CONTRACTS[0]["layers"]]
UPWARDS = [(low, above[0]) for above, layer in pairwise(LAYERS) for low in layer]
SIDEWAYS = [(one, other) for layer in LAYERS for one in layer for other in layer if one != other]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not LINTER.exists(), reason="import-linter is not installed"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", folder)
    source = folder / "src" / "regionwise"
    for file in (ROOT / "src" / "regionwise").rglob("*.py"):
        (source / file.relative_to(ROOT / "src" / "regionwise")).parent.mkdir(
            parents=True, exist_ok=True
        )
        shutil.copy(file, source / file.relative_to(ROOT / "src" / "regionwise"))
    return folder


def lint(tree):
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "COLUMNS": "200"}
    return subprocess.run(
        [LINTER, "--no-cache"], cwd=tree, env=environment, capture_output=True, text=True
    )


def lint_with(tree, room, line):
    """What the linter says when the room has one more line."""
    place = tree / "src" / "regionwise" / room
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    before = file.read_text()
    file.write_text(f"{before}\n{line}\n")
    try:
        return lint(tree)
    finally:
        file.write_text(before)


def test_as_it_is_it_passes(tree):
    done = lint(tree)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("low", "high"), UPWARDS + SIDEWAYS)
def test_an_import_upwards_or_sideways(tree, low, high):
    done = lint_with(tree, low, f"import regionwise.{high}")
    assert done.returncode == 1
    assert f"{CONTRACTS[0]['name']} BROKEN" in done.stdout
    assert f"regionwise.{low} is not allowed to import regionwise.{high}" in done.stdout


def test_a_library_that_is_forbidden(tree):
    done = lint_with(tree, "errors", "import torchvision")
    assert done.returncode == 1
    assert f"{CONTRACTS[1]['name']} BROKEN" in done.stdout


def test_a_room_that_is_in_no_layer(tree):
    room = tree / "src" / "regionwise" / "attic"
    room.mkdir()
    (room / "__init__.py").touch()
    try:
        done = lint(tree)
    finally:
        shutil.rmtree(room)
    assert done.returncode == 1
    assert "attic" in done.stdout + done.stderr


def test_no_contract_is_forgotten_here():
    assert [contract["type"] for contract in CONTRACTS] == ["layers", "forbidden"]
