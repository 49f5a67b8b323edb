"""The plug-in point: tiny files of SAM's form, made here, that threshold what they are shown."""

import numpy as np
import pytest

from regionwise.errors import ModelError
from regionwise.selection.prompt import Prompt
from regionwise.selection.sam import SamSegmenter

onnx = pytest.importorskip("onnx", reason='pip install "regionwise[train]"')
from onnx import TensorProto, helper  # noqa: E402

SIDE = 64
INPUTS = {
    "image_embeddings": [1, 3, SIDE, SIDE],
    "point_coords": [1, "n", 2],
    "point_labels": [1, "n"],
    "mask_input": [1, 1, 256, 256],
    "has_mask_input": [1],
    "orig_im_size": [2],
}


def save(path, nodes, inputs, outputs, constants=()):
    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        "tiny",
        [value(*one) for one in inputs.items()],
        [value(*one) for one in outputs.items()],
        list(constants),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def number(name, values, kind=TensorProto.FLOAT):
    return helper.make_tensor(name, kind, [len(values)], values)


@pytest.fixture
def folder(tmp_path):
    """The encoder hands the picture on; the decoder gives where red is above 0, and its inverse.

    The first is the better one for a click on it (the last label is -1), the second for a box.
    """
    save(
        tmp_path / "tiny_encoder.onnx",
        [helper.make_node("Identity", ["image"], ["embedding"])],
        {"image": [1, 3, SIDE, SIDE]},
        {"embedding": [1, 3, SIDE, SIDE]},
    )
    nodes = [
        helper.make_node("Slice", ["image_embeddings", "zero", "one", "axis"], ["red"]),
        helper.make_node("Cast", ["orig_im_size"], ["size"], to=TensorProto.INT64),
        helper.make_node("ReduceMax", ["orig_im_size"], ["longer"], keepdims=1),
        helper.make_node("Div", ["longer", "side"], ["scale"]),
        helper.make_node("Concat", ["ones", "scale", "scale"], ["scales"], axis=0),
        helper.make_node("Resize", ["red", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Slice", ["large", "corner", "size", "sides"], ["mask"]),
        helper.make_node("Neg", ["mask"], ["inverse"]),
        helper.make_node("Concat", ["mask", "inverse"], ["masks"], axis=1),
        helper.make_node("ReduceMin", ["point_labels"], ["least"], keepdims=0),
        helper.make_node("Reshape", ["least", "pair"], ["low"]),
        helper.make_node("Neg", ["low"], ["first"]),
        helper.make_node("Concat", ["first", "low"], ["iou_predictions"], axis=1),
        helper.make_node("Identity", ["masks"], ["low_res_masks"]),
        # Others of SAM's inputs, which a real decoder uses:
        helper.make_node("ReduceSum", ["mask_input"], ["unused"], keepdims=0),
        helper.make_node("ReduceSum", ["has_mask_input"], ["unused2"], keepdims=0),
        helper.make_node("ReduceSum", ["point_coords"], ["coordinates"], keepdims=0),
    ]
    constants = [
        *(
            number(name, [value], TensorProto.INT64)
            for name, value in {"zero": 0, "one": 1, "axis": 1}.items()
        ),
        number("side", [float(SIDE)]),
        number("ones", [1.0, 1.0]),
        number("corner", [0, 0], TensorProto.INT64),
        number("sides", [2, 3], TensorProto.INT64),
        number("pair", [1, 1], TensorProto.INT64),
    ]
    masks = [1, 2, "height", "width"]
    outputs = {"masks": masks, "iou_predictions": [1, 2], "low_res_masks": masks}
    outputs |= {name: [] for name in ("coordinates", "unused", "unused2")}
    save(tmp_path / "tiny_decoder.onnx", nodes, INPUTS, outputs, constants)
    return tmp_path


def picture(height, width):
    color = np.zeros((height, width, 3), np.uint8)
    color[:, : width // 2] = 255
    return color


@pytest.mark.parametrize("size", [(SIDE, SIDE), (128, 64), (64, 128)])
def test_a_click_and_a_box(folder, size):
    color = picture(*size)
    segmenter = SamSegmenter(folder)
    clicked = segmenter.select(color, Prompt(inside=((3, 3),)))
    assert np.array_equal(clicked, color[..., 0] > 128)
    boxed = segmenter.select(color, Prompt(box=(size[1] // 2, 0, 20, 20)))
    assert np.array_equal(boxed, color[..., 0] < 128)


def test_points_are_those_of_the_encoder(folder):
    from regionwise.selection.sam import _points

    coordinates, labels = _points(Prompt(((10, 20),), ((30, 40),), (1, 2, 3, 4)), 0.5)
    assert coordinates.tolist() == [[[5, 10], [15, 20], [0.5, 1], [2, 3]]]
    assert labels.tolist() == [[1, 0, 2, 3]]


def test_a_photo_is_encoded_once(folder):
    segmenter = SamSegmenter(folder)
    asked = []
    run = segmenter._encoder.run

    class Counting:
        def run(self, *arguments):
            asked.append(1)
            return run(*arguments)

    segmenter._encoder = Counting()
    for color in (picture(64, 64), picture(64, 64), 255 - picture(64, 64)):
        segmenter.select(color, Prompt(inside=((3, 3),)))
    assert len(asked) == 2


def test_one_of_the_files_is_enough(folder):
    for name in ("tiny_encoder.onnx", "tiny_decoder.onnx"):
        SamSegmenter(folder / name)


def test_other_files_are_told(folder, tmp_path_factory):
    with pytest.raises(ModelError, match="must hold one"):
        SamSegmenter(tmp_path_factory.mktemp("empty"))
    with pytest.raises(ModelError, match="is missing"):
        SamSegmenter(folder / "other.onnx")
    (folder / "tiny_decoder.onnx").write_bytes((folder / "tiny_encoder.onnx").read_bytes())
    with pytest.raises(ModelError, match="lacks the input"):
        SamSegmenter(folder)
    (folder / "tiny_decoder.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not an ONNX file"):
        SamSegmenter(folder)
