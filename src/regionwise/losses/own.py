"""A loss that another package brings, by its entry point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from regionwise.errors import RecipeError
from regionwise.plugins import LOSSES, load_plugin


def own_loss(
    answer: Tensor, truth: Tensor, mask: Tensor, *, loss: str, keywords: Mapping[str, Any]
) -> Tensor:
    """The mean over pictures of what the package's function gives for each.

    Args:
        answer, truth: N×3×H×W in [0, 1].
        mask: N×1×H×W, 1 = missing.
        loss: name of the entry point in the group `regionwise.losses`.
        keywords: further arguments of its function.

    Raises:
        RecipeError: if it gives neither a number nor one for each picture.
    """
    value = load_plugin(LOSSES, loss)(answer, truth, mask, **keywords)
    if not isinstance(value, Tensor) or value.shape not in ((), (len(answer),)):
        raise RecipeError(f"the loss {loss} gave no number, and none for each of the pictures")
    return value.mean()
