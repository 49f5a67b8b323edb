"""A network as a folder, in the form that hubs of models show: card, configuration, weights.

    NAME/README.md           the card: YAML that hubs read, then prose
    NAME/config.json         which network it is, and with which options
    NAME/model.safetensors   its weights, for PyTorch
    NAME/model.onnx          the same, to fill with by ONNX Runtime; not every network has it

Nothing is fetched from anywhere: whoever has a folder gives its path.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from regionwise.errors import CheckpointError
from regionwise.weights.card import ModelCard

CARD, CONFIGURATION = "README.md", "config.json"
PYTORCH, ONNX = "model.safetensors", "model.onnx"
_VERSION = "1"


@dataclass(frozen=True)
class Configuration:
    """What `config.json` holds.

    Attributes:
        model: the network's name, as `create_model` takes it.
        options: of that network.
        texture: strength of the texture that its fills are given, see
            `regionwise.classical.texture`; with 0 its answers are taken as they are.
    """

    model: str
    options: dict[str, Any] = field(default_factory=dict)
    texture: float = 0.0

    def as_json(self) -> str:
        """The content of the file."""
        content = {"regionwise": _VERSION, "model": self.model, "options": self.options}
        return json.dumps(content | {"texture": self.texture}, indent=2) + "\n"


def is_model_folder(path: Path) -> bool:
    """Whether a path is such a folder."""
    return (path / CONFIGURATION).is_file()


def read_configuration(folder: Path) -> Configuration:
    """Read `config.json`.

    Raises:
        CheckpointError: if it is missing, broken, or of another program.
    """
    file = folder / CONFIGURATION
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file}: not readable as JSON ({error})") from error
    if not isinstance(content, dict) or content.get("regionwise") != _VERSION:
        raise CheckpointError(
            f"{file}: of another program, or of a newer regionwise; "
            f'it must say "regionwise": "{_VERSION}"'
        )
    model, options = content.get("model"), content.get("options", {})
    texture = content.get("texture", 0.0)
    sound = isinstance(model, str) and isinstance(options, dict)
    if not sound or isinstance(texture, bool) or not isinstance(texture, int | float):
        raise CheckpointError(
            f'{file}: "model" must be a name, "options" a table, "texture" a number'
        )
    return Configuration(str(model), options, float(texture))


def card_page(card: ModelCard, configuration: Configuration) -> str:
    """`README.md`: what hubs read of a card as YAML, and for people the same in words."""
    head: dict[str, Any] = {
        "license": "apache-2.0" if card.licences.get("weights") == "Apache-2.0" else "other",
        "library_name": "regionwise",
        "pipeline_tag": "image-to-image",
        "tags": ["image-inpainting", "object-removal", "onnx", "safetensors"],
    }
    if head["license"] == "other":
        head["license_name"] = "see-below"
        head["license_link"] = "README.md"
    results = [_result(row) for row in card.measured]
    if results:
        head["model-index"] = [{"name": card.name, "results": results}]
    front = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{front}---\n\n{_words(card, configuration)}"


def _result(row: dict[str, Any]) -> dict[str, Any]:
    """A row of measured numbers as hubs list them."""
    numbers = _numbers(row)
    holes, photos = row.get("holes", "holes"), row.get("photos", "held-out")
    return {
        "task": {"type": "image-to-image", "name": "Image inpainting"},
        "dataset": {"type": "held-out-photos", "name": f"{photos} photos, {holes}"},
        "metrics": [
            {"type": name.split()[0].lower(), "name": name, "value": value}
            for name, value in numbers.items()
        ],
    }


def _numbers(row: dict[str, Any]) -> dict[str, float]:
    apart = ("photos", "holes", "command")
    return {name: value for name, value in row.items() if name not in apart}


def _words(card: ModelCard, configuration: Configuration) -> str:
    lines = [f"# {card.name}", "", f"{card.title}.", ""]
    lines += [
        "Fills holes in photos with [regionwise](https://github.com/regionwise/regionwise):",
        "",
        "```python",
        "import regionwise",
        "",
        f'filled = regionwise.fill("photo.jpg", "mask.png", model="path/to/{card.name}")',
        "```",
        "",
        f"Network: `{configuration.model}`. Paper: {card.paper}." if card.paper else
        f"Network: `{configuration.model}`.",
        "",
        "## Licences",
        "",
        *(f"- {what}: {licence}" for what, licence in card.licences.items()),
    ]  # fmt: skip
    if card.measured:
        lines += ["", "## Measured", ""]
        for row in card.measured:
            numbers = ", ".join(f"{name} {value}" for name, value in _numbers(row).items())
            lines.append(f"- {row.get('photos')} photos, {row.get('holes')}: {numbers}")
            if row.get("command"):
                lines.append(f"  (`{row['command']}`)")
    return "\n".join(lines) + "\n"
