"""Trainings as processes of their own: two together, and one that is killed."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import torch

from regionwise.data.photo_sources import find_photos
from regionwise.training.loop import train
from regionwise.training.run_folder import Run, read_run, write_run
from regionwise.training.settings import TrainingSettings
from regionwise.training.state import read_state

COMMAND = [sys.executable, "-m", "regionwise", "train"]


def start(run, *options, **environment):
    """A process that goes on with a run."""
    return subprocess.Popen(
        [*COMMAND, "--resume", str(run), *options],
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def alone(recipe, folder, run):
    """The same training, never stopped, in this process; gives the numbers of its steps."""
    seen = {}
    settings = TrainingSettings(run=run, workers=0, accelerator="cpu")
    photos = find_photos([folder])
    train(recipe, photos, [], settings, report=lambda p: seen.update({p.done: p.numbers}))
    return seen


def test_killed_at_a_random_step_and_resumed_equals_never_killed(folder, tmp_path, tiny):
    recipe = tiny(4, 96)  # enough not to end before it is killed
    run = tmp_path / "killed"
    settings = {"workers": 0, "accelerator": "cpu", "checkpoint_minutes": 0.0}
    write_run(Run(recipe, (folder,), False, settings), run)
    process = start(run)
    last = run / "last.pt"
    pause = int.from_bytes(os.urandom(1), "big") / 512
    while not last.exists() and process.poll() is None:
        time.sleep(0.02)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed_after = read_state(last)["step"]
    assert process.returncode == -signal.SIGKILL, "it had ended before it was killed"
    again = read_run(run)
    settings = TrainingSettings(run=run, workers=0, accelerator="cpu")
    train(again.recipe, find_photos(again.photos), [], settings)
    alone(recipe, folder, tmp_path / "whole")
    whole, resumed = (read_state(tmp_path / name / "last.pt") for name in ("whole", "killed"))
    assert resumed["step"] == 100
    for part in ("generator", "discriminator", "average"):
        same = all(torch.equal(whole[part][key], resumed[part][key]) for key in whole[part])
        assert same, f"{part} differs, killed after step {killed_after}"


def test_two_processes_equal_one_with_the_joint_batch(folder, tmp_path, tiny):
    """With a batch of three, which two can't share evenly.

    Without RN-L, which jumps where its threshold is crossed: no sum in another order is allowed.
    """
    recipe = tiny(2, 2, "batch=3", "model.options.architecture=3")
    expected = alone(recipe, folder, tmp_path / "one")
    run = tmp_path / "two"
    write_run(Run(recipe, (folder,), False, {"workers": 0, "accelerator": "cpu"}), run)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    torchrun = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "test"}
    torchrun |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GROUP_RANK": "0"}
    both = [start(run, **torchrun, RANK=str(k), LOCAL_RANK=str(k)) for k in range(2)]
    words = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], "\n".join(words)
    one, two = (read_state(tmp_path / name / "last.pt") for name in ("one", "two"))
    assert len(two["random"]) == 2
    # Adam turns a gradient of rounding errors into a whole step; moments tell the gradients.
    for player in ("generator", "discriminator"):
        moments = [state["optimizers"][player]["state"] for state in (one, two)]
        for number in moments[0]:
            torch.testing.assert_close(
                moments[1][number]["exp_avg"], moments[0][number]["exp_avg"], rtol=1e-3, atol=1e-6
            )
    assert read_numbers(run) == pytest.approx(
        {f"texture/{name}": value for name, value in expected[4].items()}, rel=1e-3, abs=1e-6
    )


def read_numbers(run):
    """The last numbers of the second phase in TensorBoard's file."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(run))
    board.Reload()
    tags = [tag for tag in board.Tags()["scalars"] if tag.startswith("texture/")]
    return {tag: board.Scalars(tag)[-1].value for tag in tags if not tag.endswith("/lr")}


def test_a_stop_under_torchrun_is_no_crash(folder, tmp_path, tiny):
    """torchrun tells a crash where a process ends with another code than 0."""
    run = tmp_path / "run"
    settings = {"workers": 0, "accelerator": "cpu"}
    write_run(Run(tiny(2000, 1), (folder,), False, settings), run)
    torchrun = {"WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"}
    process = start(run, **torchrun, TORCHELASTIC_RUN_ID="test", GROUP_RANK="0")
    while not (run / "last.pt").exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    words, _ = process.communicate(timeout=60)
    assert process.returncode == 0, words
    assert "steps (SIGTERM)" in words
    assert "Traceback" not in words
