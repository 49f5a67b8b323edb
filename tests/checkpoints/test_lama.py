"""Files of LaMa as its users have them; that it gives the authors' answer: test_answers.py."""

import pytest
import torch
from tests.support.official_fixtures import official_weights
from torch import nn

from regionwise.checkpoints import from_official, read_checkpoint
from regionwise.errors import CheckpointError


def fewer_blocks(weights, blocks):
    """The file of a network with fewer blocks: those after them move up."""
    kept = {}
    for key, value in weights.items():
        _, number, rest = key.split(".", 2)
        if 5 + blocks <= int(number) < 23:
            continue
        number = int(number) - (18 - blocks if int(number) >= 23 else 0)
        kept[f"model.{number}.{rest}"] = value
    return kept


@pytest.fixture(scope="module")
def regular():
    return fewer_blocks(official_weights("lama"), 2)


def test_a_training_of_the_regular_network(regular, tmp_path):
    """As Lightning saves it: other networks beside the generator, whose keys have a prefix."""
    state = {f"generator.{key}": value for key, value in regular.items()}
    state |= {"discriminator.model0.0.weight": torch.zeros(64, 3, 4, 4)}
    state |= {"loss_resnet_pl.impl.conv1.weight": torch.zeros(64, 3, 7, 7)}
    torch.save({"epoch": 40, "state_dict": state, "callbacks": {}}, tmp_path / "best.ckpt")
    checkpoint = read_checkpoint(tmp_path / "best.ckpt")
    assert checkpoint.model == "lama"
    assert checkpoint.options == {"width": 64, "blocks": 2}
    last = checkpoint.network().last.bias
    assert torch.equal(last, regular["model.18.bias"])


class Nested(nn.Module):
    """A module that is made of a state dict: what it computes is no matter."""

    def __init__(self, weights):
        super().__init__()
        for name in dict.fromkeys(key.partition(".")[0] for key in weights):
            inner = {
                key.partition(".")[2]: value
                for key, value in weights.items()
                if key.partition(".")[0] == name
            }
            if "" in inner:
                self.register_buffer(name, inner[""])
            else:
                self.add_module(name, Nested(inner))

    def forward(self, x):
        return x


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TorchScript is on its way out
def test_torchscript(regular, tmp_path):
    script = torch.jit.script(Nested({f"generator.{key}": v for key, v in regular.items()}))
    torch.jit.save(script, tmp_path / "big-lama.pt")
    read = read_checkpoint(tmp_path / "big-lama.pt")
    direct = from_official(regular).state_dict()
    assert read.options == {"width": 64, "blocks": 2}
    assert all(torch.equal(read.weights[key], direct[key]) for key in direct)


def test_an_unknown_key(regular):
    more = regular | {"model.5.conv1.ffc.convg2g.lfu.conv_layer.weight": torch.zeros(1)}
    with pytest.raises(CheckpointError, match=r"lama.*unknown key model\.5.*lfu"):
        from_official(more)
