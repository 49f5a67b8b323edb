"""Files of state are whole or not there; averages follow; random generators go on."""

import os
import random
import signal

import numpy as np
import pytest
import torch

from regionwise.errors import CheckpointError, OutputError
from regionwise.training.average import ExponentialAverage
from regionwise.training.state import (
    random_state,
    read_state,
    seed_random,
    set_random_state,
    write_atomically,
)

STATE = {"generator": {}, "step": 1}


def test_a_full_disk_keeps_the_older_checkpoint(tmp_path):
    """No stand-in: the system itself refuses to write more than 1 MB."""
    file = tmp_path / "last.pt"
    write_atomically(STATE, file)
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
        with pytest.raises(OutputError, match=r"last\.pt can't be written"):
            write_atomically({"generator": torch.zeros(1_000_000), "step": 2}, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert read_state(file)["step"] == 1
    assert [f.name for f in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.parametrize("content", [b"", b"half a file", None])
def test_what_is_no_state(tmp_path, content):
    file = tmp_path / "last.pt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"last\.pt: ") as caught:
        read_state(file)
    assert "\n" not in str(caught.value)


def test_no_code_of_a_file_is_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save(STATE | {"trap": Trap()}, tmp_path / "last.pt")
    with pytest.raises(CheckpointError):
        read_state(tmp_path / "last.pt")
    assert not (tmp_path / "ran").exists()


def test_random_generators_go_on(tmp_path):
    def draw():
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    write_atomically(STATE | {"random": random_state()}, tmp_path / "last.pt")
    expected = draw()
    draw()
    set_random_state(read_state(tmp_path / "last.pt")["random"])
    assert draw() == expected


def test_one_seed_is_for_all_random_generators():
    drawn = []
    for seed in (7, 7, 8):
        seed_random(seed)
        drawn.append((random.random(), float(np.random.rand()), float(torch.rand(()))))  # noqa: NPY002
    assert drawn[0] == drawn[1]
    assert all(one != other for one, other in zip(drawn[1], drawn[2], strict=True))


class TestAverage:
    def test_it_follows(self):
        network = torch.nn.Linear(1, 1, bias=False)
        average = ExponentialAverage(network, 0.5)
        with torch.no_grad():
            network.weight.fill_(average.weights["weight"].item() + 1)
        before = average.weights["weight"].item()
        average.update(network)
        assert average.weights["weight"].item() == pytest.approx(before + 1 - 2 / 11)

    def test_without_a_decay_it_is_the_network(self):
        network = torch.nn.Linear(3, 2)
        average = ExponentialAverage(network, 0)
        with torch.no_grad():
            network.weight.add_(0.1)
        average.update(network)
        assert torch.equal(average.weights["weight"], network.weight)

    def test_showing_it_changes_nothing(self):
        network = torch.nn.BatchNorm2d(2)
        average = ExponentialAverage(network, 0.9)
        own = torch.tensor([3.0, 4.0])
        network.weight.data.copy_(own)
        with average.shown_in(network) as shown:
            assert not shown.training
            assert torch.equal(shown.weight, torch.ones(2))
        assert network.training
        assert torch.equal(network.weight, own)
