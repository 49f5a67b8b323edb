"""Which precision is faster on this machine, found by trying."""

from __future__ import annotations

import statistics
import time
from typing import Literal

import torch
from torch import nn

from regionwise.models.registry import create_model
from regionwise.recipe.schema import Recipe
from regionwise.training.settings import TrainingSettings, process_layout

_WARM_UP, _TIMED = 1, 3


def with_chosen_precision(recipe: Recipe, settings: TrainingSettings) -> Recipe:
    """The recipe with fp32 or bf16 where it says "auto", else as it is.

    One process measures both; several, which must agree, take bf16 on GPUs that have it, else fp32.
    """
    if recipe.precision != "auto":
        return recipe
    device = _device(settings.accelerator)
    devices, nodes = process_layout(settings)
    chosen: Literal["fp32", "bf16"]
    if devices * nodes > 1:
        halves = device.type == "cuda" and torch.cuda.is_bf16_supported()
        chosen = "bf16" if halves else "fp32"
    else:
        seconds = {half: _seconds(recipe, device, half=half) for half in (False, True)}
        chosen = "bf16" if seconds[True] < seconds[False] else "fp32"
    return recipe.model_copy(update={"precision": chosen})


def _device(accelerator: str) -> torch.device:
    if accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return torch.device("cuda")
    if accelerator in ("auto", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _seconds(recipe: Recipe, device: torch.device, *, half: bool) -> float:
    """Median time of a forward and backward pass of the first phase's generator."""
    phase = recipe.phases[0]
    with torch.random.fork_rng():
        network = create_model(recipe.model.name, **recipe.model.options).train()
        network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        size, batch = phase.data.size, max(phase.batch // phase.accumulate, 1)
        image = torch.rand(batch, 3, size, size, device=device)
        image = image.contiguous(memory_format=torch.channels_last)
        mask = torch.zeros(batch, 1, size, size, device=device)
        mask[..., size // 4 : size // 2, size // 4 : size // 2] = 1
        times = [_once(network, image, mask, half=half) for _ in range(_WARM_UP + _TIMED)]
    return statistics.median(times[_WARM_UP:])


def _once(network: nn.Module, image: torch.Tensor, mask: torch.Tensor, *, half: bool) -> float:
    start = time.perf_counter()
    with torch.autocast(image.device.type, torch.bfloat16, enabled=half):
        answer = network(image, mask).answer
    answer.float().square().mean().backward()
    float(answer.detach().sum())  # waits for the device
    return time.perf_counter() - start
