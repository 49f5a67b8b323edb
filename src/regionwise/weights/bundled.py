"""The weights that come with the package: `NAME.onnx`, and its card `NAME.json` beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from regionwise.errors import CheckpointError
from regionwise.weights.card import ModelCard

FOLDER = Path(__file__).parent

DEFAULT = "madf"
"""The bundled model that the name `default` stands for."""


def bundled_cards() -> list[ModelCard]:
    """The cards of all bundled models, by name."""
    return [read_card(file) for file in sorted(FOLDER.glob("*.json"))]


def bundled_card(name: str) -> ModelCard | None:
    """The card of a bundled model; None where there is none of that name."""
    wanted = DEFAULT if name == "default" else name
    return next((card for card in bundled_cards() if card.name == wanted), None)


def read_card(file: Path) -> ModelCard:
    """The card in a JSON file.

    Raises:
        CheckpointError: if it is none.
    """
    try:
        return ModelCard(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{file} is not a model card ({error}); reinstall regionwise"
        ) from error


def weights_file(name_or_file: str | os.PathLike[str]) -> Path:
    """The file of a bundled model, or the file itself; for `checkpoints.read_checkpoint`."""
    name = os.fspath(name_or_file)
    bundled = FOLDER / f"{DEFAULT if name == 'default' else name}.onnx"
    return bundled if bundled.parent == FOLDER and bundled.is_file() else Path(name)
