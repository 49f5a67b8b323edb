"""A network as ONNX: free size and batch, weights in half precision, checked against PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from regionwise.checkpoints.onnx_origin import keep_origin
from regionwise.errors import ModelError
from regionwise.models.checkpoint import Checkpoint
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import compose
from regionwise.output import write_whole

_OPSET = 18
_SMALL = 1024
"""Tensors with fewer numbers stay as they are: they save nothing, and constants must be exact."""


class _Composed(nn.Module):
    """Picture and mask in, filled picture out, the known pixels kept."""

    def __init__(self, network: InpaintingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        return compose(image, mask, self.network(image, mask)).clamp(0, 1)


def export_onnx(
    network: InpaintingNetwork, file: Path, *, half: bool = True, origin: Checkpoint | None = None
) -> None:
    """Write a network as ONNX: inputs `image` N×3×H×W and `mask` N×1×H×W, output `output` N×3×H×W.

    Args:
        network: with the contract `model(image, mask)` → `Prediction`; it is put in eval mode.
        file: written whole or not at all.
        half: store weights in float16; they are computed with in float32.
        origin: the network as data, with the weights that it has now; with it `read_checkpoint`
            reads the file. The weights must be those that the file stores (`rounded_to_half`).

    Raises:
        ModelError: if the network says that it is no one graph (`exportable`).
        OutputError: if the file can't be written.
    """
    if not network.exportable:
        raise ModelError(
            f"{type(network).__name__} can't be written as ONNX, part of it runs outside PyTorch; "
            "fill with its PyTorch weights"
        )
    model = _exported(_Composed(network.cpu().float()).eval())
    _strip(model)
    if network.draws:
        helper.set_model_props(model, {"draws": "yes"})
    if half:
        _store_in_half(model)
    if origin is not None:
        keep_origin(model, origin)
    onnx.checker.check_model(model, full_check=True)
    write_whole(model.SerializeToString(), file, overwrite=True)


def _exported(module: nn.Module) -> onnx.ModelProto:
    # Two and three times the largest stride: a side of one tile would be taken for a constant.
    image, mask = torch.rand(2, 3, 136, 264), (torch.rand(2, 1, 136, 264) > 0.7).float()
    batch, height, width = (torch.export.Dim(name, min=1) for name in ("batch", "height", "width"))
    axes = {0: batch, 2: height, 3: width}
    program = torch.onnx.export(
        module,
        (image, mask),
        input_names=["image", "mask"],
        output_names=["output"],
        dynamic_shapes={"image": axes, "mask": axes},
        opset_version=_OPSET,
        dynamo=True,
        optimize=True,
    )
    assert program is not None
    return program.model_proto


def _store_in_half(model: onnx.ModelProto) -> None:
    """Turn large float32 initializers into float16 with a cast; ONNX Runtime folds it at load."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _SMALL:
            continue
        name = tensor.name
        array = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(array, f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _strip(model: onnx.ModelProto) -> None:
    """Take out what only a debugger of the exporter reads: stack traces and inner shapes."""
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]


@torch.no_grad()
def largest_difference(
    network: InpaintingNetwork, file: Path, sizes: list[tuple[int, int]]
) -> float:
    """The largest difference between PyTorch's and ONNX Runtime's pictures, over sizes and batches.

    The network's weights must be those that the file stores; round them with `rounded_to_half`
    before, if the file stores halves.

    Raises:
        ModelError: if ONNX Runtime can't run the file.
    """
    try:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common class of their own
        raise ModelError(f"{file}: ONNX Runtime can't run it ({error})") from error
    composed = _Composed(network).eval()
    rng = torch.Generator().manual_seed(0)
    worst = 0.0
    for height, width in sizes:
        image = torch.rand(2, 3, height, width, generator=rng)
        mask = torch.zeros(2, 1, height, width)
        mask[0, :, height // 4 : height // 2 + 1, width // 4 : width // 2 + 1] = 1
        mask[1, :, : height // 3 + 1] = 1
        ours = composed(image, mask).numpy()
        (theirs,) = session.run(None, {"image": image.numpy(), "mask": mask.numpy()})
        worst = max(worst, float(np.abs(ours - theirs).max()))
    return worst


def rounded_to_half(network: InpaintingNetwork) -> InpaintingNetwork:
    """The network with the weights that `export_onnx` stores: large ones rounded to float16."""
    with torch.no_grad():
        for weight in network.state_dict().values():
            if weight.dtype == torch.float32 and weight.numel() >= _SMALL:
                weight.copy_(weight.half().float())
    return network
