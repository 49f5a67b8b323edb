"""Records are written at once, can be read by TensorBoard, and never stop a training."""

import signal
import warnings

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.support.pictures import open_picture

from regionwise.errors import RegionwiseWarning
from regionwise.training.records import Records


def read(run, tag):
    board = EventAccumulator(str(run))
    board.Reload()
    return [(point.step, point.value) for point in board.Scalars(tag)]


def test_what_came_after_the_checkpoint_is_forgotten(tmp_path):
    for first in (0, 2):
        with Records(tmp_path, first, [], active=True) as records:
            for step in range(first, 4):
                records.numbers("main", {"loss": step + first}, step)
            records.preview(torch.full((3, 4, 6), 0.5), first)
    assert read(tmp_path, "main/loss") == [(0, 0), (1, 1), (2, 4), (3, 5)]
    assert open_picture(tmp_path / "previews" / "0000002.png").getpixel((0, 0)) == (128, 128, 128)


def test_other_processes_record_nothing(tmp_path):
    with Records(tmp_path, 0, [], active=False) as records:
        records.numbers("main", {"loss": 1.0}, 0)
        records.preview(torch.zeros(3, 2, 2), 0)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_once_and_curves_go_on_after_it(tmp_path):
    """No stand-in: the system itself refuses to write more than 400 bytes."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Records(tmp_path, 0, [], active=True) as records:
        records.numbers("main", {"loss": 1.0}, 0)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (400, limits[1]))
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                for step in range(1, 50):
                    records.numbers("main", {"loss": 2.0}, step)
                records.preview(torch.rand(3, 40, 40), 50)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
        records.numbers("main", {"loss": 3.0}, 60)
    (warning,) = told
    assert warning.category is RegionwiseWarning
    assert "the training goes on" in str(warning.message)
    points = read(tmp_path, "main/loss")
    assert points[0] == (0, 1.0)
    assert points[-1] == (60, 3.0)
    assert 2 < len(points) < 50
    assert not list((tmp_path / "previews").iterdir())
