"""The command line as a user meets it: a line of text, an exit code, what lies on the disk."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.pictures import open_picture

from regionwise import __version__
from regionwise.cli import COMMANDS, main


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)).save(file)
    return file


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    file = tmp_path / "mask.png"
    pixels = np.zeros((40, 60), np.uint8)
    pixels[10:20, 20:30] = 255
    Image.fromarray(pixels).save(file)
    return file


def fill(*arguments: object) -> int:
    return main(["fill", *map(str, arguments), "--model", "membrane"])


def test_a_photo_and_its_mask_give_a_file_beside(
    photo: Path, mask: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(photo, mask) == 0
    output = photo.with_name("photo_filled.png")
    told = capsys.readouterr()
    assert str(output) in told.out
    assert told.err == ""
    before, after = (np.asarray(open_picture(file)) for file in (photo, output))
    hole = np.asarray(open_picture(mask)) > 0
    assert np.array_equal(after[~hole], before[~hole])
    assert not np.array_equal(after[hole], before[hole])


def test_the_result_may_go_to_a_file_or_a_folder(photo: Path, mask: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert fill(photo, mask, "-o", tmp_path / "new.tif") == 0
    assert fill(photo, "--box", "1,2,3,4", "-o", tmp_path / "out") == 0
    assert (tmp_path / "new.tif").is_file()
    assert (tmp_path / "out" / "photo.png").is_file()


def test_nothing_is_overwritten_without_leave(
    photo: Path, mask: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(photo, mask) == 0
    assert fill(photo, mask) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert fill(photo, mask, "--overwrite") == 0


def test_the_report_is_json_and_nothing_else(
    photo: Path, mask: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(photo, mask, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["output"] == str(photo.with_name("photo_filled.png"))
    assert report["model"] == "membrane"
    assert report["hole_ratio"] == pytest.approx(100 / 2400, abs=1e-6)
    assert fill("missing.png", mask, "--json") == 2
    assert "missing.png" in json.loads(capsys.readouterr().out)["error"]


def test_quiet_is_quiet(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fill(photo, "--box", "0,0,60,38", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_a_warning_is_a_line_on_stderr(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fill(photo, "--box", "0,0,60,38") == 0
    assert "warning" in capsys.readouterr().err


def test_a_folder(
    photo: Path, mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    (photos / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/b.png"):
        (photos / name).write_bytes(photo.read_bytes())
    assert fill(photos, "--masks", mask, "-o", tmp_path / "out") == 0
    (photos / "broken.jpg").write_text("no photo")
    capsys.readouterr()
    assert fill(photos, mask, "-o", tmp_path / "out", "--json") == 1
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert (report["filled"], report["skipped"], report["failed"]) == (0, 2, 1)
    assert [one["status"] for one in report["photos"]] == ["skipped", "failed", "skipped"]
    assert told.err.count("\n") == 1
    assert "broken.jpg" in told.err
    assert fill(photos, mask) == 1
    assert (tmp_path / "photos_filled" / "sub" / "b.png").is_file()


def bad_calls(folder: Path) -> dict[str, list[object]]:
    photo, mask = folder / "photo.png", folder / "mask.png"
    text, cut, other = folder / "text.jpg", folder / "cut.png", folder / "other.png"
    text.write_text("I am a text")
    cut.write_bytes(photo.read_bytes()[:100])
    Image.new("L", (7, 7), 255).save(other)
    (folder / "empty").mkdir(exist_ok=True)
    pipe = folder / "pipe.png"
    if hasattr(os, "mkfifo"):
        os.mkfifo(pipe)
    else:
        pipe.mkdir()
    return {
        "missing photo": [folder / "nope.png", mask],
        "missing mask": [photo, folder / "nope.png"],
        "text": [text, mask],
        "truncated": [cut, mask],
        "other size": [photo, other],
        "no hole given": [photo],
        "mask twice": [photo, mask, "--masks", mask],
        "mask and box": [photo, mask, "--box", "0,0,2,2"],
        "box of words": [photo, "--box", "here"],
        "box outside": [photo, "--box", "100,100,5,5"],
        "unknown suffix": [photo, mask, "-o", folder / "out.xyz"],
        "missing output folder": [photo, mask, "-o", folder / "nowhere" / "out.png"],
        "folder without photos": [folder / "empty", mask],
        "missing masks": [folder, "--masks", folder / "nowhere"],
        "output is the input": [folder, mask, "-o", folder],
        "unknown device": [photo, mask, "--device", "toaster"],
        "negative feather": [photo, mask, "--feather", "-1"],
        "negative grow": [photo, mask, "--grow", "-1"],
        "negative seed": [photo, mask, "--seed", "-1"],
        "endless seed": [photo, mask, "--seed", "9" * 30],
        "device file": [photo, mask, "-o", pipe, "--overwrite"],
        "unknown option": [photo, mask, "--frobnicate"],
        "unknown way": [folder, mask, "--large", "whole"],
        "too many": [photo, mask, mask],
        "no photo": [],
    }


CASES = [
    "missing photo", "missing mask", "text", "truncated", "other size", "no hole given",
    "mask twice", "mask and box", "box of words", "box outside", "unknown suffix",
    "missing output folder", "folder without photos", "missing masks", "output is the input",
    "unknown device", "negative feather", "negative grow", "negative seed", "endless seed",
    "device file", "unknown option", "unknown way", "too many", "no photo",
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_line_and_exit_code_2(
    case: str, photo: Path, mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = bad_calls(tmp_path)[case]
    before = sorted(tmp_path.rglob("*"))
    assert fill(*arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("regionwise: ")
    assert told.err.count("\n") == 1
    assert len(told.err) > 30
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_line(
    photo: Path, mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    assert fill(photo, mask, "-o", locked / "out.png") == 2
    assert "read-only" in capsys.readouterr().err


def test_an_unknown_model_lists_the_known_and_guesses(
    photo: Path, mask: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fill", str(photo), str(mask), "--model", "nonsense"]) == 2
    assert (
        "; give one of auto, fast, sharp, smooth, default, madf, rn, small"
        in capsys.readouterr().err
    )
    assert main(["fill", str(photo), str(mask), "--model", "Membran"]) == 2
    assert "did you mean membrane?" in capsys.readouterr().err
    assert main(["fill", str(photo), str(mask), "--model", "pconv"]) == 2
    assert "pconv comes without weights" in capsys.readouterr().err


def test_a_name_that_can_t_be_written_is_told_before_the_work(
    photo: Path, mask: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "regionwise.filling.photo_bytes.fill_photo", lambda *_, **__: pytest.fail("it filled")
    )
    assert fill(photo, mask, "-o", photo.with_suffix(".xyz")) == 2


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (MemoryError(), "not enough memory"),
        (KeyboardInterrupt(), "stopped"),
        (ZeroDivisionError("a bug"), "mistake of regionwise itself: ZeroDivisionError"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_whatever_happens_is_one_line(
    photo: Path,
    mask: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    part: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("regionwise.filling.photo_bytes.fill_photo", fail)
    assert fill(photo, mask) == 2
    told = capsys.readouterr()
    assert part in told.err
    assert told.err.count("\n") == 1
    monkeypatch.setenv("REGIONWISE_DEBUG", "1")
    with pytest.raises(type(error)):
        fill(photo, mask)


def _hear_ctrl_c() -> None:
    """A shell's background jobs ignore Ctrl-C, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_folder_run_leaves_no_half_file_and_can_be_resumed(
    tmp_path: Path, sent: signal.Signals
) -> None:
    photos, output = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    Image.fromarray(pixels).save(photos / "00.png", compress_level=1)
    for number in range(1, 60):
        (photos / f"{number:02}.png").write_bytes((photos / "00.png").read_bytes())
    command = [sys.executable, "-m", "regionwise", "fill", photos, "--box", "5,5,300,300"]
    command += ["-o", output, "--model", "membrane"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=_hear_ctrl_c)
    while len(list(output.glob("*.png"))) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(sent)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "goes on where it stopped" in told
    assert told.count("\n") == 1
    assert 2 <= len(list(output.iterdir())) < 60
    for file in output.iterdir():
        assert file.suffix == ".png"
        open_picture(file).load()


def test_ctrl_c_during_the_start_is_one_line() -> None:
    code = (
        "import sys\n"
        "from regionwise.__main__ import run\n"
        "class Stop:\n"
        "    def find_spec(self, *_):\n"
        "        raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "sys.exit(run())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "regionwise: stopped; no half file is left\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes")
def test_a_closed_pipe_is_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "regionwise", "models"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=20)
    assert told == ""


def test_models_lists_all_and_tells_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("membrane", "telea", "navier-stokes", "biharmonic"))
    assert main(["models", "--json"]) == 0
    assert {"membrane"} < {card["name"] for card in json.loads(capsys.readouterr().out)}
    assert main(["models", "telea"]) == 0
    assert "licence of code: Apache-2.0" in capsys.readouterr().out
    assert main(["models", "nonsense"]) == 2


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in COMMANDS)
    assert main(["fill", "--help"]) == 0
    told = capsys.readouterr().out
    assert "regionwise fill photo.jpg mask.png " in told
    assert "--invert-mask" in told


def test_an_unknown_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_each_command_has_its_module_with_help() -> None:
    for name in COMMANDS:
        assert main([name, "--help"]) == 0


def test_the_version_is_light() -> None:
    code = (
        "import sys\n"
        "from regionwise.cli import main\n"
        "assert main(['--version']) == 0\n"
        "heavy = {'numpy', 'PIL', 'torch', 'onnxruntime', 'scipy', 'yaml'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"regionwise {__version__}\n"


def test_a_photo_in_a_folder_that_is_not_there_is_what_is_missing(
    mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(tmp_path / "nowhere" / "photo.png", mask) == 2
    assert "photo.png does not exist; check the name" in capsys.readouterr().err
