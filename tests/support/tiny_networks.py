"""Networks of a few numbers as ONNX files, for tests that need a file but no beauty."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_blur(file: Path, *, image_name: str = "image", bias: float = 0.0) -> Path:
    """A 3×3 mean over picture and mask, then a sigmoid: any size, any batch."""
    weights = np.full((3, 4, 3, 3), 1 / 36, np.float32)
    nodes = [
        helper.make_node("Concat", [image_name, "mask"], ["both"], axis=1),
        helper.make_node("Conv", ["both", "weights", "bias"], ["blurred"], pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["blurred"], ["output"]),
    ]
    return _write(file, nodes, image_name, weights=weights, bias=np.full(3, bias, np.float32))


def write_constant(file: Path, value: float) -> Path:
    """Answers one number everywhere; NaN makes a broken network."""
    nodes = [
        helper.make_node("Mul", ["image", "nothing"], ["zero"]),
        helper.make_node("Add", ["zero", "value"], ["output"]),
    ]
    return _write(file, nodes, "image", nothing=np.float32([0.0]), value=np.float32([value]))


def _write(
    file: Path, nodes: list[onnx.NodeProto], image_name: str, **constants: np.ndarray
) -> Path:
    def tensor(name: str, channels: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["batch", channels, "height", "width"]
        )

    graph = helper.make_graph(
        nodes,
        "tiny",
        [tensor(image_name, 3), tensor("mask", 1)],
        [tensor("output", 3)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, file)
    return file
