import csv
import io
import json
import math

import pytest
from rich.console import Console

from regionwise.evaluation.metrics.metric import Score
from regionwise.evaluation.plan import Plan
from regionwise.evaluation.rows import Row
from regionwise.evaluation.tables import best_columns, make_tables
from regionwise.evaluation.writers import to_csv, to_data, to_latex, to_markdown, to_rich


class Named:
    def __init__(self, name):
        self.name = name


PLAN = Plan(
    "p", "P", "", (Named("10-20%"), Named("20-30%"), Named("fixed")), ("10-20%", "20-30%"), ""
)
PSNR = Score("psnr", "PSNR (dB)", "higher", digits=2)
L1 = Score("l1", "L1 (%)", "lower", 100, 2)
TEXTURE = Score("texture", "Texture_share", "near 1", over="texture_truth")


def row(photo, name, model, psnr, l1=0.01, texture=1.0, truth=4.0):
    metrics = {"psnr": psnr, "l1": l1, "texture": texture, "texture_truth": truth}
    return Row(photo, name, "0", model, metrics)


@pytest.fixture
def tables():
    rows = []
    for number, photo in enumerate("abcd"):
        for name, level in (("10-20%", 30.0), ("20-30%", 25.0), ("fixed", 20.0)):
            rows.append(row(photo, name, "ours", level + number, 0.01, 1.0))
            rows.append(row(photo, name, "theirs", level + number - 0.1, 0.02, 5.0, 4.0))
    rows[-1] = Row("d", "fixed", "0", "theirs", error="out of memory")
    return make_tables(rows, PLAN, ["ours", "theirs"], [PSNR, L1, TEXTURE])


def test_rows_are_bins_and_all_of_the_named_ones(tables):
    psnr = tables[0]
    assert [one.name for one in psnr.rows] == ["10-20%", "20-30%", "fixed", "All"]
    assert [one.values[0].value for one in psnr.rows] == [31.5, 26.5, 21.0, 29.0]
    assert [one.values[0].count for one in psnr.rows] == [4, 4, 3, 8]
    assert psnr.rows[0].differences[1].value == pytest.approx(-0.1)
    assert psnr.rows[0].differences[1].high < 0
    assert psnr.rows[0].values[1].high > psnr.rows[0].values[0].value


def test_a_share_is_a_ratio_of_sums(tables):
    assert tables[2].rows[0].values[0].value == pytest.approx(0.25)
    assert tables[2].rows[0].values[1].value == pytest.approx(1.25)
    assert tables[2].rows[0].differences == ()


def test_the_best_is_what_the_metric_calls_better(tables):
    assert [best_columns(table.rows[0], table.metric) for table in tables] == [{0}, {0}, {1}]


def test_markdown_has_the_papers_layout(tables):
    lines = to_markdown(tables).splitlines()
    assert lines[0] == "| | hole | ours | theirs | n |"
    assert lines[2] == "| PSNR (dB) ↑ | 10-20% | **31.50** | 31.40 | 4 |"
    assert lines[5] == "|  | All | **29.00** | 28.90 | 8 |"
    assert lines[6] == "| L1 (%) ↓ | 10-20% | **1.00** | 2.00 | 4 |"
    assert "| PSNR (dB) | 10-20% | -0.10 [-0.10, -0.10] |" in lines
    assert all(line.count("|") in (0, 4, 6) for line in lines)


def test_latex_is_escaped_and_whole(tables):
    text = to_latex(tables)
    assert r"PSNR (dB) $\uparrow$ & 10-20\% & \textbf{31.50} & 31.40 \\" in text
    assert r"Texture\_share" in text
    assert text.count(r"\midrule") == 3
    assert text.count("{") == text.count("}")
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert all(line.count("&") == 3 for line in rows)


def test_csv_has_every_number(tables):
    rows = list(csv.DictReader(io.StringIO(to_csv(tables))))
    assert len(rows) == 3 * 4 * 2
    assert float(rows[1]["difference"]) == pytest.approx(-0.1)
    l1 = next(one for one in rows if one["metric"] == "L1 (%)" and one["model"] == "theirs")
    assert float(l1["value"]) == pytest.approx(2)
    assert rows[-1]["difference"] == ""


def test_data_is_json_without_nan(tables):
    text = json.dumps(to_data(tables), allow_nan=False)
    assert json.loads(text)[0]["rows"][3]["models"]["ours"]["value"] == 29.0


def test_an_empty_bin_is_a_dash_not_a_crash():
    tables = make_tables([row("a", "10-20%", "ours", 30.0)], PLAN, ["ours"], [PSNR, TEXTURE])
    assert math.isnan(tables[0].rows[1].values[0].value)
    assert "|  | 20-30% | – | 0 |" in to_markdown(tables)
    json.dumps(to_data(tables), allow_nan=False)
    to_latex(tables)
    to_csv(tables)


def test_pictures_without_a_value_are_left_out():
    rows = [row("a", "10-20%", "ours", 30.0), row("b", "10-20%", "ours", math.nan)]
    (table,) = make_tables(rows, PLAN, ["ours"], [PSNR])
    assert table.rows[0].values[0].value == 30
    assert table.rows[0].values[0].count == 1


def test_a_distance_is_taken_of_each_bin(tables):
    asked = []

    def take(keys):
        asked.append(keys)
        return float(len(keys))

    rows = [row(photo, "10-20%", model, 1.0) for photo in "ab" for model in ("ours", "theirs")]
    metric = Score("frechet", "FID", "lower", digits=2)
    made = make_tables(rows, PLAN, ["ours", "theirs"], [PSNR], (metric, take))
    assert made[1].rows[0].values[1].value == 2
    assert asked[1] == [("a", "10-20%", "theirs"), ("b", "10-20%", "theirs")]
    assert "FID" in to_markdown(made)


def test_the_terminal_shows_all(tables):
    console = Console(width=120, record=True)
    console.print(to_rich(tables))
    text = console.export_text()
    assert "31.50" in text
    assert "Texture_share → 1" in text
