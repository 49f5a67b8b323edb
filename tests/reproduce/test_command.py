"""`regionwise reproduce` and `curves`, as a user types them."""

import pytest
from PIL import Image
from skimage import data

from regionwise.cli import main
from regionwise.data.photo_sources import is_held_out
from regionwise.photos.photo_source import PhotoSource
from regionwise.reproduce.paper_table import read_table, table_names

TABLE = """
title: Two widths
source: none
recipe: tiny
protocol: card
slim: [data.size=32, batch=2, model.options.width=4, validation.photos=1]
rows:
  narrow: {set: []}
  wide: {set: ["model.options.width=8"], paper: {psnr: 30}}
"""


@pytest.fixture
def photos(tmp_path):
    """Nine to train on, and one whose name is held out (CRC-32 divisible by 20)."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ["38.png", *(f"{number}.png" for number in range(9))]:
        place = int(name[:-4]) * 10
        Image.fromarray(data.astronaut()[place : place + 96, :96]).save(folder / name)
    return folder


@pytest.mark.slow
def test_a_table_is_trained_gone_on_with_and_printed(photos, tmp_path, capfd):
    file = tmp_path / "table.yaml"
    file.write_text(TABLE)
    out = tmp_path / "out"
    command = ["reproduce", str(file), "-p", str(photos), "-o", str(out), "--budget=steps=4"]
    command += ["--seeds=2", "--workers=0", "--accelerator=cpu"]
    assert main([*command, "--row", "narrow"]) == 0
    assert "rows that are left: wide" in capfd.readouterr().out
    begun = (out / "runs" / "narrow-seed0" / "last.pt").stat().st_mtime_ns
    assert main(command) == 0
    said = capfd.readouterr().out
    assert "| wide | 30.00 |" in said
    assert "2 seeds" in said
    assert (out / "table.md").read_text() in said
    assert (out / "runs" / "narrow-seed0" / "last.pt").stat().st_mtime_ns == begun
    runs = [str(out / "runs" / f"{name}-seed0") for name in ("narrow", "wide")]
    svg = tmp_path / "curves.svg"
    assert main(["curves", *runs, "-o", str(svg), "--number", "reconstruct/l1_hole"]) == 0
    assert svg.read_text().count("<polyline") == 2


@pytest.fixture(scope="module")
def few_photos(tmp_path_factory):
    """Six to train on and two held out, large enough for all tables' pictures."""
    folder = tmp_path_factory.mktemp("photos")
    counts = {True: 0, False: 0}
    for number in range(1000):
        name = f"{number}.png"
        held_out = is_held_out(PhotoSource(folder, name))
        if counts[held_out] < (2 if held_out else 6):
            counts[held_out] += 1
            place = number % 12 * 30
            Image.fromarray(data.astronaut()[place : place + 120, :140]).save(folder / name)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("table", table_names())
def test_every_table_is_made_by_one_command(table, few_photos, tmp_path, capfd):
    command = ["reproduce", table, "-p", str(few_photos), "-o", str(tmp_path / "out")]
    command += ["--budget=steps=2", "--limit=2", "--workers=0", "--accelerator=cpu"]
    assert main(command) == 0
    text = (tmp_path / "out" / "table.md").read_text()
    assert text in capfd.readouterr().out
    content = read_table(table)
    for name in content.rows:
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
        assert "not trained" not in line
        assert "nan" not in line


def test_show_and_what_can_be_wrong(tmp_path, capsys):
    file = tmp_path / "table.yaml"
    file.write_text(TABLE)
    assert main(["reproduce", str(file), "--show", "--budget=steps=4"]) == 0
    assert "wide: recipe tiny model.options.width=8" in capsys.readouterr().out
    assert main(["reproduce"]) == 0
    assert "madf-table-2" in capsys.readouterr().out.split()
    for arguments, message in (
        (["--row", "other"], "--row other:"),
        (["--budget", "soon"], "--budget soon: give paper"),
        (
            ["-p", str(tmp_path / "none"), "-o", str(tmp_path / "out")],
            "none: there is no such folder",
        ),
        (["-p", str(tmp_path / "none"), "--show"], "none: there is no such folder"),
        ([], "to train it give --photos DIR and --output FOLDER"),
    ):
        assert main(["reproduce", str(file), *arguments]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_photos_without_a_held_out_one_are_refused_before_the_training(photos, tmp_path, capsys):
    (photos / "38.png").unlink()
    file = tmp_path / "table.yaml"
    file.write_text(TABLE)
    command = ["reproduce", str(file), "-p", str(photos), "-o", str(tmp_path / "out")]
    assert main([*command, "--budget=steps=4"]) == 2
    assert "of 9 photos 0 are held out" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
