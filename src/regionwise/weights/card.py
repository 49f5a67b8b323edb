"""What a user should know of a model before using it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ModelCard:
    """What a user should know of a model before using it.

    Attributes:
        name: what `--model` takes.
        title: what it is, in a line.
        size: bytes of its weights; 0 for a classical method.
        paper: authors, title, venue and year.
        licences: of its `code`, its `weights` and the `data` that these were trained on.
        texture: strength of the texture that its fills are given, see
            `regionwise.classical.texture`.
        measured: rows of numbers, each with the `command` that made it.
        installed: whether it runs here.
        install: the command that installs what it lacks.
        seeded: whether it draws numbers, so that the seed changes its fills.
    """

    name: str
    title: str
    paper: str
    licences: dict[str, str]
    size: int = 0
    texture: float = 0
    measured: list[dict[str, Any]] = field(default_factory=list)
    installed: bool = True
    install: str = ""
    seeded: bool = False
