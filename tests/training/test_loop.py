"""The trainer: it learns, it resumes exactly, it stops when asked or when it goes wrong."""

import contextlib
import os
import signal

import pytest
import torch
from PIL import Image

from regionwise.checkpoints import load_checkpoint
from regionwise.data.photo_sources import find_photos
from regionwise.errors import OutputError, RegionwiseWarning, TrainingAlarm
from regionwise.training.loop import train
from regionwise.training.settings import TrainingSettings
from regionwise.training.state import read_state


class KilledError(Exception):
    pass


def run(recipe, folder, run, at_step=None, **options):
    """Train, validating on the first photo; gives the numbers of each step and the outcome.

    `at_step`: step → what to do after it.
    """
    seen, outcome = {}, None

    def report(progress):
        seen[progress.done] = progress.numbers
        if progress.done in (at_step or {}):
            at_step[progress.done]()

    settings = TrainingSettings(run=run, workers=0, accelerator="cpu", **options)
    photos = find_photos([folder])
    with contextlib.suppress(KilledError):
        outcome = train(recipe, photos, photos[:1], settings, report=report)
    return seen, outcome


def kill():
    raise KilledError


def assert_same_state(one, other):
    one, other = read_state(one), read_state(other)
    for part in ("generator", "discriminator", "average"):
        assert all(torch.equal(one[part][key], other[part][key]) for key in one[part])
    for part in ("step", "best", "alarms"):
        assert one[part] == other[part]
    moments = [state["optimizers"]["generator"]["state"] for state in (one, other)]
    assert all(torch.equal(moments[0][k]["exp_avg"], moments[1][k]["exp_avg"]) for k in moments[0])


def test_stopped_and_resumed_equals_never_stopped(folder, tmp_path, tiny):
    """Stopped without a word in the first phase, at its end, in the second, and by Ctrl-C."""
    recipe = tiny(4, 4, "phases.texture.keep_optimizer=true")
    expected, _ = run(recipe, folder, tmp_path / "whole")
    part = tmp_path / "part"
    for at in (3, 4, 6):
        run(recipe, folder, part, at_step={at: kill}, checkpoint_steps=2)
    ctrl_c = {7: lambda: os.kill(os.getpid(), signal.SIGINT)}
    _, outcome = run(recipe, folder, part, at_step=ctrl_c)
    assert (outcome.done, outcome.stopped, outcome.by_signal) == (8, "Ctrl-C", True)
    rest, outcome = run(recipe, folder, part)
    assert (outcome.done, outcome.stopped) == (8, "")
    assert all(expected[step] == rest[step] for step in rest)
    assert_same_state(tmp_path / "whole" / "last.pt", part / "last.pt")
    assert len(list((part / "previews").glob("*.png"))) == 2


def test_the_checkpoints_are_models(folder, tmp_path, tiny):
    run(tiny(2, 1), folder, tmp_path)
    for name in ("last.pt", "best.pt"):
        network = load_checkpoint(tmp_path / name)
        assert not network.training
    average = read_state(tmp_path / "last.pt")["average"]
    weight = load_checkpoint(tmp_path / "last.pt").state_dict()["last.weight"]
    assert torch.equal(weight, average["last.weight"])


def test_accumulated_parts_equal_the_whole_batch(folder, tmp_path, tiny):
    changes = ("batch=4", "holes.draw=each", "discriminator.loss=hinge", "ema=0")
    one, _ = run(tiny(1, 2, *changes), folder, tmp_path / "one")
    parts, _ = run(tiny(1, 2, *changes, "accumulate=3"), folder, tmp_path / "parts")
    for name in ("l1_hole", "gradient"):
        assert parts[1][name] == pytest.approx(one[1][name], rel=1e-5)
        assert parts[2][name] == pytest.approx(one[2][name], rel=1e-3)


def test_spared_memory_changes_nothing(folder, tmp_path, tiny):
    one, _ = run(tiny(2, 1), folder, tmp_path / "one")
    spared, _ = run(tiny(2, 1), folder, tmp_path / "spared", checkpoint_gradients=True)
    assert one == spared


def test_bfloat16_trains(folder, tmp_path, tiny):
    one, _ = run(tiny(1, 1), folder, tmp_path / "one")
    half, _ = run(tiny(1, 1, "precision=bf16"), folder, tmp_path / "half")
    assert half[1]["l1_hole"] == pytest.approx(one[1]["l1_hole"], rel=0.02)
    assert half[1] != one[1]


def test_no_time_stops_at_once_and_can_go_on(folder, tmp_path, tiny):
    _, outcome = run(tiny(2, 1), folder, tmp_path, minutes=0)
    assert (outcome.done, outcome.steps) == (1, 3)
    assert "minutes are over" in outcome.stopped
    _, outcome = run(tiny(2, 1), folder, tmp_path)
    assert (outcome.done, outcome.stopped) == (3, "")


def test_nan_stops_and_keeps_an_older_state(folder, tmp_path, tiny):
    recipe = tiny(3, 1, "optimizer.lr=1e30", "optimizer.clip=null", "optimizer.warmup=0")
    with pytest.raises(TrainingAlarm, match=r"step \d: the .* is (nan|inf); lower the learning"):
        run(recipe, folder, tmp_path, checkpoint_steps=1)
    last = read_state(tmp_path / "last.pt")
    assert all(torch.isfinite(value).all() for value in last["generator"].values())
    assert read_state(tmp_path / "alarm.pt")["step"] > last["step"]


def test_other_photos_are_noticed(folder, tmp_path, tiny):
    run(tiny(2, 1), folder, tmp_path, at_step={1: kill})
    Image.new("RGB", (50, 40)).save(tmp_path / "new.png")
    with pytest.warns(RegionwiseWarning, match="the photos are not those"):
        run(tiny(2, 1), tmp_path, tmp_path)


def test_a_full_disk_amid_the_training_does_not_end_it(folder, tmp_path, tiny, monkeypatch):
    real, refused = torch.save, []

    def full_once(*arguments, **options):
        if len(refused) < 1 and "step" in arguments[0] and arguments[0]["step"] == 2:
            refused.append(arguments)
            raise OSError(28, "No space left on device")
        real(*arguments, **options)

    monkeypatch.setattr("torch.save", full_once)
    with pytest.warns(RegionwiseWarning, match="the disk is full.*the training goes on"):
        _, outcome = run(tiny(3, 1), folder, tmp_path, checkpoint_steps=1)
    assert outcome.done == 4

    monkeypatch.setattr("torch.save", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
    with pytest.raises(OutputError, match="the disk is full"), pytest.warns(RegionwiseWarning):
        run(tiny(4, 1), folder, tmp_path)
    assert read_state(tmp_path / "last.pt")["step"] == 4
