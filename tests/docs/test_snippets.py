"""Whoever copies a block from README or the site gets what the page says.

All blocks of a page that name their language (bash, python) are run one after another, in one
folder of sample photos and one Python session, as a reader would. A fence may say why its block is
not run (`skip: needs training data`) or that it takes long (`slow`).
"""

import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest
from tests.docs.conftest import ROOT
from tests.support.snippets import Snippet, snippets_of

PAGES = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/**/*.md")],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
PRELUDE = """
import numpy as np
from PIL import Image

array = np.asarray(Image.open("photos/a.jpg").convert("RGB"))
mask_array = np.asarray(Image.open("masks/a.png").convert("L")) > 127
pairs = [(array, mask_array)]
photo_bytes, mask_bytes = open("photos/a.jpg", "rb").read(), open("masks/a.png", "rb").read()
"""
"""What the pages speak of without saying where it is from."""
TENSORS = """
import torch

image, mask = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
mask[..., 20:40, 20:40] = 1
features, channels = torch.rand(1, 8, 16, 16), 8
one_hot_regions = torch.nn.functional.one_hot(torch.arange(256).reshape(1, 16, 16) % 3)
one_hot_regions = one_hot_regions.permute(0, 3, 1, 2).float()
"""
"""The same, on the pages of the papers."""


def cases() -> list[object]:
    found = []
    for page in PAGES:
        snippets = snippets_of(page)
        name = page.relative_to(ROOT).as_posix()
        for slow, group in groupby(
            sorted((one for one in snippets if not one.skip), key=lambda one: one.slow),
            key=lambda one: one.slow,
        ):
            marks = [pytest.mark.slow] if slow else []
            found.append(pytest.param(list(group), id=name + "-slow" * slow, marks=marks))
    return found


def test_blocks_are_found():
    counted = {page.name: len(snippets_of(page)) for page in PAGES}
    assert counted["README.md"] >= 4
    assert counted["folder.md"] >= 2
    assert sum(counted.values()) > 40


def test_no_reason_is_empty():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for one in snippets_of(page):
            fence = text.splitlines()[one.line - 1]
            assert one.skip or "skip" not in fence, f"{page}:{one.line}: skipped without a reason"


@pytest.mark.parametrize("snippets", cases())
def test_page(snippets: list[Snippet], samples: Path):
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT / "src"),
    }
    session = PRELUDE + TENSORS * (snippets[0].page.parent == ROOT / "docs")
    for one in snippets:
        if one.language == "bash":
            command = ["bash", "-euo", "pipefail", "-c", one.code]
        else:  # what stood before on the page is still there
            session += f"\n{one.code}"
            command = [sys.executable, "-c", session]
        run = subprocess.run(
            command, cwd=samples, env=environment, capture_output=True, text=True, timeout=600
        )
        place = f"{one.page.relative_to(ROOT)}:{one.line}"
        assert run.returncode == 0, f"{place}\n{one.code}\n{run.stdout[-2000:]}{run.stderr[-2000:]}"
