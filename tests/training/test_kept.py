"""What a run keeps beside last.pt and best.pt, where its numbers go, and how it is begun anew."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from regionwise.cli import main
from regionwise.data.photo_sources import find_photos
from regionwise.errors import ModelError
from regionwise.training import validation
from regionwise.training.boards import boards_of
from regionwise.training.curve_file import CurveFile
from regionwise.training.kept import BestCheckpoints
from regionwise.training.loop import train
from regionwise.training.run_folder import Run, write_run
from regionwise.training.settings import TrainingSettings
from regionwise.training.state import read_state


def test_the_best_few_stay_also_over_a_resume(tmp_path):
    written = {}

    def write(name, content):
        (tmp_path / name).write_text(str(content))
        written[name] = content

    def names():
        return sorted(file.name for file in tmp_path.glob("best-*.pt"))

    kept = BestCheckpoints(tmp_path, 2, 0)
    for step, score in ((1, 5.0), (2, 7.0), (3, 6.0)):
        kept.offer(step, score, {"step": step}, write)
    assert names() == ["best-0000002.pt", "best-0000003.pt"]
    # Killed after step 3, it goes on from step 2: what came after is made again.
    kept = BestCheckpoints(tmp_path, 2, 2)
    for step, score in ((3, 6.0), (4, 4.0), (5, 8.0)):
        kept.offer(step, score, {"step": step}, write)
    assert names() == ["best-0000002.pt", "best-0000005.pt"]
    assert "best-0000004.pt" not in written
    alone = BestCheckpoints(tmp_path, 1, 0)
    alone.offer(9, 99.0, {}, write)
    assert "best-0000009.pt" not in written


def test_a_run_keeps_states_to_go_on_from(folder, tmp_path, tiny):
    recipe = tiny(4, 2, "validation.every=1 steps")
    photos = find_photos([folder])
    options = {"workers": 0, "accelerator": "cpu", "keep_best": 2, "keep_steps": 2}
    train(recipe, photos, photos[:1], TrainingSettings(run=tmp_path / "run", **options))
    names = {file.name for file in (tmp_path / "run").glob("*.pt")}
    best = {name for name in names if name.startswith("best-")}
    assert len(best) == 2
    steps = {f"step-000000{step}.pt" for step in (2, 4, 6)}
    assert names - best == {"last.pt", "best.pt"} | steps
    for step in (2, 4):  # in the midst of a phase, and where one ends
        again = tmp_path / str(step)
        again.mkdir()
        (again / "last.pt").write_bytes((tmp_path / "run" / f"step-000000{step}.pt").read_bytes())
        train(recipe, photos, photos[:1], TrainingSettings(run=again, **options))
        first, second = (read_state(run / "last.pt") for run in (tmp_path / "run", again))
        for key, value in first["generator"].items():
            assert torch.equal(value, second["generator"][key]), (step, key)


def test_lpips_is_measured_where_it_is_wanted(folder, tmp_path, tiny, monkeypatch):
    class Counted:
        scores = (SimpleNamespace(name="lpips"),)

        def __init__(self, choice, device):
            assert (choice, device) == ("alex:weights", "cpu")

        def measure(self, filled):
            return {"lpips": float(abs(filled.truth - filled.answer).mean())}

    import regionwise.evaluation.metrics.lpips

    monkeypatch.setattr(regionwise.evaluation.metrics.lpips, "Lpips", Counted)
    photos = find_photos([folder])
    settings = TrainingSettings(run=tmp_path, workers=0, accelerator="cpu", lpips="alex:weights")
    outcome = train(tiny(1, 1), photos, photos[:1], settings)
    assert outcome.scores["lpips"] > 0
    assert set(outcome.membrane) == set(outcome.scores)
    assert (tmp_path / "curve.csv").read_text().splitlines()[0].endswith("psnr,ssim,l1_hole,lpips")
    assert validation.Validation(tiny(1, 1), photos[:1]).membrane.keys() == {
        "psnr", "ssim", "l1_hole",
    }  # fmt: skip


def test_a_number_that_came_later_has_a_column(tmp_path):
    file = tmp_path / "curve.csv"
    CurveFile(file, 0).add(1, 2, {"psnr": 20.0, "lpips": 0.5})
    CurveFile(file, 1).add(2, 4, {"psnr": 21.0})
    CurveFile(file, 2).add(3, 6, {"psnr": 21.0, "lpips": 0.25})
    rows = [line.split(",") for line in file.read_text().splitlines()]
    assert [row[-1] for row in rows] == ["lpips", "0.5", "", "0.25"]


def test_mlflow_gets_the_numbers_of_one_run(tmp_path, monkeypatch):
    calls = []

    class Fake:
        def __getattr__(self, name):
            def call(*arguments, **named):
                calls.append((name, arguments, named))
                return SimpleNamespace(info=SimpleNamespace(run_id="r1"))

            return call

    monkeypatch.setitem(sys.modules, "mlflow", Fake())
    settings = TrainingSettings(run=tmp_path, mlflow="faces")
    recipe = {"seed": 3, "phases": [{"name": "a", "batch": 4}], "shape": [1, 2]}
    for _ in range(2):
        (board,) = boards_of(settings, recipe)
        board.numbers({"validation/psnr": 20.5}, 7)
        board.close()
    starts = [named for name, _, named in calls if name == "start_run"]
    assert starts == [
        {"run_id": None, "run_name": tmp_path.name},
        {"run_id": "r1", "run_name": tmp_path.name},
    ]
    (parameters,) = [arguments[0] for name, arguments, _ in calls if name == "log_params"]
    assert parameters == {
        "seed": "3", "phases.0.name": "a", "phases.0.batch": "4", "shape": "[1, 2]",
    }  # fmt: skip
    assert ("log_metrics", ({"validation/psnr": 20.5},), {"step": 7}) in calls
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ModelError, match="pip install mlflow"):
        boards_of(settings, recipe)


@pytest.mark.parametrize("name", ["TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT"])
def test_what_is_begun_anew_goes_on(folder, tmp_path, tiny, monkeypatch, capsys, name):
    recipe = tiny(2, 1)
    run = tmp_path / "run"
    write_run(Run(recipe, (folder,), False, {"workers": 0, "accelerator": "cpu"}), run)
    settings = TrainingSettings(run=run, workers=0, accelerator="cpu", minutes=0)
    train(recipe, find_photos([folder]), [], settings)
    before = read_state(run / "last.pt")["step"]
    command = ["train", "tiny", "-p", str(folder), "-o", str(run)]
    assert main(command) == 2  # by a person it is refused
    assert "--resume" in capsys.readouterr().err
    monkeypatch.setenv(name, "1")
    assert main(command) == 0
    assert before < read_state(run / "last.pt")["step"] == 3
