"""The checkpoint of the authors of StructureFlow, two files."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint
from regionwise.models.parts import check_parts
from regionwise.models.spectral_norm import plain_weight
from regionwise.models.structureflow.card import CARD

_MARKS = ("content_param.0.conv.weight", "flow_column.location.1.conv.weight")
_FLOW, _IMAGE = "f_gen.flow_column.", "f_gen.conv_column."


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' keys, of both networks or of one."""
    prefixes = ("s_gen.", "f_gen.", "module.", "")
    return any(prefix + mark in weights for prefix in prefixes for mark in _MARKS)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights, spectral normalisation worked into them."""
    check_parts(weights, CARD.parts)
    ours = {}
    for target, source in (_structure() | _flow() | _texture()).items():
        if f"{source}.transConv.weight" in weights:
            for part in ("weight", "bias"):
                ours[f"{target}.{part}"] = weights[f"{source}.transConv.{part}"]
            continue
        home = target if target.endswith((".last", ".flow")) else f"{target}.conv"
        ours[f"{home}.weight"] = plain_weight(weights, f"{source}.conv")
        if f"{source}.conv.bias" in weights:
            ours[f"{home}.bias"] = weights[f"{source}.conv.bias"]
        if f"{source}.norm.weight" in weights:
            for part in ("weight", "bias"):
                ours[f"{target}.norm.{part}"] = weights[f"{source}.norm.{part}"]
    width = ours["structure_network.encoder.0.conv.weight"].shape[0]
    return Checkpoint("structureflow", {"width": width}, ours)


def _residuals(target: str, source: str, count: int) -> dict[str, str]:
    return {
        f"{target}.{block}.{name}": f"{source}.model.{block}.model.{place}"
        for block in range(count)
        for place, name in enumerate(("first", "second"))
    }


def _structure() -> dict[str, str]:
    names = {"encoder.0": "input_layer", "encoder.3": "down_sample.2.0"}
    for level in (0, 1):
        for place in (0, 1):
            names[f"encoder.{level + 1}.{place}"] = f"down_sample.{level}.{place}"
    for step in range(3):
        names |= _residuals(f"decoder.{step}.blocks", f"up_sample.{step}.0", 4)
        names[f"decoder.{step}.conv"] = f"up_sample.{step}.2"
        names[f"skips.{step}"] = f"content_param.{step}"
    names["last"] = "image_net.conv"
    return {f"structure_network.{ours}": f"s_gen.{theirs}" for ours, theirs in names.items()}


def _flow() -> dict[str, str]:
    names = {"first": "down_sample_flow.0.0"}
    for level in range(4):
        for place in (0, 1):
            source = f"down_sample_flow.{level}.{place + (level == 0)}"
            names[f"encoder.{level}.{place}"] = source
    names |= _residuals("deepest", "up_sample_flow.0.0", 2)
    names |= _residuals("middle", "up_sample_flow.1.1", 2)
    names |= {"up1": "up_sample_flow.0.1", "join": "up_sample_flow.1.0"}
    names |= {"up2": "up_sample_flow.1.2", "location": "location.0", "flow": "location.1"}
    return {f"flow_network.{ours}": _FLOW + theirs for ours, theirs in names.items()}


def _texture() -> dict[str, str]:
    names = {f"quarter.{place}": f"down_sample.0.{place}" for place in range(5)}
    names |= {f"eighth.{place}": f"down_sample.1.{place}" for place in range(2)}
    names |= _residuals("decoder.blocks", "up_sample.0.0", 2)
    names |= {"decoder.conv": "up_sample.0.2", "join": "up_sample.1.0"}
    for step in (0, 1):
        names |= _residuals(f"ups.{step}.blocks", f"up_sample.1.{1 + 3 * step}", 2)
        names[f"ups.{step}.conv"] = f"up_sample.1.{3 + 3 * step}"
    names["last"] = "up_sample.1.7.conv"
    return {f"texture_network.{ours}": _IMAGE + theirs for ours, theirs in names.items()}
