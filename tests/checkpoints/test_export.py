"""ONNX Runtime and PyTorch give the same picture."""

import onnx
import pytest
import torch

from regionwise.checkpoints import Checkpoint, read_checkpoint
from regionwise.checkpoints.export import export_onnx, largest_difference, rounded_to_half
from regionwise.models.registry import create_model


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    torch.manual_seed(0)
    # Architecture 1 has no thresholds, at which rounding could tip a pixel over.
    options = {"architecture": 1, "width": 16, "blocks": 1, "start": "membrane"}
    network = create_model("rn", **options)
    for weight in network.parameters():
        if weight.dim() > 1:
            torch.nn.init.xavier_normal_(weight)
    network = rounded_to_half(network)
    file = tmp_path_factory.mktemp("onnx") / "model.onnx"
    origin = Checkpoint("rn", options, dict(network.state_dict()))
    export_onnx(network, file, origin=origin)
    return network, file


def test_same_picture_at_every_size_and_batch(exported):
    network, file = exported
    assert largest_difference(network, file, [(64, 64), (1, 1), (7, 130), (161, 96)]) < 1e-4


def test_weights_are_stored_in_half_precision(exported):
    network, file = exported
    parameters = sum(p.numel() for p in network.parameters())
    assert file.stat().st_size < 2 * parameters + 400_000
    kinds = {t.data_type for t in onnx.load(file).graph.initializer if len(t.dims) == 4}
    assert kinds == {onnx.TensorProto.FLOAT16} or onnx.TensorProto.FLOAT not in {
        t.data_type for t in onnx.load(file).graph.initializer if t.ByteSize() > 8192
    }


def test_the_network_is_built_again_from_its_onnx(exported):
    network, file = exported
    again = read_checkpoint(file)
    assert (again.model, again.options["architecture"]) == ("rn", 1)
    weights = again.network().state_dict()
    assert all(torch.equal(weights[key], value) for key, value in network.state_dict().items())


@pytest.mark.parametrize("norm", ["pointwise", "batch"])
def test_folded_norms_are_no_obstacle_to_building_a_network_again(tmp_path, norm):
    torch.manual_seed(0)
    options = {"width": 16, "levels": 3, "refinements": 1, "norm": norm, "start": "membrane"}
    network = create_model("madf", **options).train()
    image, mask = torch.rand(2, 3, 48, 40), (torch.rand(2, 1, 48, 40) > 0.7).float()
    with torch.no_grad():
        network(image, mask)  # statistics of its own
        wanted = network.eval()(image, mask).answer
    network.fold_norms()
    network = rounded_to_half(network)
    file = tmp_path / "model.onnx"
    export_onnx(network, file, origin=Checkpoint("madf", options, dict(network.state_dict())))
    with torch.no_grad():
        again = read_checkpoint(file).network()(image, mask).answer
    torch.testing.assert_close(again, wanted, atol=2e-3, rtol=0)
    assert largest_difference(network, file, [(48, 40)]) < 1e-4
