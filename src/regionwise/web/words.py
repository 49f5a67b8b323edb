"""The words that the page offers, and the options of a fill that each stands for: here alone."""

from __future__ import annotations

from typing import Any

WORDS: dict[str, dict[str, Any]] = {
    "auto": {},
    "fast": {"model": "fast"},
    "sharp": {"model": "sharp"},
    "smooth": {"model": "smooth"},
}
"""By word, what is not the default of `FillOptions`."""

PAGE_STARTS: dict[str, Any] = {"grow": 2.0}
"""Options with which the page starts from another value than `FillOptions`: a brush paints rims."""
