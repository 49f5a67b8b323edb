"""The network that an ONNX file was exported from, kept in the file, so that it can be built again.

Most weights lie in the graph under their own names. The few that the exporter computed with (the
affine maps of RN-B, equal biases) are kept beside, with the network's name and options, in the
file's metadata, which runtimes ignore.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors import SafetensorError
from safetensors.torch import load, save

from regionwise.errors import CheckpointError
from regionwise.models.checkpoint import Checkpoint

_KEY = "regionwise"
_PREFIX = "network."
_HALF = "_half"
"""Ending of the names of weights that are stored in half precision."""

_LARGEST_SHARE = 0.1
"""Of the graph's bytes that the weights beside it may add; networks that need more keep none."""


def keep_origin(model: onnx.ModelProto, origin: Checkpoint) -> None:
    """Write the network's name, options and those weights that the graph lost into the metadata.

    Where these would add more than a tenth to the file nothing is written.
    """
    there = _initializers(model)
    lost = {
        key: weight.contiguous()
        for key, weight in origin.weights.items()
        if key not in there or not torch.equal(there[key].to(weight.dtype), weight)
    }
    data = b64encode(save(lost)).decode()
    if len(data) > _LARGEST_SHARE * model.ByteSize():
        return
    entry = model.metadata_props.add()
    entry.key = _KEY
    entry.value = json.dumps(
        {
            "model": origin.model,
            "options": origin.options,
            "in_graph": [key for key in origin.weights if key not in lost],
            "beside": data,
        }
    )


def read_onnx(file: Path) -> Checkpoint:
    """The network that `regionwise export` made the file from; weights as the file rounds them.

    Raises:
        CheckpointError: for a broken file, or one that does not say its origin.
    """
    try:
        model = onnx.load(file)
    except Exception as error:  # protobuf's class for it is no part of onnx's interface
        raise CheckpointError(f"{file}: broken, or not an ONNX model ({error})") from error
    entries = [entry.value for entry in model.metadata_props if entry.key == _KEY]
    if not entries:
        raise CheckpointError(
            f"{file}: does not say which network it was made from; "
            "give the .safetensors or .pt file that it was exported from"
        )
    try:
        origin = json.loads(entries[0])
        there = _initializers(model)
        weights = {key: there[key] for key in origin["in_graph"]}
        weights |= load(b64decode(origin["beside"]))
        checkpoint = Checkpoint(origin["model"], origin["options"], weights)
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointError(f"{file}: what it says of its origin is broken ({error})") from error
    return checkpoint


def _initializers(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    """The weights that lie in the graph, by the network's own names, in float32 if in half."""
    weights = {}
    for tensor in model.graph.initializer:
        if tensor.name.startswith(_PREFIX):
            array = np.array(numpy_helper.to_array(tensor))
            name = tensor.name.removeprefix(_PREFIX).removesuffix(_HALF)
            weights[name] = torch.from_numpy(
                array.astype(np.float32) if array.dtype == np.float16 else array
            )
    return weights
