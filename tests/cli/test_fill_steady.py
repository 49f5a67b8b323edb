"""Frames of a video through the command: holes that don't flicker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from regionwise.cli import main

BLOCKS = np.random.default_rng(3).integers(0, 256, (25, 28, 3))
SCENE = BLOCKS.repeat(8, axis=0).repeat(8, axis=1)
HOLE = np.zeros(SCENE.shape[:2], bool)
HOLE[70:130, 80:150] = True


def save_frames(folder: Path, count: int = 4, seed: int = 7) -> None:
    """The scene with the grain of a camera, another one in each frame."""
    folder.mkdir(parents=True)
    numbers = np.random.default_rng(seed)
    for number in range(count):
        noisy = np.clip(SCENE + numbers.normal(0, 6, SCENE.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number:03d}.png")


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    file = tmp_path / "logo.png"
    Image.fromarray(HOLE).save(file)
    return file


def fill(photos: Path, masks: Path, output: Path, *more: str) -> np.ndarray:
    """The filled frames, N×H×W×3."""
    command = ["fill", str(photos), "--masks", str(masks), "-o", str(output), *more]
    assert main([*command, "--model", "membrane", "--large", "detail"]) == 0
    files = sorted(output.rglob("*.png"))
    return np.stack([np.asarray(Image.open(file)) for file in files]).astype(float)


def flicker(frames: np.ndarray) -> float:
    """Mean change of a pixel in the hole from one frame to the next."""
    return float(np.abs(np.diff(frames, axis=0))[:, HOLE].mean())


def test_a_hole_flickers_less(tmp_path: Path, logo: Path) -> None:
    save_frames(tmp_path / "in")
    alone = fill(tmp_path / "in", logo, tmp_path / "alone")
    steady = fill(tmp_path / "in", logo, tmp_path / "steady", "--steady")
    assert flicker(steady) < 0.6 * flicker(alone)
    np.testing.assert_array_equal(steady[0], alone[0])  # nothing came before it
    np.testing.assert_array_equal(steady[:, ~HOLE], alone[:, ~HOLE])


def test_each_sub_folder_is_a_video_of_its_own(tmp_path: Path, logo: Path) -> None:
    save_frames(tmp_path / "in" / "a")
    for folder in (tmp_path / "in" / "b", tmp_path / "only_b"):
        save_frames(folder, seed=8)  # the same scene, which sources of the other would fit
    both = fill(tmp_path / "in", logo, tmp_path / "both", "--steady")
    alone = fill(tmp_path / "only_b", logo, tmp_path / "alone", "--steady")
    np.testing.assert_array_equal(both[4:], alone)


def test_a_mask_for_each_frame_may_move_and_change(tmp_path: Path) -> None:
    save_frames(tmp_path / "in")
    (tmp_path / "masks").mkdir()
    holes = [HOLE, HOLE.copy(), np.roll(HOLE, 9, axis=1), HOLE]
    holes[1][80:120, 90:140] = False  # the same box, other pixels
    for number, hole in enumerate(holes):
        Image.fromarray(hole).save(tmp_path / "masks" / f"{number:03d}.png")
    filled = fill(tmp_path / "in", tmp_path / "masks", tmp_path / "out", "--steady")
    for number, hole in enumerate(holes):
        before = np.asarray(Image.open(tmp_path / "in" / f"{number:03d}.png")).astype(float)
        assert (filled[number] == before)[~hole].all()
        assert (filled[number] != before)[hole].any(axis=1).mean() > 0.9


def test_a_model_that_copies_nothing_is_told(
    tmp_path: Path, logo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_frames(tmp_path / "in", count=2)
    command = ["fill", str(tmp_path / "in"), str(logo), "--model", "membrane", "--steady"]
    assert main([*command, "-o", str(tmp_path / "out")]) == 0
    assert "--steady does nothing here: membrane copies no pixels" in capsys.readouterr().err
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("more", ["--workers=2", "--shard=1/2", "--on=ray", "--watch"])
def test_what_does_not_go_with_it_is_told(
    more: str, tmp_path: Path, logo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_frames(tmp_path / "in", count=1)
    assert main(["fill", str(tmp_path / "in"), str(logo), "--steady", more]) == 2
    error = capsys.readouterr().err
    assert "it goes without --workers, --on, --shard and --watch" in error
    assert len(error.splitlines()) == 1


def test_it_is_for_a_folder(tmp_path: Path, logo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_frames(tmp_path / "in", count=1)
    assert main(["fill", str(tmp_path / "in" / "000.png"), str(logo), "--steady"]) == 2
    assert "--steady is for a folder" in capsys.readouterr().err
