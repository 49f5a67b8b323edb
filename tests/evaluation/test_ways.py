"""Ways of evaluating that papers differ in: masks of a folder, sizes, stages, what is measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data
from tests.filling.test_stages import Constant

import regionwise.evaluation.run as run_module
from regionwise.cli import main
from regionwise.engines.staged import at_stage
from regionwise.engines.torch_engine import TorchEngine
from regionwise.errors import DataError, RegionwiseError
from regionwise.evaluation.manifest import read_manifest
from regionwise.evaluation.plan import OwnSize, plan_of_manifest
from regionwise.evaluation.rows import read_rows
from regionwise.evaluation.run import Shard, fill_and_compose
from regionwise.evaluation.settings import EvaluationSettings, claim_folder
from regionwise.filling.options import FillOptions
from regionwise.photos.photo_source import PhotoSource

SHARES = (0.005, 0.05, 0.15, 0.16, 0.25, 0.9)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    for number, share in enumerate(SHARES):
        mask = np.zeros((200, 100), bool)
        mask[: round(200 * share)] = True
        Image.fromarray(mask).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, (height, width) in enumerate([(40, 60), (33, 57), (70, 31), (50, 50)]):
        part = data.astronaut()[number * 60 : number * 60 + height, 200 : 200 + width]
        Image.fromarray(part).save(folder / f"{number}.png")
    return folder


def settings(photos: Path, masks: Path | None, **more: object) -> EvaluationSettings:
    given = {"models": ("membrane",), "photos": (photos,), "folder": photos.parent / "out"}
    return EvaluationSettings(masks=masks, **(given | {"size": (32, 32)} | more))  # type: ignore[arg-type]


class TestMasks:
    def test_madfs_bins_leave_the_tiniest_holes_out(self, photos: Path, masks: Path) -> None:
        plain = settings(photos, masks, size=(200, 100)).plan()
        assert [one.name for one in plain.sets] == ["0-10%", "10-20%", "20-30%"]
        plan = settings(photos, masks, size=(200, 100), edges=(0.01, 0.1, 0.2, 0.3)).plan()
        assert [one.name for one in plan.sets] == ["1-10%", "10-20%", "20-30%"]
        names = {plan.sets[0].hole(n, PhotoSource(photos, "x"), (200, 100))[0] for n in range(9)}
        assert [Path(name).name for name in names] == ["1.png"]

    def test_one_mask_a_photo(self, photos: Path, masks: Path) -> None:
        """As many pictures as photos; over many photos all usable masks come equally often."""
        evaluation = settings(photos, masks, one_mask=True, size=(200, 100)).evaluation()
        assert evaluation.total == 4
        plan, photo = evaluation.plan, PhotoSource(photos, "x")
        given = []
        for number in range(50):
            (row,) = plan.sets_of(number)
            name, mask = row.hole(number, photo, (200, 100))
            low, high = (float(end) / 100 for end in row.name.rstrip("%").split("-"))
            assert low < mask.mean() <= high
            given.append(Path(name).stem)
        assert sorted(map(given.count, "01234")) == [10] * 5
        evaluation.run(Shard())
        rows = read_rows(evaluation.folder / "rows")
        assert sorted(row.photo for row in rows) == ["0.png", "1.png", "2.png", "3.png"]

    def test_black_may_be_missing(self, photos: Path, masks: Path) -> None:
        plan = settings(photos, masks, invert_masks=True, size=(200, 100), edges=(0, 0.5, 1)).plan()
        ratios = [
            plan.sets[0].hole(0, PhotoSource(photos, "x"), (200, 100))[1].mean(),
            plan.sets[1].hole(0, PhotoSource(photos, "x"), (200, 100))[1].mean(),
        ]
        assert ratios == pytest.approx([0.1, 0.995])

    def test_a_protocols_row_beside_a_folder(self, photos: Path, masks: Path) -> None:
        plan = settings(photos, masks, also=("madf-table-1:regular",)).plan()
        assert [one.name for one in plan.sets][-1] == "regular"
        assert "regular" not in plan.all
        with pytest.raises(DataError, match="has no set 'square'; there are 1-10%"):
            settings(photos, masks, also=("madf-table-1:square",)).plan()

    def test_no_mask_is_kept_in_memory(self, photos: Path, masks: Path, monkeypatch) -> None:
        plan = settings(photos, masks).plan()
        read = []
        whole = run_module.PhotoSource.read
        monkeypatch.setattr(PhotoSource, "read", lambda s: (read.append(s.name), whole(s))[1])
        plan.sets[0].hole(0, PhotoSource(photos, "x"), (32, 32))
        plan.sets[0].hole(0, PhotoSource(photos, "x"), (32, 32))
        assert len(read) == 2


class TestOriginalSize:
    def test_holes_are_drawn_at_each_photos_size_by_the_same_chance(self, tmp_path: Path) -> None:
        plan = plan_of_manifest(read_manifest("deepgin-table-2"), original=True)
        one = plan.sets[0]
        assert one.size == OwnSize()
        first = one.hole(3, PhotoSource(tmp_path, "x"), (90, 140))[1]
        assert first.shape == (90, 140)
        np.testing.assert_array_equal(first, one.hole(3, PhotoSource(tmp_path, "y"), (90, 140))[1])
        assert 0.09 <= first.mean() <= 0.49  # 30 to 70 % of each side

    def test_pictures_keep_their_sizes_and_known_pixels(self, photos: Path, tmp_path: Path) -> None:
        asked = settings(photos, None, protocol="deepgin-table-2", original=True, samples=4)
        evaluation = asked.evaluation()
        evaluation.run(Shard())
        rows = read_rows(evaluation.folder / "rows")
        assert len(rows) == 8
        assert not [row.error for row in rows if row.error]
        for number in range(4):
            truth = Image.open(photos / f"{number}.png")
            place = evaluation.folder / "samples" / f"{number:03d}" / "rectangles"
            answer = np.asarray(Image.open(place / "model membrane.png"))
            assert answer.shape == np.asarray(truth).shape
            changed = (answer != np.asarray(truth)).any(axis=2)
            assert 0 < changed.mean() < 0.5

    def test_large_and_ensemble_reach_the_fill(self, photos: Path) -> None:
        seen = []

        class Watching:
            traits = at_stage(TorchEngine(Constant(), "cpu"), -1).traits

            def fill(self, images, masks):
                seen.append(images.shape)
                return np.zeros_like(images)

        truth = np.ascontiguousarray(data.astronaut()[:600, :512].transpose(2, 0, 1))
        mask = np.zeros(truth.shape[1:], bool)
        mask[200:300, 200:300] = True
        for options, count in ((FillOptions(), 1), (FillOptions(ensemble=True), 5)):
            seen.clear()
            run_module.fill_as_users_do(Watching(), truth, mask, options)
            assert len(seen) == count
        seen.clear()
        run_module.fill_as_users_do(Watching(), truth, mask, FillOptions(large="polyphase"))
        assert max(seen[0][2:]) <= 256

    def test_detail_is_no_networks_own(self, photos: Path) -> None:
        asked = settings(photos, None, protocol="card", options=FillOptions(large="detail"))
        with pytest.raises(DataError, match="give --through fill"):
            asked.evaluation()


def test_whole_photos_may_be_squashed(tmp_path: Path) -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :20] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    photo = PhotoSource(tmp_path / "a.png", "a")
    assert run_module.read_truth(photo, (40, 40))[:, :, 4:].max() == 0  # cropped in the middle
    squashed = run_module.read_truth(photo, (40, 40), squash=True)
    assert (squashed[:, :, :8] > 190).all()
    assert (squashed[:, :, 12:] < 10).all()


class TestAnswers:
    def test_raw_measures_known_pixels_too(self) -> None:
        truth = np.random.default_rng(0).integers(0, 256, (3, 8, 9), dtype=np.uint8)
        mask = np.zeros((8, 9), bool)
        mask[2:4, 1:5] = True
        engine = TorchEngine(Constant(), "cpu")
        raw, _ = fill_and_compose(engine, truth, mask, raw=True)
        assert (raw == 204).all()
        kept, _ = fill_and_compose(at_stage(engine, 0), truth, mask)
        assert (kept[:, mask] == 51).all()
        np.testing.assert_array_equal(kept[:, ~mask], truth[:, ~mask])

    def test_a_folder_keeps_to_its_options(self, photos: Path, masks: Path) -> None:
        claim_folder(settings(photos, masks).evaluation())
        claim_folder(settings(photos, masks).evaluation())
        other = settings(photos, masks, options=FillOptions(ensemble=True)).evaluation()
        with pytest.raises(RegionwiseError, match="another evaluation"):
            claim_folder(other)


def test_the_command_takes_all_of_it(photos: Path, masks: Path, tmp_path: Path, capsys) -> None:
    command = ["evaluate", "-m", "small", "-p", str(photos), "--masks", str(masks)]
    command += ["--bins", "0.01,0.1,0.2,0.3", "--one-mask", "--also", "card:blobs"]
    command += ["--original", "--stage", "0", "--raw", "--samples", "0", "-o", str(tmp_path / "o")]
    assert main(command) == 0
    told = (tmp_path / "o" / "table.csv").read_text()
    assert "blobs" in told
    rows = read_rows(tmp_path / "o" / "rows")
    assert len(rows) == 8
    assert not any(row.error for row in rows)
    assert max(row.metrics["psnr"] for row in rows) < 60  # known pixels differ

    def with_bins(bins: str) -> list[str]:
        again = [bins if word == "0.01,0.1,0.2,0.3" else word for word in command]
        return [*again[:-1], str(tmp_path / "p")]

    assert main(with_bins("x")) == 2
    assert "--bins: 'x' is no list of numbers" in capsys.readouterr().err
    for wrong in ("0.5", "0.5,0.1", "0,2"):
        assert main(with_bins(wrong)) == 2
        assert "give rising hole ratios" in capsys.readouterr().err


def test_options_of_masks_are_refused_without_them(photos: Path) -> None:
    with pytest.raises(DataError, match="go with --masks"):
        settings(photos, None, protocol="card", one_mask=True).plan()
