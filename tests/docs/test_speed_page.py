"""The tables of docs/speed.md are those of the files that the benchmarks wrote."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

HERE = Path(__file__).parents[2]


def test_the_page_is_drawn_from_the_files() -> None:
    page = run_path(str(HERE / "benchmarks" / "page.py"))
    text = page["PAGE"].read_text(encoding="utf-8")
    assert page["drawn"](text, page["tables"]()) == text
