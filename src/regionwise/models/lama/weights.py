"""The checkpoints of the authors of LaMa: of a training (`best.ckpt`), or as TorchScript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

_MARK = "model.1.ffc.convl2l.weight"
_PARTS = {
    "ffc.convl2l": "local_to_local",
    "ffc.convg2l": "global_to_local",
    "ffc.convl2g": "local_to_global",
    "ffc.convg2g.conv1.0": "global_to_global.reduce",
    "ffc.convg2g.conv1.1": "global_to_global.norm",
    "ffc.convg2g.fu.conv_layer": "global_to_global.unit.conv",
    "ffc.convg2g.fu.bn": "global_to_global.unit.norm",
    "ffc.convg2g.conv2": "global_to_global.expand",
    "bn_l": "local_norm",
    "bn_g": "global_norm",
}
"""Of a fast Fourier convolution: the authors' names, and ours."""


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether the generator's keys are there, whatever stands before them and beside them."""
    return any(key.endswith(_MARK) for key in weights)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights; the number of blocks is read off them."""
    prefixes = sorted(key.removesuffix(_MARK) for key in weights if key.endswith(_MARK))
    # Of several networks in one file (an average, say) the generator that was trained.
    prefix = "generator." if "generator." in prefixes else prefixes[0]
    theirs = {
        key.removeprefix(prefix): value
        for key, value in weights.items()
        if key.startswith(f"{prefix}model.")
    }
    blocks = sum(key.endswith(".conv1.ffc.convl2l.weight") for key in theirs)
    ours: dict[str, Tensor] = {}
    for target, source in _names(blocks):
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            if f"{source}.{part}" in theirs:
                ours[f"{target}.{part}"] = theirs.pop(f"{source}.{part}")
    if theirs:
        raise KeyError(f"unknown key {next(iter(theirs))}")
    return Checkpoint("lama", {"width": weights[prefix + _MARK].shape[0], "blocks": blocks}, ours)


def _names(blocks: int) -> Iterator[tuple[str, str]]:
    """Each layer of ours, and theirs."""
    homes = [(f"encoder.{level}", f"model.{1 + level}") for level in range(4)]
    for block in range(blocks):
        for number in (1, 2):
            homes.append((f"middle.{block}.conv{number}", f"model.{5 + block}.conv{number}"))
    for ours, theirs in homes:
        for their_part, part in _PARTS.items():
            yield f"{ours}.{part}", f"{theirs}.{their_part}"
    after = 6 + blocks  # one place for the concatenation
    for step in range(3):
        yield f"decoder.{step}.conv", f"model.{after + 3 * step}"
        yield f"decoder.{step}.norm", f"model.{after + 3 * step + 1}"
    yield "last", f"model.{after + 10}"
