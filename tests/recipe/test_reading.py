"""Recipes are checked, and errors name the file, the key and what would be right."""

from pathlib import Path

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from regionwise.discriminators.registry import create_discriminator
from regionwise.errors import RecipeError
from regionwise.losses.adversarial.registry import create_adversarial_loss
from regionwise.models.registry import create_model
from regionwise.recipe import check_recipe, override, read_recipe, to_yaml
from regionwise.recipe.section import Duration

FOLDER = Path(__file__).parents[2] / "recipes"
FILES = sorted(f for f in FOLDER.rglob("*.yaml") if f.parent.name not in ("tables", "splits"))
BASES = [file for file in FILES if "\nmodel:" not in file.read_text()]
RECIPES = [file for file in FILES if file not in BASES]

PLAIN = """
model: {name: rn}
batch: 4
data: {size: 64}
holes: {mixture: {irregular: 1}}
optimizer: {lr: 1e-4, warmup: 10 steps}
phases:
  - {name: a, length: 20 epochs, losses: [{name: l1}]}
  - name: b
    length: 3
    optimizer: {clip: 3}
    losses:
      - {name: l1}
      - {name: style, weight: 3, features: {network: vgg19, layers: [relu1_1]}}
"""


def plain():
    return yaml.safe_load(PLAIN)


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_shipped_recipes_are_right(file):
    recipe = read_recipe(file)
    with torch.device("meta"):
        create_model(recipe.model.name, **recipe.model.options)
        for section in map(recipe.discriminator_of, recipe.phases):
            if section is not None:
                create_discriminator(section.name, section.options)
                create_adversarial_loss(section.loss.name, section.loss.options)


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_a_resolved_recipe_reads_as_itself(file):
    recipe = read_recipe(file)
    assert check_recipe(yaml.safe_load(to_yaml(recipe)), "resolved") == recipe


def test_shared_sections_hold_for_all_phases_and_are_merged():
    first, second = check_recipe(plain(), "x").phases
    assert (first.batch, second.batch) == (4, 4)
    assert second.optimizer.lr == 1e-4
    assert second.optimizer.clip == 3
    assert first.optimizer.clip is None
    assert second.losses[1].features.layers == {"relu1_1": 1.0}


def changed(path, value):
    content = plain()
    *way, last = path.split(".")
    place = content
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sead", 1, "sead: there is no such key; did you mean seed?"),
        ("seed", "much", "seed: input should be a valid integer"),
        ("phases", [], "phases: .*at least 1"),
        ("seed", 2**32, "seed: input should be less than 4294967296"),
        ("holes.ratio", [0.5, 0.1], r"holes\.ratio: no share lies above 0\.5 and up to 0\.1"),
        ("optimizer.lr", float("inf"), r"optimizer\.lr: input should be a finite number"),
        (
            "precision",
            "int4",
            "precision: input should be 'fp32', 'bf16', 'fp16' or 'auto', not 'int4'",
        ),
        ("optimizer.lrr", 1, r"optimizer\.lrr: there is no such key; did you mean lr\?"),
        ("optimizer.lr", -1, r"optimizer\.lr: input should be greater than 0, not -1"),
        ("holes.mixture", {"sponge": 1}, "holes.mixture: no family of holes is called 'sponge'"),
        ("holes.mixture", {"stored": 1}, "holes: stored holes need their files: set masks"),
        ("data.scale", 32, "data: scale 32 must be size 64 or more"),
        ("phases.0.length", "3 weeks", r'phases\.a\.length: give a length such as "300000 steps"'),
        ("phases.0.name", "b", "the whole: two phases have one name"),
        ("phases.0.losses", [{"weight": 1}], r"phases\.a\.losses\.0: needs a name"),
        ("phases.0.losses", [{"name": "adversarial"}], "add a section discriminator"),
        ("phases.1.losses.1.name", "stile", "no loss is called 'stile'; did you mean style?"),
        ("phases.1.losses.1.wieght", 1, r"phases\.b\.losses\.style\.wieght: .*mean weight\?"),
        (
            "phases.1.losses.1.features.layers",
            ["relu9"],
            r"phases\.b\.losses\.style\.features: vgg19 has no layer 'relu9'",
        ),
    ],
)
def test_wrong_keys_and_values(tmp_path, path, value, message):
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(changed(path, value)))
    with pytest.raises(RecipeError, match=f"bad\\.yaml: .*{message}") as caught:
        read_recipe(file)
    assert "\n" not in str(caught.value)


def test_a_base_holds_what_a_recipe_leaves_out(tmp_path):
    (tmp_path / "common.yaml").write_text(PLAIN)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "wide.yaml").write_text(
        "base: ../common.yaml\nmodel: {options: {width: 4}}\noptimizer: {lr: 2e-4}\n"
    )
    (tmp_path / "sub" / "short.yaml").write_text(
        "base: wide.yaml\nphases: [{name: all, length: 1, losses: [{name: l2}]}]\n"
    )
    wide, short = (read_recipe(tmp_path / "sub" / f"{name}.yaml") for name in ("wide", "short"))
    common = read_recipe(tmp_path / "common.yaml")
    assert wide == override(common, ["model.options.width=4", "optimizer.lr=2e-4"])
    assert [phase.name for phase in short.phases] == ["all"]
    assert short.model == wide.model


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("missing.yaml", r"missing\.yaml: can't be read"),
        ("empty.yaml", r"empty\.yaml: not a recipe: it holds no keys"),
        ("child.yaml", r"child\.yaml: base: child\.yaml has this recipe as its own base"),
        ("loop.yaml", r"loop\.yaml: base: child\.yaml has this recipe as its own base"),
        ("[a, b]", r"child\.yaml: base: .*give another recipe's path"),
    ],
)
def test_a_base_that_can_not_be(tmp_path, base, message):
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "loop.yaml").write_text("base: child.yaml\n")
    (tmp_path / "child.yaml").write_text(f"base: {base}\n")
    with pytest.raises(RecipeError, match=message):
        read_recipe(tmp_path / "child.yaml")


def test_bases_of_the_bake_off_lack_the_network_alone():
    assert [file.name for file in BASES] == ["common.yaml", "slim.yaml"]
    for file in BASES:
        with pytest.raises(RecipeError, match="model: is missing"):
            read_recipe(file)


def test_not_a_recipe(tmp_path):
    file = tmp_path / "bad.yaml"
    for content, message in (("a: [", "not YAML"), ("3", "holds no keys"), ("", "holds no keys")):
        file.write_text(content)
        with pytest.raises(RecipeError, match=message):
            read_recipe(file)
    with pytest.raises(RecipeError, match="can't be read"):
        read_recipe(tmp_path / "missing.yaml")


class TestOverride:
    def test_phase_keys_hold_for_all_phases(self):
        recipe = override(check_recipe(plain(), "x"), ["optimizer.lr=1e-5", "losses.l1.weight=7"])
        assert [phase.optimizer.lr for phase in recipe.phases] == [1e-5, 1e-5]
        assert [phase.losses[0].weight for phase in recipe.phases] == [7, 7]

    def test_one_phase_by_name_or_number(self):
        recipe = override(
            check_recipe(plain(), "x"),
            ["phases.b.length=5 epochs", "phases.0.batch=9", "phases.b.losses.style.weight=0"],
        )
        assert recipe.phases[1].length == Duration(5, "epochs")
        assert [phase.batch for phase in recipe.phases] == [9, 4]
        assert recipe.phases[1].losses[1].weight == 0

    def test_what_was_empty_can_be_set(self):
        recipe = override(check_recipe(plain(), "x"), ["optimizer.schedule.over=3 epochs"])
        assert recipe.phases[0].optimizer.schedule.over == Duration(3, "epochs")

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("optimizer.lrr=3", r"--set optimizer\.lrr=3: .*lrr: .*did you mean lr\?"),
            ("losses.stile.weight=3", "the recipe has no losses.stile.weight; there are: l1"),
            ("phases.c.length=3", "the recipe has no phases.c.length; there are: a, b"),
            ("batch", "give KEY=VALUE"),
            ("=3", "give KEY=VALUE"),
            ("batch=[", "not YAML"),
            ("batch=0", r"--set batch=0: .*greater than 0"),
            ("nothing.x=3", "the recipe has no nothing.x"),
        ],
    )
    def test_wrong_settings(self, setting, message):
        with pytest.raises(RecipeError, match=message) as caught:
            override(check_recipe(plain(), "x"), [setting])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("7", 7),
        ("7 steps", 7),
        ("1 step", 1),
        ("2 epochs", 50),
        ("33 photos", 9),
        ("1e2 photos", 25),
    ],
)
def test_durations_in_steps(text, steps):
    assert Duration.parse(text).steps(batch=4, photos=100) == steps


@given(st.floats(1e-3, 1e9), st.sampled_from(["steps", "epochs", "photos"]))
def test_a_duration_reads_as_what_it_is_written(count, unit):
    count = float(f"{count:.4g}") if unit != "steps" else float(int(count))
    once = Duration.parse(str(Duration(count, unit)))
    assert once.unit == unit
    assert once.count == pytest.approx(count, rel=1e-5)


@pytest.mark.parametrize("change", ["losses.0={name: l1, stage: guide}", 'guide="true"'])
def test_a_guide_that_the_data_has_not(change):
    with pytest.raises(RecipeError, match=r"has a true guide: say which, in data\.guide"):
        override(check_recipe(plain(), "test"), [change])


@pytest.mark.parametrize(
    "change",
    [
        "parts=[encoder]",
        "optimizer={name: adadelta, lr: 1}",
        "discriminator={optimizer: {lr: 1}}",
    ],
)
def test_moments_of_other_players_cannot_be_kept(change):
    recipe = override(check_recipe(plain(), "test"), ["phases.b.keep_optimizer=true"])
    with pytest.raises(RecipeError, match="can't keep the optimizer: phase 'a' trains other parts"):
        override(recipe, [f"phases.b.{change}"])


def test_features_of_a_guide():
    recipe = override(check_recipe(plain(), "test"), ["data.guide=edges"])
    with pytest.raises(RecipeError, match="a style term compares pictures"):
        override(recipe, ["phases.b.losses.style.stage=guide"])


def test_a_phases_own_discriminator():
    patch = "{name: patch, optimizer: {lr: 1}}"
    content = plain() | {"discriminator": yaml.safe_load(patch)}
    content["phases"][1]["discriminator"] = yaml.safe_load(patch) | {"loss": "least-squares"}
    recipe = check_recipe(content, "test")
    assert [recipe.discriminator_of(phase).loss.name for phase in recipe.phases] == [
        "hinge",
        "least-squares",
    ]
