"""How many processes there are, by what torchrun and SLURM say; and which precision is chosen."""

import pytest

from regionwise.errors import DataError
from regionwise.recipe import override
from regionwise.training import precision
from regionwise.training.settings import TrainingSettings, process_layout

NAMES = ["LOCAL_WORLD_SIZE", "WORLD_SIZE", "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE"]
NAMES += ["SLURM_NNODES", "SLURM_TASKS_PER_NODE"]


@pytest.fixture
def environment(monkeypatch):
    def set_to(**values):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_to


@pytest.mark.parametrize(
    ("values", "layout"),
    [
        ({}, (3, 2)),
        ({"LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8"}, (4, 2)),
        ({"SLURM_NTASKS_PER_NODE": "8", "SLURM_NNODES": "4", "SLURM_NTASKS": "32"}, (8, 4)),
        ({"SLURM_NTASKS": "8", "SLURM_NNODES": "2", "SLURM_TASKS_PER_NODE": "4(x2)"}, (4, 2)),
        ({"SLURM_NTASKS": "2", "SLURM_NNODES": "1", "SLURM_TASKS_PER_NODE": "2"}, (2, 1)),
        ({"SLURM_NTASKS": "1", "SLURM_NNODES": "1", "SLURM_TASKS_PER_NODE": "1"}, (3, 2)),
    ],
)
def test_processes_and_nodes(environment, tmp_path, values, layout):
    environment(**values)
    assert process_layout(TrainingSettings(tmp_path, devices=3, nodes=2)) == layout


def test_tasks_that_are_not_spread_evenly(environment, tmp_path):
    environment(SLURM_NTASKS="5", SLURM_NNODES="2", SLURM_TASKS_PER_NODE="3,2")
    with pytest.raises(DataError, match=r"different numbers of tasks \(3,2\); give --ntasks-per"):
        process_layout(TrainingSettings(tmp_path))


@pytest.mark.parametrize(("seconds", "chosen"), [((1.0, 2.0), "fp32"), ((2.0, 1.0), "bf16")])
def test_the_faster_precision_is_chosen(tiny, tmp_path, monkeypatch, seconds, chosen):
    monkeypatch.setattr(precision, "_seconds", lambda *_, half: seconds[half])
    settings = TrainingSettings(tmp_path, accelerator="cpu")
    recipe = tiny(1, 1, "precision=auto")
    assert precision.with_chosen_precision(recipe, settings).precision == chosen
    said = override(recipe, ["precision=fp16"])
    assert precision.with_chosen_precision(said, settings) is said


def test_several_processes_do_not_measure(tiny, tmp_path, monkeypatch):
    """They have to agree."""
    monkeypatch.setattr(precision, "_seconds", None)
    settings = TrainingSettings(tmp_path, accelerator="cpu", devices=2)
    assert (
        precision.with_chosen_precision(tiny(1, 1, "precision=auto"), settings).precision == "fp32"
    )


def test_both_are_really_tried(tiny, tmp_path):
    settings = TrainingSettings(tmp_path, accelerator="cpu")
    chosen = precision.with_chosen_precision(tiny(1, 1, "precision=auto"), settings)
    assert chosen.precision in ("fp32", "bf16")
