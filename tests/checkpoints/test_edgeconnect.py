"""Our EdgeConnect with the authors' weights computes what their network computes."""

import pytest
import torch
from tests.support.official_fixtures import (
    official_answers,
    official_inputs,
    official_weights,
    relative_error,
)

from regionwise.checkpoints import from_official, load_checkpoint
from regionwise.cli import main
from regionwise.errors import CheckpointError
from regionwise.layers.canny import canny_edges
from regionwise.models.spectral_norm import plain_weight


@pytest.fixture(scope="module")
def weights():
    return official_weights("edgeconnect")


@pytest.fixture(scope="module")
def answers():
    return official_answers("edgeconnect")


def part(weights, name):
    return {k.removeprefix(f"{name}."): v for k, v in weights.items() if k.startswith(f"{name}.")}


def test_the_released_tests_chain(weights, answers):
    image, mask = official_inputs(answers)
    network = from_official(weights)
    assert not network.training
    edges = canny_edges(image, mask)
    assert torch.equal(edges, torch.from_numpy(answers["edge_in"]).float())
    with torch.no_grad():
        assert relative_error(network.predict_edges(image, mask, edges), answers["edge_out"]) < 1e-4
        assert relative_error(network.paint(image, mask, edges), answers["output_canny"]) < 1e-4
        assert relative_error(network(image, mask).answer, answers["output"]) < 1e-4


def test_the_chain_of_training(weights, answers):
    image, mask = official_inputs(answers)
    network = from_official(
        {"edge": {"generator": part(weights, "edge")}, "inpaint": part(weights, "inpaint")},
        edges="mixed",
    )
    with torch.no_grad():
        ours = network(image[:1], mask[:1]).answer
    assert relative_error(ours, answers["output_mixed_edges"][:1]) < 1e-4
    assert relative_error(ours, answers["output"][:1]) > 1e-2


@pytest.mark.parametrize("transposed", [False, True])
def test_spectral_norm_is_worked_in_as_pytorch_does(transposed):
    kind = torch.nn.ConvTranspose2d if transposed else torch.nn.Conv2d
    layer = torch.nn.utils.spectral_norm(kind(3, 5, 4)).eval()
    state = {f"a.{key}": value.detach() for key, value in layer.state_dict().items()}
    layer(torch.zeros(1, 3, 9, 9))
    torch.testing.assert_close(plain_weight(state, "a"), layer.weight.detach())
    del state["a.weight_v"]
    v = torch.nn.functional.normalize(
        (state["a.weight_orig"].transpose(0, 1) if transposed else state["a.weight_orig"])
        .flatten(1)
        .T
        @ state["a.weight_u"],
        dim=0,
    )
    torch.testing.assert_close(
        plain_weight(state, "a"), plain_weight(state | {"a.weight_v": v}, "a")
    )
    plain = {"a.weight": torch.ones(1), "a.weight_u": torch.ones(1)}
    assert torch.equal(plain_weight(plain, "a"), torch.ones(1))


def test_files(weights, tmp_path, capsys):
    edge, picture = tmp_path / "EdgeModel_gen.pth", tmp_path / "InpaintingModel_gen.pth"
    for name, file in (("edge", edge), ("inpaint", picture)):
        generator = {f"module.{key}": value for key, value in part(weights, name).items()}
        torch.save({"iteration": 7, "generator": generator}, file)
    key = "picture_network.0.weight"
    for path in (tmp_path, edge, picture):
        stored = load_checkpoint(path).state_dict()[key]
        assert torch.equal(stored, weights["inpaint.encoder.1.weight"])
    edge.unlink()
    for path in (tmp_path, picture):
        with pytest.raises(CheckpointError, match=r"EdgeModel_gen\.pth") as caught:
            load_checkpoint(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError, match="a folder must hold EdgeModel"):
        load_checkpoint(tmp_path.parent)
    assert main(["import", str(picture), "-o", str(tmp_path / "o.safetensors")]) == 2
    assert "put EdgeModel_gen.pth beside it" in capsys.readouterr().err
