"""What people install: the wheel and the source archive, as `make dist` builds them."""

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import regionwise

ROOT = Path(__file__).parents[2]
VERSION = regionwise.__version__


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


def test_the_wheel_holds_what_a_fill_needs(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    here = {name.removeprefix("regionwise/") for name in names}
    assert "py.typed" in here
    for name in ("madf", "small", "rn"):
        assert {f"weights/{name}.onnx", f"weights/{name}.json"} <= here
    assert "web/static/index.html" in here
    assert "evaluation/protocols/card.json" in here
    source = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    source |= {  # recipes by name
        f"regionwise/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "recipes").rglob("*.*")
    }
    inside = {name for name in names if not name.startswith(f"regionwise-{VERSION}.dist-info/")}
    assert inside == source  # nothing is missing, no test and no stray file is there


def test_the_wheel_is_small(wheel: Path):
    assert wheel.stat().st_size <= 20 * 1024**2


def test_the_wheel_fits_every_machine(wheel: Path):
    assert wheel.name == f"regionwise-{VERSION}-py3-none-any.whl"


def test_the_source_archive_builds_and_tests(built: Path):
    archive = next(built.glob("*.tar.gz"))
    with tarfile.open(archive) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "src/regionwise/weights/madf.onnx"} <= names
    assert {"tests/conftest.py", "constraints.txt", "recipes/tiny.yaml"} <= names
    assert not [name for name in names if name.startswith((".venv", "out/", "runs/", "local/"))]


def test_one_version_everywhere(wheel: Path):
    with zipfile.ZipFile(wheel) as content:
        metadata = email.message_from_bytes(
            content.read(f"regionwise-{VERSION}.dist-info/METADATA")
        )
    assert metadata["Version"] == VERSION
    assert metadata["License-Expression"] == "Apache-2.0"
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(rf"^version: {re.escape(VERSION)}$", citation, re.MULTILINE)
    assert f"## [{VERSION}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_index_shows_pictures_and_links(wheel: Path):
    with zipfile.ZipFile(wheel) as content:
        metadata = content.read(f"regionwise-{VERSION}.dist-info/METADATA").decode()
    page = metadata.partition("\n\n")[2]
    assert page.startswith("# regionwise")
    assert "![The page: a tower is painted over](https://raw.githubusercontent.com/" in page
    targets = re.findall(r"\]\(([^)]+)\)", page)
    assert len(targets) > 20
    assert not [target for target in targets if not target.startswith("https://")]
