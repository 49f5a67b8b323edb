"""The protocol of objects taken out, and how its pictures are filled, measured and shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data
from tests.support.pictures import open_picture

import regionwise
from regionwise.cli import main
from regionwise.errors import DataError
from regionwise.evaluation.contact_sheet import Sample
from regionwise.evaluation.crop_pages import SIDE, crop_pages
from regionwise.evaluation.manifest import object_protocol_names
from regionwise.evaluation.metrics.pixels import psnr
from regionwise.evaluation.metrics.views import view_of_hole
from regionwise.evaluation.object_removal import (
    ObjectRemoval,
    ObjectSet,
    plan_of_objects,
    read_object_protocol,
)
from regionwise.evaluation.rows import read_rows
from regionwise.evaluation.run import Evaluation
from regionwise.evaluation.settings import EvaluationSettings
from regionwise.evaluation.summary import way_of, write_summary
from regionwise.filling.options import FillOptions
from regionwise.filling.shard import Shard
from regionwise.holes import thickness_of
from regionwise.photos.photo_source import PhotoSource


def _small() -> ObjectRemoval:
    """The same kind of protocol, for photos that are filled in no time."""
    return ObjectRemoval(
        name="small",
        title="Small",
        seed=1,
        shorter=40,
        longer=60,
        longest=100,
        sizes=((40, 60), (70, 70)),
        sets=(
            ObjectSet(name="6-10 px", thickness=(6, 10)),
            ObjectSet(name="10-18 px", thickness=(10, 18)),
        ),
    ).sealed()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, (height, width) in enumerate([(60, 90), (160, 200), (55, 61), (30, 90)]):
        part = data.astronaut()[number * 50 : number * 50 + height, 200 : 200 + width]
        Image.fromarray(part).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def evaluation(photos: Path, tmp_path: Path) -> Evaluation:
    asked = EvaluationSettings(("auto", "telea"), (photos,), tmp_path / "out", metrics="all")
    return asked.evaluation(plan_of_objects(_small()))


def test_the_protocol_that_ships_is_drawn_bit_for_bit() -> None:
    assert object_protocol_names() == ["object-removal"]
    protocol = read_object_protocol("object-removal")
    protocol.check()
    for number, (low, high) in enumerate(((40, 80), (80, 140), (140, 250))):
        for size in ((853, 1280), (320, 512)):
            found = thickness_of(protocol.draw(number, "x.jpg", size))
            assert low - 2.5 <= found <= high + 2.5


def test_a_hole_follows_from_row_name_and_size_alone() -> None:
    protocol = _small()
    one = protocol.draw(0, "a.jpg", (50, 60))
    assert (protocol.draw(0, "a.jpg", (50, 60)) == one).all()
    assert (protocol.draw(0, "b.jpg", (50, 60)) != one).any()
    assert (protocol.draw(1, "a.jpg", (50, 60)) != one).any()
    plan = plan_of_objects(protocol)
    photo = PhotoSource(Path("elsewhere/a.jpg"), "a.jpg")
    name, mask = plan.sets[0].hole(77, photo, (50, 60))  # whatever its number in the folder
    assert name == "a.jpg, 6-10 px"
    assert (mask == one).all()


def test_another_machines_holes_are_refused() -> None:
    protocol = _small()
    forged = protocol.model_copy(update={"seed": 2})
    assert forged.sha256 != protocol.sha256
    with pytest.raises(DataError, match="the holes of '6-10 px' are not those of small"):
        plan_of_objects(forged)


def test_photos_keep_their_size_up_to_the_longest_and_small_ones_are_told(
    evaluation: Evaluation,
) -> None:
    evaluation.run(Shard())
    rows = read_rows(evaluation.folder / "rows")
    errors = {row.error for row in rows if row.error}
    assert errors == {"3.png: 90×30 pixels are too few; take photos of at least 60×40"}
    assert len([row for row in rows if not row.error]) == 3 * 2 * 2


def test_pictures_are_filled_as_users_do_it_and_measured_round_the_hole(
    evaluation: Evaluation, photos: Path
) -> None:
    evaluation.run(Shard())
    rows = read_rows(evaluation.folder / "rows")
    (row,) = (r for r in rows if (r.photo, r.set, r.model) == ("0.png", "10-18 px", "auto"))
    truth = np.asarray(open_picture(photos / "0.png"))
    hole = _small().draw(1, "0.png", truth.shape[:2])
    filled = regionwise.fill(truth, hole, "auto")
    seen = view_of_hole(hole)
    pair = (one[seen].transpose(2, 0, 1) / 255 for one in (truth, filled))
    assert row.metrics["psnr"] == pytest.approx(psnr(*pair), rel=1e-5)
    assert {"naturalness", "seam", "sharpness_error", "ssim_hole"} <= row.metrics.keys()
    place = evaluation.folder / "samples" / "000" / "10-18 px"
    answer = np.asarray(open_picture(place / "model auto.png"))
    cut = view_of_hole(hole, least=64)
    np.testing.assert_array_equal(answer, filled[cut])
    np.testing.assert_array_equal(np.asarray(open_picture(place / "hole.png")), hole[cut])


def test_which_way_was_taken_is_told(evaluation: Evaluation, photos: Path, tmp_path: Path) -> None:
    evaluation.run(Shard())
    write_summary(evaluation, read_rows(evaluation.folder / "rows"), "command")
    table = (evaluation.folder / "table.md").read_text()
    told = "(fill): in windows, feathered; auto with the photo's own detail."
    assert table.startswith(f"Filled as users do it {told}")
    record = json.loads((evaluation.folder / "evaluation.json").read_text())["record"]
    assert record["filled"] == way_of(evaluation)
    alone = EvaluationSettings(("auto", "telea"), (photos,), tmp_path / "o", protocol="card")
    assert "alone (network)" in way_of(alone.evaluation())
    assert "; auto with texture, without the photo's own detail" in way_of(alone.evaluation())
    soft = EvaluationSettings(("smooth", "telea"), (photos,), tmp_path / "p", protocol="card")
    assert "texture" not in way_of(soft.evaluation())
    both = EvaluationSettings(
        ("auto",), (photos,), tmp_path / "q", protocol="card", through="fill"
    ).evaluation()
    assert "(fill)" in way_of(both)
    assert both.models["auto"].traits.detail == "judged"
    plain = replace(both, options=FillOptions(large="window"))
    assert way_of(plain).endswith("feathered, `--large window`.")
    assert way_of(replace(both, options=FillOptions(raw=True))).startswith(
        "Measured: the models' raw"
    )


def test_crops_come_on_pages(evaluation: Evaluation) -> None:
    evaluation.run(Shard())
    for _ in range(2):  # pages of a call before go
        write_summary(evaluation, read_rows(evaluation.folder / "rows"), "command")
    pages = sorted((evaluation.folder / "sheets").iterdir())
    assert [page.name for page in pages] == ["page-01.jpg"]
    assert not (evaluation.folder / "contact_sheet.png").exists()


@pytest.mark.parametrize("count", [1, 4, 9])
def test_pages_show_every_pixel_at_its_size_and_stay_small(count: int) -> None:
    rng = np.random.default_rng(0)

    def picture(height: int, width: int) -> Image.Image:
        return Image.fromarray(rng.integers(0, 255, (height, width, 3), dtype=np.uint8))

    sizes = [(300, 200), (633, 480), (900, 700), (150, 161), (1900, 90)] * 2
    samples = [
        Sample(
            f"photo {number}",
            *(picture(*size) for _ in range(3)),
            {f"model {k}": picture(*size) for k in range(count)},
        )
        for number, size in enumerate(sizes)
    ]
    pages = list(crop_pages(samples))
    assert all(max(page.size) <= SIDE for page in pages)
    assert len(pages) > 1
    whole = np.asarray(samples[3].answers[f"model {count - 1}"])
    corner = whole[:2, :2]
    found = 0
    for page in map(np.asarray, pages):
        places = np.argwhere((page[:-1, :-1] == corner[0, 0]).all(axis=2))
        found += sum(
            np.array_equal(page[y : y + whole.shape[0], x : x + whole.shape[1]], whole)
            for y, x in places
        )
    assert found == 1


def test_the_command_takes_a_protocol_of_objects(tmp_path: Path, capsys) -> None:
    photo = tmp_path / "p.png"
    Image.fromarray(data.coffee()[:330, :520]).save(photo)
    out = tmp_path / "out"
    command = ["evaluate", "-m", "telea", "-p", str(photo), "--protocol", "object-removal"]
    assert main([*command, "-o", str(out), "--metrics", "psnr,seam"]) == 0
    assert "Filled as users do it" in capsys.readouterr().out
    text = (out / "table.md").read_text()
    assert "140-250 px" in text
    assert "SSIM" not in text
    assert main([*command, "-o", str(tmp_path / "o"), "--through", "x"]) == 2
    assert "--through: 'x' is neither fill nor network" in capsys.readouterr().err
    # The same folder, filled another way, is another evaluation.
    again = [*command, "-o", str(out), "--metrics", "psnr,seam", "--through", "network"]
    assert main(again) == 2
    assert "holds another evaluation (other through)" in capsys.readouterr().err
