"""Trainings' checkpoints and TorchScript give their weights; what else they hold is never run."""

import collections
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from regionwise.checkpoints import read_checkpoint
from regionwise.checkpoints.pickled import read_pickled
from regionwise.errors import CheckpointError


class Callback:
    """A class of the program that wrote the file."""


class Configuration(dict):
    """As Lightning's."""


class Node:
    """As OmegaConf's: made by its class, then given its attributes."""

    def __init__(self, value):
        self.value = value


class Attack:
    """Asks a reader to call something."""

    def __init__(self, function, *arguments):
        self.asked = function, arguments

    def __reduce__(self):
        return self.asked


def told(text):
    pytest.fail(f"a file ran {text}")


@pytest.fixture
def foreign(monkeypatch):
    """A module that is there when a file is written and gone when it is read."""
    module = types.ModuleType("foreign_program")
    for part in (Callback, Configuration, Node, told):
        monkeypatch.setattr(part, "__module__", module.__name__)
        setattr(module, part.__name__, part)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return lambda: monkeypatch.delitem(sys.modules, module.__name__)


@pytest.mark.parametrize(
    "extras",
    [
        {},
        {"callbacks": {Callback: {"best": torch.ones(1)}}},
        {"configuration": Configuration(width=64), "node": Node(3)},
        {"counts": collections.defaultdict(list, {1: [2]})},
        {"score": np.float64(0.5), "node": Node(3)},
        {"attack": Attack(told, "code")},
    ],
    ids=lambda extras: ",".join(extras) or "plain",
)
def test_weights_beside_a_trainings_objects(extras, foreign, tmp_path):
    weights = {"generator.weight": torch.arange(6.0).view(2, 3)}
    torch.save({"state_dict": weights, "epoch": 3} | extras, tmp_path / "best.ckpt")
    foreign()
    content = read_pickled(tmp_path / "best.ckpt")
    assert torch.equal(content["state_dict"]["generator.weight"], weights["generator.weight"])
    assert content["epoch"] == 3


def test_what_calls_the_system_is_refused(tmp_path):
    content = {"state_dict": {"w": torch.ones(1)}, "attack": Attack(sys.exit, 7)}
    torch.save(content, tmp_path / "attack.pt")
    with pytest.raises(CheckpointError, match=r"attack\.pt: .*code in a file is never run"):
        read_checkpoint(tmp_path / "attack.pt")


class Wrapped(nn.Module):
    """A network inside what a program released."""

    def __init__(self, network):
        super().__init__()
        self.generator = network
        self.sizes = [1, 2]

    def forward(self, x):
        return self.generator(x)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TorchScript is on its way out
@pytest.mark.parametrize("traced", [False, True])
def test_torchscript(traced, tmp_path):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.Conv2d(4, 3, 1))
    )
    module = Wrapped(network).eval()
    x = torch.rand(1, 3, 8, 8)
    script = torch.jit.trace(module, x) if traced else torch.jit.script(module)
    torch.jit.save(script, tmp_path / "script.pt")
    read = read_pickled(tmp_path / "script.pt")
    wanted = module.state_dict()
    assert read.keys() == wanted.keys()
    assert all(torch.equal(read[key], wanted[key]) for key in wanted)
