r"""The checkpoint of the authors of the Region-wise papers: TensorFlow variables by name.

A TensorFlow checkpoint becomes an .npz, where TensorFlow is installed, by

    python -c "import sys, numpy, tensorflow as tf; r = tf.train.load_checkpoint(sys.argv[1]); \
    numpy.savez(sys.argv[2], **{k: r.get_tensor(k) for k in r.get_variable_to_shape_map()})" \
    model_logs/snap-0 region-wise.npz

and `from_official(numpy.load("region-wise.npz"))` reads it. The discriminator's variables and the
optimiser's may be among them.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

_COARSE, _FINE = "inpaint_net/", "inpaint_net_1/"
_MARK = "com_13_fusion_1/kernel"

_ENCODER = {
    "conv1_1": "at_full.0",
    "conv2_downsample_1": "to_half.0",
    "conv3_1": "at_half.0",
    "conv4_downsample_1": "to_quarter.0",
    "conv5_1": "before.0.0",
    "conv6_1": "before.1.0",
    "conv7_atrous_1": "dilated.0.0",
    "conv8_atrous_1": "dilated.1.0",
    "conv9_atrous_1": "dilated.2.0",
    "conv10_atrous_1": "dilated.3.0",
    "conv11_1": "after.0.0",
    "conv12_1": "after.1.0",
}
_REGION_STEPS = ("com_13_fusion_1", "com_14_fusion", "com_15_fusion_1")
_COARSE_TAIL = {"conv16_1": "tail.0.0", "conv17_1": "tail.1.0", "conv18_1": "last"}
_FINE_DECODER = {
    "conv13_upsample_1": "to_half.0",
    "conv14_1": "at_half.0",
    "conv15_upsample_1": "to_full.0",
    "conv16_1": "at_full.0",
    "conv17_1": "last",
}


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' variables, with or without TensorFlow's ":0"."""
    return any(_COARSE + _MARK + suffix in weights for suffix in ("", ":0"))


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our generator with the authors' weights; of the first network alone where no second is there.

    Kernels are (height, width, in, out) there. Those of the region-wise convolutions hold the known
    region's filter and then the hole's, one after the other along the input channels.
    """
    theirs = {key.removesuffix(":0"): value for key, value in weights.items()}
    width = theirs[f"{_COARSE}conv1_1/kernel"].shape[-1]
    has_fine = any(key.startswith(_FINE) for key in theirs)
    options = {"width": width, "stages": 2 if has_fine else 1}
    return Checkpoint("region-wise", options, _renamed(theirs, width, has_fine))


def _renamed(theirs: Mapping[str, Tensor], width: int, has_fine: bool) -> dict[str, Tensor]:
    ours: dict[str, Tensor] = {}

    def kernel(source: str) -> Tensor:
        return theirs[f"{source}/kernel"].permute(3, 2, 0, 1).contiguous()

    def convolutions(target: str, source: str, names: Mapping[str, str]) -> None:
        for name, place in names.items():
            ours[f"{target}{place}.weight"] = kernel(source + name)
            ours[f"{target}{place}.bias"] = theirs[f"{source}{name}/bias"]

    convolutions("networks.0.encoder.", _COARSE, _ENCODER)
    convolutions("networks.0.", _COARSE, _COARSE_TAIL)
    for step, name in enumerate(_REGION_STEPS):
        stacked = kernel(_COARSE + name)
        hole = 4 * width
        ours[f"networks.0.steps.{step}.conv.weights.0"] = stacked[:, :-hole]
        ours[f"networks.0.steps.{step}.conv.weights.1"] = stacked[:, -hole:]
        ours[f"networks.0.steps.{step}.conv.bias"] = theirs[f"{_COARSE}{name}/bias"]
    if has_fine:
        convolutions("networks.1.encoder.", _FINE, _ENCODER)
        convolutions("networks.1.", _FINE, _FINE_DECODER)
    return ours
