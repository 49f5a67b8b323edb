import pytest
from tests.support.pictures import open_picture
from typer.testing import CliRunner

from regionwise.cli.masks import app
from regionwise.errors import RegionwiseError


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_make_and_stats(tmp_path):
    made = run(
        "make", "--family", "irregular:2,contiguous", "--count", 5, "--size", "48x64",
        "--ratio", "0.1,0.2", "--seed", 3, "-o", tmp_path / "set",
    )  # fmt: skip
    assert made.exit_code == 0
    assert open_picture(tmp_path / "set" / "00004.png").size == (64, 48)
    again = run("make", "--manifest", tmp_path / "set", "-o", tmp_path / "again")
    assert again.exit_code == 0
    for name in ("00003.png", "manifest.json"):
        assert (tmp_path / "set" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    counted = run("stats", tmp_path / "set", "-o", tmp_path / "h.png")
    assert "5 masks of 48x64" in counted.output
    assert open_picture(tmp_path / "h.png").size == (640, 360)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--family", "oval"], "--family: no 'oval'; there are"),
        (["--family", "irregular:x"], "not a weight"),
        (["--family", "irregular:0"], "above 0"),
        (["--size", "12y"], "not a size"),
        (["--size", "0"], "not a size"),
        (["--ratio", "0.2"], "LOW,HIGH"),
        (["--ratio", "0.3,0.2"], "low < high"),
        (["--manifest", "nothing"], "no such protocol or manifest"),
    ],
)
def test_bad_options_are_told_in_one_line(tmp_path, arguments, message):
    failed = run("make", *arguments, "-o", tmp_path / "x")
    assert isinstance(failed.exception, RegionwiseError)
    assert message in str(failed.exception)
    assert "\n" not in str(failed.exception)


def test_stats_of_nothing(tmp_path):
    failed = run("stats", tmp_path)
    assert "no masks in" in str(failed.exception)
