"""Checkpoints of DeepFill, both versions: the authors' (TensorFlow) and two PyTorch ports'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

Version = Literal[1, 2]

_TENSORFLOW = "inpaint_net/"
_CONVERTED_V1 = "netG."
_MARKS: dict[str, tuple[Version | None, str]] = {
    "inpaint_net/conv1/kernel": (None, "tensorflow"),
    "xconv1.conv.weight": (2, "converted"),
    "stage1.conv1.conv.weight": (2, "pytorch"),
    "coarse_generator.conv1.conv.weight": (1, "pytorch"),
    "netG.coarse_generator.conv1.conv.weight": (1, "tensorflow"),
}
"""A key of each format, its version if only one has it, and the graph that its weights are for."""


def version(weights: Mapping[str, Tensor]) -> Version | None:
    """Of which version these weights are: the authors' (with or without ":0") or a port's."""
    mark = _mark(weights)
    if mark is None:
        return None
    return _MARKS[mark][0] or (1 if _is_plain(weights) else 2)


def converted(weights: Mapping[str, Tensor], version: Version) -> Checkpoint:
    """Our network with these weights.

    The graph is that of the program which the file was released for, except for version 1 in
    TensorFlow's weights: the port pads on another side than these were trained with, so they run in
    their own graph. The option `graph` chooses another one.

    Raises:
        KeyError: if they are incomplete.
    """
    weights = {key.removesuffix(":0"): value for key, value in weights.items()}
    mark = _mark(weights)
    if mark is None:
        raise KeyError("conv1")
    theirs = {key.removeprefix(_CONVERTED_V1): value for key, value in weights.items()}
    names = dict(_names())
    if mark.startswith("stage1"):
        names = dict(_names_of_blocks())
    elif "generator" in mark:
        names = {key: _with_generator(source) for key, source in names.items()}
    ours = {}
    for target, source in names.items():
        ours[f"{target}.conv.weight"], ours[f"{target}.conv.bias"] = _layer(theirs, source)
    first = ours["coarse.encoder.0.conv.weight"]
    options: dict[str, object] = {"width": first.shape[0] // version, "graph": _MARKS[mark][1]}
    if "/" in mark:
        options["channels"] = "bgr"
    return Checkpoint(f"deepfillv{version}", options, ours)


def _mark(weights: Mapping[str, Tensor]) -> str | None:
    """The format's key among the weights."""
    return next((mark for mark in _MARKS if mark in weights or f"{mark}:0" in weights), None)


def _is_plain(weights: Mapping[str, Tensor]) -> bool:
    """Whether the authors' convolutions have no gates.

    Then one has as many outputs, the last dimension, as the next has inputs.
    """
    names = {key.removesuffix(":0"): key for key in weights}
    first, second = (f"{_TENSORFLOW}{name}/kernel" for name in ("conv1", "conv2_downsample"))
    if second not in names:
        return False
    return weights[names[first]].shape[-1] == weights[names[second]].shape[-2]


def _layer(theirs: Mapping[str, Tensor], source: str) -> tuple[Tensor, Tensor]:
    """Weight and bias; the ports wrap a convolution that follows a doubling once more."""
    for name in (f"{source}.conv", f"{source}_upsample.conv.conv", f"{source}.conv.conv"):
        if f"{name}.weight" in theirs:
            return theirs[f"{name}.weight"], theirs[f"{name}.bias"]
    for name in (source, f"{source}_upsample/{source}_upsample_conv"):
        if f"{_TENSORFLOW}{name}/kernel" in theirs:
            kernel = theirs[f"{_TENSORFLOW}{name}/kernel"]
            return kernel.permute(3, 2, 0, 1), theirs[f"{_TENSORFLOW}{name}/bias"]
    raise KeyError(source)


def _names() -> Iterator[tuple[str, str]]:
    """Each convolution of ours, and the authors' name of it."""
    kinds = {2: "_downsample", 4: "_downsample", 7: "_atrous", 8: "_atrous", 9: "_atrous"}
    kinds[10] = "_atrous"
    for stage, prefix in (("coarse", ""), ("refinement", "x")):
        for number in range(1, 11):
            home = f"encoder.{number - 1}" if number < 7 else f"middle.{number - 7}"
            yield f"{stage}.{home}", f"{prefix}conv{number}{kinds.get(number, '')}"
    for number in range(1, 7):
        kind = kinds.get(number, "")
        yield f"refinement.attention_encoder.{number - 1}", f"pmconv{number}{kind}"
    for number in (9, 10):
        yield f"refinement.attended.{number - 9}", f"pmconv{number}"
    for stage, prefix in (("coarse", ""), ("refinement", "all")):
        for number in range(11, 17):
            yield f"{stage}.decoder.convolutions.{number - 11}", f"{prefix}conv{number}"
        yield f"{stage}.decoder.last", f"{prefix}conv17"


def _with_generator(source: str) -> str:
    """The name in version 1's port, where the dilated branch has no prefix of its own."""
    if source.startswith(("pm", "all")):
        return f"fine_generator.{source}"
    if source.startswith("x"):
        return f"fine_generator.{source[1:]}"
    return f"coarse_generator.{source}"


def _names_of_blocks() -> Iterator[tuple[str, str]]:
    """The names in version 2's port after its own training."""
    down = ["down_block1.conv1_downsample", "down_block1.conv2"]
    down += ["down_block2.conv1_downsample", "down_block2.conv2"]
    branches = (
        ("coarse", "encoder", "middle", "stage1.", "conv_bn", 5),
        ("refinement", "encoder", "middle", "stage2.conv_", "conv_bn", 5),
        ("refinement", "attention_encoder", "attended", "stage2.ca_", "conv_bn", 3),
    )
    for stage, encoder, middle, prefix, neck, dilated in branches:
        for place, name in enumerate(["conv1", *down, f"{neck}1"]):
            yield f"{stage}.{encoder}.{place}", prefix + name
        first = 4 if middle == "attended" else 2
        for place in range(dilated - 1):
            yield f"{stage}.{middle}.{place}", f"{prefix}{neck}{first + place}"
    up = ["up_block1.conv1_upsample", "up_block1.conv2"]
    up += ["up_block2.conv1_upsample", "up_block2.conv2"]
    for stage, prefix in (("coarse", "stage1."), ("refinement", "stage2.")):
        for place, name in enumerate(["conv_bn6", "conv_bn7", *up]):
            yield f"{stage}.decoder.convolutions.{place}", prefix + name
        yield f"{stage}.decoder.last", f"{prefix}conv_to_rgb"
