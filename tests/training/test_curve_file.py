"""The learning curve as a table."""

import csv

from regionwise.training.curve_file import CurveFile


def rows(file):
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def work():
    return sum(k * k for k in range(20_000_000))


def test_processor_time_goes_on_and_later_rows_are_forgotten(tmp_path):
    file = tmp_path / "curve.csv"
    curve = CurveFile(file, 0)
    curve.add(10, 160, {"psnr": 20.123456})
    assert rows(file) == [{"step": "10", "pictures": "160", "cpu_seconds": "0", "psnr": "20.123"}]
    file.write_text("step,pictures,cpu_seconds,psnr\n10,160,100,20.1\n20,320,200,20.2\n")
    again = CurveFile(file, 10, 100.0)
    work()
    again.add(15, 240, {"psnr": 20.15})
    first, second = rows(file)
    assert first["cpu_seconds"] == "100"
    assert second["step"] == "15"
    assert 101 <= int(second["cpu_seconds"]) < 130


def test_a_run_from_the_start_forgets_all(tmp_path):
    file = tmp_path / "curve.csv"
    file.write_text("step,pictures,cpu_seconds,psnr\n10,160,100,20.1\n")
    CurveFile(file, 0).add(5, 80, {"psnr": 19.0})
    assert [row["step"] for row in rows(file)] == ["5"]
