"""Our DeepFill with known weights computes what the networks of their programs compute."""

import pytest
import torch
from tests.support.official_fixtures import (
    official_answers,
    official_inputs,
    official_weights,
    relative_error,
)

from regionwise.checkpoints import from_official
from regionwise.errors import CheckpointError


@pytest.mark.parametrize(
    ("name", "options", "stages", "parameters"),
    [
        ("deepfillv2_tf", {}, ("stage1", "stage2"), 4_052_478),
        ("deepfillv2_tf", {"graph": "tensorflow"}, ("stage1", "stage2_fused"), 4_052_478),
        ("deepfillv2_pt", {}, ("stage1", "stage2"), 4_052_478),
        ("deepfillv1", {}, ("stage1", "stage2"), 3_601_542),
        ("deepfillv1", {"graph": "tensorflow"}, ("stage1_tf", "stage2_tf"), 3_601_542),
    ],
)
def test_both_stages(name, options, stages, parameters):
    answers = official_answers(name)
    image, mask = official_inputs(answers)
    network = from_official(official_weights(name), **options)
    assert sum(p.numel() for p in network.parameters()) == parameters
    with torch.no_grad():
        ours = network(image, mask).stages
    for picture, stage in zip(ours, stages, strict=True):
        assert relative_error(picture * 2 - 1, answers[stage]) < 1e-4


def named_by_tensorflow(weights):
    """The port's keys and layouts turned into the authors'."""
    theirs = {}
    for key, value in weights.items():
        name, _, part = key.replace("netG.", "").rpartition(".")
        name = name.replace("coarse_generator.", "").removesuffix(".conv").removesuffix(".conv")
        if name.startswith("fine_generator."):
            name = name.removeprefix("fine_generator.")
            name = name if name.startswith(("pm", "all")) else f"x{name}"
        if "upsample" not in name and name.startswith(
            ("conv13", "allconv13", "conv15", "allconv15")
        ):
            name += "_upsample"
        name = f"{name}/{name}_conv" if "upsample" in name else name
        part, value = ("kernel", value.permute(2, 3, 1, 0)) if part == "weight" else (part, value)
        theirs[f"inpaint_net/{name}/{part}"] = value
    return theirs


@pytest.mark.parametrize(
    ("name", "stage", "ending"),
    [("deepfillv2_tf", "stage2_fused", ""), ("deepfillv1", "stage2_tf", ":0")],
)
def test_the_authors_variables(name, stage, ending):
    """Trained on BGR: given swapped colours they answer with swapped colours."""
    answers = official_answers(name)
    image, mask = official_inputs(answers)
    theirs = named_by_tensorflow(official_weights(name))
    network = from_official({key + ending: value.numpy() for key, value in theirs.items()})
    with torch.no_grad():
        ours = network(image[:1].flip(1), mask[:1]).answer.flip(1)
    assert relative_error(ours * 2 - 1, answers[stage][:1]) < 1e-4


def test_weights_of_version_1_from_tensorflow_run_in_their_own_graph():
    weights = official_weights("deepfillv1")
    converted = from_official({f"netG.{key}": value for key, value in weights.items()})
    image, mask = torch.rand(1, 3, 24, 24), torch.zeros(1, 1, 24, 24)
    with torch.no_grad():
        same = from_official(weights, graph="tensorflow")(image, mask).answer
        assert torch.equal(converted(image, mask).answer, same)


def test_a_training_file_of_the_port():
    weights = official_weights("deepfillv2_pt")
    network = from_official({"G": weights, "D": {}, "G_optim": {}, "n_iter": 3})
    assert torch.equal(
        network.refinement.decoder.last.conv.bias, weights["stage2.conv_to_rgb.conv.bias"]
    )


def test_errors():
    weights = official_weights("deepfillv2_tf")
    with pytest.raises(CheckpointError, match="graph='caffe' is not one of tensorflow"):
        from_official(weights, graph="caffe")
    del weights["pmconv5.conv.weight"]
    with pytest.raises(CheckpointError, match=r"deepfill.*incomplete: 'pmconv5'"):
        from_official(weights)
