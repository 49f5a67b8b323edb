"""Weights and answers of the authors' networks, from `tests/fixtures/official`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

FOLDER = Path(__file__).parents[1] / "fixtures" / "official"


def official_weights(name: str) -> dict[str, Tensor]:
    """The state dict that NAME.json describes: mean + std · normal numbers of each key's seed."""
    described: dict[str, dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    weights = {}
    for key, entry in described.items():
        if entry.get("rule") == "eye":
            weights[key] = torch.eye(entry["shape"][-1]).expand(entry["shape"]).clone()
            continue
        if entry["dtype"].startswith("int"):
            weights[key] = torch.zeros(entry["shape"], dtype=torch.int64)
            continue
        noise = np.random.RandomState(entry["seed"]).standard_normal(entry["shape"])
        weights[key] = torch.from_numpy(
            np.asarray(entry["mean"] + entry["std"] * noise, np.float32)
        )
    return weights


def official_answers(name: str) -> dict[str, np.ndarray]:
    """Inputs and answers: `image` and `mask` (1 = missing) as uint8, the rest float32."""
    with np.load(FOLDER / f"{name}_11.npz") as arrays:
        return {key: arrays[key] for key in arrays.files}


def official_inputs(answers: dict[str, np.ndarray]) -> tuple[Tensor, Tensor]:
    """Image in [0, 1] and mask, as our models take them."""
    image = torch.from_numpy(answers["image"]).float() / 255
    return image, torch.from_numpy(answers["mask"]).float()


def relative_error(ours: Tensor, theirs: np.ndarray) -> float:
    """The largest difference, in units of the authors' standard deviation."""
    wanted = torch.from_numpy(theirs).to(ours.dtype)
    assert ours.shape == wanted.shape
    return float((ours - wanted).abs().max() / wanted.std())
