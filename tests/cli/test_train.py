"""`regionwise train`: what it says, what it refuses; a run goes on from its folder alone."""

from pathlib import Path

import pytest
import yaml
from PIL import Image
from skimage import data

from regionwise.cli import main
from regionwise.cli.training_display import TrainingDisplay
from regionwise.training.loop import TrainingProgress

RECIPES = Path(__file__).parents[2] / "recipes"
TINY = str(Path(__file__).parents[1] / "training" / "rn.yaml")
SMALL = [
    "--set=data.size=32",
    "--set=batch=2",
    "--set=model.options.width=4",
    "--set=phases.reconstruct.length=2",
    "--set=phases.texture.length=1",
    "--workers=0",
    "--accelerator=cpu",
]


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(data.astronaut()[64 * number :, :200]).save(folder / f"{number}.png")
    return folder


def test_train_stop_and_go_on(photos, tmp_path, capsys):
    run = tmp_path / "run"
    start = ["train", TINY, "-p", str(photos), "-o", str(run), *SMALL]
    assert main([*start, "--minutes=0"]) == 0
    assert f"go on with: regionwise train --resume {run}" in capsys.readouterr().out
    assert main(start) == 2
    assert f"{run} holds a run; go on with --resume {run}" in capsys.readouterr().err
    assert main(["train", "--resume", str(run)]) == 0
    assert f"trained 3 steps; fill with: regionwise fill PHOTO MASK --model {run / 'last.pt'}" in (
        capsys.readouterr().out
    )
    Image.new("L", (200, 512)).save(tmp_path / "mask.png")
    filled = ["fill", str(photos / "0.png"), str(tmp_path / "mask.png"), "-o"]
    assert main([*filled, str(tmp_path / "out.png"), "--model", str(run / "last.pt")]) == 0
    kept = yaml.safe_load((run / "run.yaml").read_text())
    assert kept["recipe"]["phases"][0]["length"] == "2 steps"
    assert kept["photos"] == [str(photos)]


def test_after_a_mistake_the_same_command_can_be_given_again(photos, tmp_path, capsys):
    start = ["train", TINY, "-p", str(photos), "-o", str(tmp_path / "run"), *SMALL]
    assert main([*start, "--set=model.options.widht=4"]) == 2
    assert "rn has no option 'widht'; there are: " in capsys.readouterr().err
    assert main([*start, "--minutes=0"]) == 0


def test_what_cannot_train_is_told_before_a_folder_is_made(photos, tmp_path, capsys):
    run = tmp_path / "run"
    for change, message in (
        ("model.name=rm", "model: no network is called 'rm'"),
        ("losses.l1.stage=3", "phase reconstruct: a loss names stage 3; the network has 1 stage"),
        ("discriminator.name=pach", "no discriminator is called 'pach'; did you mean patch?"),
    ):
        start = ["train", TINY, "-p", str(photos), "-o", str(run), *SMALL, f"--set={change}"]
        assert main(start) == 2
        assert message in capsys.readouterr().err
        assert not run.exists()
        assert main(["train", TINY, "--show", f"--set={change}"]) == 2
        assert message in capsys.readouterr().err


def test_a_finished_run_names_its_best_weights(photos, tmp_path, capsys):
    """Also when it is resumed, and nothing is left to do; validated on photos of its own."""
    run, other = tmp_path / "run", tmp_path / "other"
    other.mkdir()
    Image.fromarray(data.coffee()[:200, :200]).save(other / "a.png")
    start = ["train", TINY, "-p", str(photos), "-o", str(run), *SMALL, "--validate-on"]
    for arguments in ([*start, str(other)], ["train", "--resume", str(run)]):
        assert main(arguments) == 0
        assert f"--model {run / 'best.pt'}" in capsys.readouterr().out
    kept = yaml.safe_load((run / "run.yaml").read_text())
    assert kept["validate_on"] == [str(other)]
    assert kept["held_out"] is False


def test_the_chosen_precision_is_told_and_kept(photos, tmp_path, capsys):
    run = tmp_path / "run"
    start = ["train", TINY, "-p", str(photos), "-o", str(run), *SMALL, "--set=precision=auto"]
    assert main([*start, "--minutes=0"]) == 0
    kept = yaml.safe_load((run / "run.yaml").read_text())["recipe"]["precision"]
    assert kept in ("fp32", "bf16")
    assert f"precision: {kept}, which is the faster one here" in capsys.readouterr().err


def test_probe_tells_each_losses_share(photos, capsys):
    idle = "--set=phases.texture.losses.adversarial.weight=1e-9"
    assert main(["train", TINY, "--show", "--probe", "-p", str(photos), *SMALL[:3], idle]) == 0
    said = capsys.readouterr().out
    assert "# phase reconstruct: share of the generator's gradient" in said
    assert "#   l1_hole: 100 %" in said
    assert "#   warning: the term adversarial gives" in said
    assert main(["train", TINY, "--show", "--probe", *SMALL[:3]]) == 0  # without photos


def test_show_tells_values_and_costs(photos, capsys):
    assert main(["train", TINY, "--show", "--set=optimizer.lr=1e-3", "-p", str(photos)]) == 0
    said = capsys.readouterr().out
    values = yaml.safe_load(said)
    assert values["phases"][1]["optimizer"]["lr"] == 1e-3
    assert values["phases"][0]["batch"] == 4
    assert "# generator: 0.0" in said
    assert "#   discriminator: 0.0" in said
    assert "# phase texture: 40 steps; a picture of 64×64: 0.0" in said
    assert "G multiply-accumulates forward" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a recipe, such as tiny, or --resume RUN"),
        ([TINY], "to train it give --photos DIR and --output RUN"),
        (["no.yaml", "--show"], "no.yaml: can't be read"),
        (
            [TINY, "--show", "--set", "optimiser.lr=1"],
            "the recipe has no optimiser.lr; did you mean optimizer?",
        ),
        (["--resume", "nowhere"], "nowhere: there is no run here"),
        (["--resume", "nowhere", "--set", "batch=1"], "the run has its recipe, in run.yaml"),
    ],
)
def test_what_can_be_wrong(arguments, message, capsys):
    code = main(["train", *arguments])
    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.count("\n") == 1


def test_masks_from_files(photos, tmp_path):
    mask = Image.new("L", (64, 64))
    mask.paste(255, (10, 10, 40, 40))
    mask.save(tmp_path / "mask.png")
    run = tmp_path / "run"
    options = ["--masks", str(tmp_path / "mask.png"), "--set=holes.ratio=null", "--minutes=0"]
    assert main(["train", TINY, "-p", str(photos), "-o", str(run), *SMALL, *options]) == 0
    holes = yaml.safe_load((run / "run.yaml").read_text())["recipe"]["phases"][0]["holes"]
    assert holes["mixture"] == {"stored": 1.0}


def test_missing_vgg_is_told_before_the_first_step(photos, tmp_path, capsys):
    rn = str(RECIPES / "rn.yaml")
    options = ["--set=batch=1", "--vgg", str(tmp_path / "no.pth"), "--workers=0"]
    small = ["--set=model.options={width: 4, blocks: 1}", "--set=discriminator.options={width: 4}"]
    run = tmp_path / "run"
    assert main(["train", rn, "-p", str(photos), "-o", str(run), *options, *small]) == 2
    assert "no.pth: there is no such file of weights" in capsys.readouterr().err


def test_a_log_tells_the_scores_of_held_out_photos_once(capsys):
    scored, membrane = {"psnr": 23.4567, "ssim": 0.81}, {"psnr": 22.0}
    with TrainingDisplay() as shown:
        for step, scores in enumerate([{}, scored, scored, {"psnr": 24.0}], start=1):
            shown.update(TrainingProgress(step, 4, "main", {"l1": 0.1}, 3.0, scores, membrane))
    said = capsys.readouterr().err
    assert said.count("held-out photos: psnr 23.46, ssim 0.81; membrane: psnr 22\n") == 1
    assert said.count("held-out photos: psnr 24; membrane: psnr 22\n") == 1
