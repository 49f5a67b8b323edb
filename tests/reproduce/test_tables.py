"""Shipped tables: every row can be trained; budgets scale whole recipes; results are paired."""

import math

import pytest
from tests.training.conftest import RECIPES

from regionwise.errors import RecipeError
from regionwise.evaluation.metrics.registry import METRICS
from regionwise.evaluation.rows import Row
from regionwise.recipe import find_recipe, override, read_recipe
from regionwise.recipe.section import Duration
from regionwise.reproduce.budget import parse_budget, with_steps
from regionwise.reproduce.paper_table import PaperTable, read_table, table_names
from regionwise.reproduce.results import cells, shown_scores, to_markdown
from regionwise.training.rehearsal import rehearse

TABLES = {name: read_table(name) for name in table_names()}
ROWS = [(table, row) for table, content in TABLES.items() for row in content.rows]


@pytest.mark.parametrize(("table", "row"), ROWS)
def test_every_row_can_be_trained_at_a_small_budget(table, row):
    """What K = 0, 1 and 3 of MADF and six rows of DeepGIN could not."""
    rehearse(TABLES[table].row_recipe(row, seed=0, slim=True, changes=["feature_weights=random"]))


@pytest.mark.slow
@pytest.mark.parametrize(("table", "row"), ROWS)
def test_every_row_can_be_trained_as_in_the_paper(table, row):
    rehearse(TABLES[table].row_recipe(row, seed=0, slim=False))


@pytest.mark.parametrize("table", TABLES)
def test_rows_differ(table):
    """Each row of a table trains something else; a slip in a KEY=VALUE would make two alike."""
    content = TABLES[table]
    recipes = [content.row_recipe(row, seed=0, slim=False) for row in content.rows]
    assert all(one != other for k, one in enumerate(recipes) for other in recipes[:k])


def test_the_papers_own_row_is_the_recipe():
    for table, row in {
        "rn-table-3": "RN",
        "madf-table-2": "MADF+K2 PN",
        "madf-table-3": "Coarse-to-fine",
        "deepgin-table-1": "SPDResBlk-MSSA-BP",
        "region-wise-ablations": "g) all",
    }.items():
        content = TABLES[table]
        recipe = read_recipe(find_recipe(RECIPES / f"{content.recipe}.yaml"))
        assert content.row_recipe(row, seed=recipe.seed, slim=False) == recipe


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(RecipeError, match="called rn-table-22; did you mean rn-table-2"):
        read_table("rn-table-22")
    own = tmp_path / "own.yaml"
    own.write_text("title: x\nrows: {}\n")
    with pytest.raises(RecipeError, match=r"own\.yaml: "):
        read_table(str(own))


class TestBudget:
    def test_words(self):
        assert parse_budget("paper").is_the_papers
        assert parse_budget("cpu-hour").minutes == 60
        assert parse_budget("minutes=2.5").minutes == 2.5
        assert parse_budget("steps=40").steps == 40
        for wrong in ("week", "minutes=0", "minutes=1.2.3", "steps="):
            with pytest.raises(RecipeError, match="give paper, gpu-hour, cpu-hour, minutes=M or"):
                parse_budget(wrong)

    def test_a_shorter_recipe_keeps_its_proportions(self):
        """Phases, warm-up, the discriminator's schedule; never less than a step."""
        recipe = override(
            read_recipe(RECIPES / "deepgin.yaml"),
            ["batch=2", "optimizer.warmup=1 epoch", "validation.every=5 epochs"],
        )
        short = with_steps(recipe, 220, photos=20)  # 10 steps an epoch, 110 epochs
        assert [str(phase.length) for phase in short.phases] == ["20 steps", "200 steps"]
        assert short.phases[1].optimizer.warmup == Duration(2)
        assert short.phases[1].optimizer.schedule.hold == Duration(20)
        assert short.discriminator.optimizer.schedule.hold == Duration(20)
        assert short.validation.every == Duration(55)
        assert [str(p.length) for p in with_steps(recipe, 1, 20).phases] == ["1 steps", "1 steps"]
        assert short.phases[1].losses == recipe.phases[1].losses


MODELS = {"a": ["a0", "a1"], "b": ["b0", "b1"]}


class TestResults:
    TABLE = PaperTable(
        title="Two ways",
        source="A paper",
        recipe="tiny",
        protocol="card",
        rows={"a": {"paper": {"psnr": 20}}, "b": {"paper": {"psnr": 21}}},
    )

    def rows(self):
        """Photos differ by far more than the rows do; b is better by 1 and 3 dB with its seeds."""
        return [
            Row(f"p{photo}", "one", "m", f"{name}{seed}", {"psnr": 10 * photo + gain[seed]})
            for photo in range(4)
            for name, gain in {"a": (0, 0), "b": (1, 3)}.items()
            for seed in range(2)
        ]

    def test_differences_are_taken_picture_by_picture(self):
        (metric,) = shown_scores(self.TABLE)
        assert metric.name == "psnr"
        rows = [*self.rows(), Row("p0", "two", "m", "a0", {"psnr": 999.0})]
        found = cells(self.TABLE, rows, MODELS, ["one"], metric)
        assert found["a"].mean == 15
        assert found["b"].mean == 17
        assert found["b"].spread == pytest.approx(math.sqrt(2))
        difference = found["b"].difference
        assert (difference.value, difference.low, difference.high) == (2, 2, 2)
        assert found["b"].paper == 21

    def test_the_printed_table(self):
        metric = METRICS[0].scores[0]
        columns = {"psnr": (metric, cells(self.TABLE, self.rows(), MODELS, ["one"], metric))}
        text = to_markdown(self.TABLE, columns, "A note.")
        assert "| row | PSNR (dB): paper | ours | ours − a [95 %] |" in text
        assert "| a | 20.00 | 15.00 ± 0.00 |  |" in text
        assert "| b | 21.00 | 17.00 ± 1.41 | +2.00 [+2.00, +2.00] |" in text
