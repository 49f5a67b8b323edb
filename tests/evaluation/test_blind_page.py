"""The page for blind votes: what it hides and shows, and that its votes are counted rightly."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data
from tests.support.pictures import open_picture

from regionwise.cli import main
from regionwise.errors import DataError, OutputError
from regionwise.evaluation.blind_page import AnswerKey, key_file, read_votes, write_blind_page
from regionwise.evaluation.contact_sheet import Sample

CHROMIUM = os.environ.get("REGIONWISE_CHROMIUM") or shutil.which("chromium")
MODELS = ("secret-one", "secret-two", "secret-three")


def _sample(number: int, same: bool = False) -> Sample:
    rng = np.random.default_rng(number)
    truth = rng.integers(0, 255, (40 + number, 50, 3), dtype=np.uint8)
    hole = np.zeros(truth.shape[:2], bool)
    hole[10:20, 5:30] = True

    def filled() -> Image.Image:
        answer = np.where(hole[..., None], rng.integers(0, 255, truth.shape, np.uint8), truth)
        return Image.fromarray(answer)

    answers = {model: filled() for model in MODELS}
    if same:
        answers[MODELS[1]] = answers[MODELS[0]]
    whole, missing = Image.fromarray(truth), Image.fromarray(hole)
    return Sample(f"photo {number}", whole, whole, missing, answers)


@pytest.fixture
def samples() -> list[Sample]:
    return [_sample(number) for number in range(5)]


def test_the_page_tells_nothing(samples: list[Sample], tmp_path: Path) -> None:
    made = write_blind_page(samples, tmp_path / "page", seed=3)
    assert len(made.key.pairs) == 15
    text = (tmp_path / "page" / "index.html").read_text()
    assert not any(secret in text for secret in (*MODELS, "photo "))
    assert "http" not in text
    files = sorted((tmp_path / "page").rglob("*.png"))
    assert len(files) == 45
    assert all(len(file.stem) == 17 for file in files)
    assert not any(secret.encode() in file.read_bytes() for file in files for secret in MODELS)
    assert key_file(tmp_path / "page").parent == tmp_path  # not in what voters get


def test_pictures_are_those_of_the_key(samples: list[Sample], tmp_path: Path) -> None:
    key = write_blind_page(samples, tmp_path / "page").key
    by_name = {sample.name: sample for sample in samples}
    for pair in key.pairs:
        sample = by_name[pair.case]
        for side, model in (("a", pair.left), ("b", pair.right)):
            shown = open_picture(tmp_path / "page" / "pictures" / f"{pair.id}{side}.png")
            np.testing.assert_array_equal(np.asarray(shown), np.asarray(sample.answers[model]))
        marked = np.asarray(open_picture(tmp_path / "page" / "pictures" / f"{pair.id}h.png"))
        hole = np.asarray(sample.hole)
        assert (marked[hole] == (255, 0, 255)).all()
        assert (marked[~hole] == np.asarray(sample.truth)[~hole]).all()


def test_sides_and_order_are_of_chance_and_repeatable(
    samples: list[Sample], tmp_path: Path
) -> None:
    many = [_sample(number) for number in range(40)]
    key = write_blind_page(many, tmp_path / "many").key
    left = Counter(pair.left for pair in key.pairs)
    assert all(25 < left[model] < 55 for model in MODELS)  # of 80
    assert len({pair.case for pair in key.pairs[:20]}) > 10
    one = write_blind_page(samples, tmp_path / "one", seed=1).key
    again = write_blind_page(samples, tmp_path / "again", seed=1).key
    other = write_blind_page(samples, tmp_path / "other", seed=2).key
    assert one == again
    assert one.page != other.page


def test_few_pairs_are_spread_over_models_and_cases(tmp_path: Path) -> None:
    many = [_sample(number) for number in range(10)]
    key = write_blind_page(many, tmp_path / "page", pairs=15).key
    both = Counter(frozenset((pair.left, pair.right)) for pair in key.pairs)
    assert sorted(both.values()) == [5, 5, 5]
    cases = Counter(pair.case for pair in key.pairs)
    assert len(cases) == 10
    assert max(cases.values()) <= 3


def test_equal_fills_are_no_pair(tmp_path: Path) -> None:
    made = write_blind_page([_sample(0, same=True), _sample(1)], tmp_path / "page")
    assert made.same == 1
    assert len(made.key.pairs) == 5
    with pytest.raises(OutputError, match="exists"):
        write_blind_page([_sample(0)], tmp_path / "page")
    with pytest.raises(DataError, match="no two different fills"):
        write_blind_page([], tmp_path / "other")


def _answers(key: AnswerKey, choices: dict[str, str]) -> str:
    votes = [{"pair": pair, "choice": choice, "seconds": 1} for pair, choice in choices.items()]
    return json.dumps({"page": key.page, "votes": votes})


def test_votes_are_read_by_the_key(samples: list[Sample], tmp_path: Path) -> None:
    key = write_blind_page(samples, tmp_path / "page").key
    file = tmp_path / "votes.json"
    first, second, third = key.pairs[:3]
    choices = {first.id: "left", second.id: "right", third.id: "neither"}
    file.write_text(_answers(key, choices))
    one, two, three = read_votes(key_file(tmp_path / "page"), [file])
    assert (one.preferred, one.other, one.tie) == (first.left, first.right, False)
    assert (two.preferred, two.other, two.tie) == (second.right, second.left, False)
    assert three.tie
    assert three.case == third.case


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"page": "other", "votes": []}', "belong to another page"),
        ('{"page": "PAGE", "votes": [{"pair": "x", "choice": "left"}]}', "belong to another page"),
        ('{"page": "PAGE", "votes": [{"pair": "x", "choice": "up"}]}', r"votes\.0\.choice"),
        ("{", "not of a page for votes"),
    ],
)
def test_foreign_votes_are_refused_in_one_line(
    samples: list[Sample], tmp_path: Path, text: str, message: str
) -> None:
    key = write_blind_page(samples, tmp_path / "page").key
    (tmp_path / "votes.json").write_text(text.replace("PAGE", key.page))
    with pytest.raises(DataError, match=message) as caught:
        read_votes(key_file(tmp_path / "page"), [tmp_path / "votes.json"])
    assert "\n" not in str(caught.value)


def test_the_commands_from_an_evaluation_to_a_ranking(tmp_path: Path, capsys: Any) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        part = data.coffee()[number * 100 : number * 100 + 100, 100:200]
        Image.fromarray(part).save(photos / f"{number}.png")
    results, page = tmp_path / "results", tmp_path / "page"
    command = ["evaluate", "-m", "membrane,telea", "-p", str(photos), "-o", str(results)]
    assert main([*command, "--protocol", "card", "--samples", "2", "--metrics", "psnr"]) == 0
    assert main(["blind", "make", str(results), "-o", str(page), "--pairs", "3"]) == 0
    assert "3 pairs: open" in capsys.readouterr().out
    key = AnswerKey.model_validate_json(key_file(page).read_text())
    liked = {pair.id: "left" if pair.left == "membrane" else "right" for pair in key.pairs}
    (tmp_path / "votes.json").write_text(_answers(key, liked))
    assert main(["blind", "count", str(key_file(page)), str(tmp_path / "votes.json")]) == 0
    told = capsys.readouterr().out
    assert "3 (100%)" in told
    assert told.index("membrane") < told.index("telea")
    assert main(["blind", "make", str(photos), "-o", str(tmp_path / "x")]) == 2
    assert "is no folder of an evaluation" in capsys.readouterr().err
    (tmp_path / "none.json").write_text(_answers(key, {}))
    assert main(["blind", "count", str(key_file(page)), str(tmp_path / "none.json")]) == 2
    assert "there is no vote" in capsys.readouterr().err


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; apt install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with api.sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu"]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


@pytest.mark.parametrize("width", [1200, 390])
def test_a_person_votes_by_keys_and_buttons(
    browser: Any, samples: list[Sample], tmp_path: Path, width: int
) -> None:
    key = write_blind_page(samples, tmp_path / "page", pairs=4).key
    context = browser.new_context(viewport={"width": width, "height": 800})
    page, troubles = context.new_page(), []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text))
    page.on("response", lambda got: None if got.ok else troubles.append(got.url))
    page.goto((tmp_path / "page" / "index.html").as_uri())
    ids = [pair.id for pair in key.pairs]

    def shown() -> list[str]:
        return [Path(page.locator(f"#{side}").get_attribute("src")).stem for side in "ab"]

    assert shown() == [f"{ids[0]}a", f"{ids[0]}b"]
    page.keyboard.down("h")
    assert shown() == [f"{ids[0]}h"] * 2
    page.keyboard.up("h")
    assert shown() == [f"{ids[0]}a", f"{ids[0]}b"]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Backspace")
    page.keyboard.press("Space")
    page.wait_for_timeout(300)  # the browser stores what it was told a little later
    page.reload()  # what was chosen is kept
    assert shown()[0] == f"{ids[2]}a"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_label("the right one is better").click()
    page.get_by_label("the left one is better").click()
    with page.expect_download() as download:
        page.get_by_text("save votes.json").click()
    download.value.save_as(tmp_path / "votes.json")
    context.close()
    assert not troubles
    answers = json.loads((tmp_path / "votes.json").read_text())
    assert [vote["choice"] for vote in answers["votes"]] == ["left", "neither", "right", "left"]
    votes = read_votes(key_file(tmp_path / "page"), [tmp_path / "votes.json"])
    assert votes[2].preferred == key.pairs[2].right
