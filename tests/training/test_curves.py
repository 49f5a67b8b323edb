"""Numbers of several trainings, read back from what they recorded."""

import xml.etree.ElementTree as ElementTree

import pytest

from regionwise.errors import DataError, OutputError
from regionwise.training.curves import draw_curves, read_curve, smoothed, to_csv, to_svg
from regionwise.training.records import Records


@pytest.fixture
def runs(tmp_path):
    for name, slope in (("one", 1.0), ("other", -2.0)):
        run = tmp_path / name
        run.mkdir()
        with Records(run, 0, [], active=True) as records:
            for step in range(0, 50, 10):
                records.numbers("validation", {"psnr": 20 + slope * step}, step)
    return {name: read_curve(tmp_path / name, "validation/psnr") for name in ("one", "other")}


def test_the_numbers_are_those_recorded(runs, tmp_path):
    assert runs["one"] == [(step, 20 + step) for step in range(0, 50, 10)]
    file = tmp_path / "curves.csv"
    to_csv(runs, "validation/psnr", file, overwrite=False)
    lines = file.read_text().splitlines()
    assert lines[0] == "run,step,validation/psnr"
    assert lines[1] == "one,0,20.0"
    assert lines[-1] == "other,40,-60.0"


def test_means_in_turn():
    assert smoothed([(0, 1.0), (5, 3.0), (9, 8.0)], 2) == [(0, 1.0), (5, 2.0), (9, 5.5)]
    assert smoothed([(0, 1.0)], 9) == [(0, 1.0)]


def test_the_drawing_shows_each_run_in_its_place(runs):
    root = ElementTree.fromstring(to_svg(runs, "validation/psnr <&>"))
    space = "{http://www.w3.org/2000/svg}"
    rising, falling = (
        [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        for line in root.iter(f"{space}polyline")
    )
    assert len(rising) == 5
    assert [x for x, _ in rising] == sorted({x for x, _ in falling})
    assert rising[-1][1] < rising[0][1]  # upwards
    assert falling[-1][1] > falling[0][1]
    texts = [text.text for text in root.iter(f"{space}text")]
    assert {"validation/psnr <&>", "one", "other"} <= set(texts)
    for x, y in rising + falling:
        assert 0 <= x <= float(root.get("width"))
        assert 0 <= y <= float(root.get("height"))


@pytest.mark.parametrize("curve", [[(0, 5.0)], [(0, 5.0), (9, 5.0)], [(0, 5.0), (1, float("nan"))]])
def test_curves_of_one_value(curve):
    ElementTree.fromstring(to_svg({"run": curve}, "x"))


def test_what_is_not_there(runs, tmp_path):
    with pytest.raises(DataError, match="there is no run here"):
        read_curve(tmp_path, "x")
    with pytest.raises(DataError, match="no train/l1 was recorded; there are: validation/psnr"):
        read_curve(tmp_path / "one", "train/l1")
    with pytest.raises(DataError, match=r"drawn as \.svg"):
        draw_curves(runs, "x", tmp_path / "curves.png", overwrite=False)
    (tmp_path / "there.svg").write_text("")
    with pytest.raises(OutputError, match="exists already"):
        draw_curves(runs, "x", tmp_path / "there.svg", overwrite=False)
