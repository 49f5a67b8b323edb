"""A sweep of the learning rate by Optuna: python sweep.py PHOTOS RUNS TRIALS STEPS."""

import json
import subprocess
import sys
from pathlib import Path

import optuna

PHOTOS, RUNS, TRIALS, STEPS = sys.argv[1:5]


def score(trial: optuna.Trial) -> float:
    """Train one trial in a process of its own, and read what its last validation measured."""
    rate = trial.suggest_float("lr", 1e-5, 1e-2, log=True)
    run = Path(RUNS) / f"trial-{trial.number:03}"
    command = [sys.executable, "-m", "regionwise", "train", "tiny", "-p", PHOTOS, "-o", str(run)]
    changes = [f"optimizer.lr={rate}", f"phases.reconstruct.length={STEPS} steps"]
    subprocess.run([*command, *(f"--set={change}" for change in changes)], check=True)
    last = (run / "curve.csv").read_text().splitlines()
    return float(dict(zip(last[0].split(","), last[-1].split(","), strict=True))["psnr"])


# Several of these at once, on several machines, share a study by a database: storage="sqlite:///..."
study = optuna.create_study(direction="maximize", study_name="lr")
study.optimize(score, n_trials=int(TRIALS))
print(json.dumps({"best": study.best_params, "psnr": study.best_value}))
