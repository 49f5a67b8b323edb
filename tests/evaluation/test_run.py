import hashlib
import json
import tarfile

import numpy as np
import pytest
from PIL import Image
from tests.support.tiny_networks import write_blur, write_constant

import regionwise.evaluation.settings as settings_module
from regionwise.cli import main
from regionwise.data.photo_sources import find_photos, is_held_out
from regionwise.engines.engine import NO_TRAITS
from regionwise.engines.wrapping import wrapped
from regionwise.engines.zoo import load_model
from regionwise.errors import DataError, ModelError, OutputError, RegionwiseError
from regionwise.evaluation.manifest import Manifest, MaskSet
from regionwise.evaluation.metrics.pixels import psnr
from regionwise.evaluation.rows import Row, append_row, read_rows
from regionwise.evaluation.run import Evaluation, fill_and_compose, read_truth
from regionwise.evaluation.settings import EvaluationSettings, claim_folder
from regionwise.evaluation.summary import errors_of, tables_of, write_summary
from regionwise.evaluation.workers import run_in_workers
from regionwise.filling.shard import Shard
from regionwise.photos.photo_source import PhotoSource
from regionwise.weights import bundled


class Constant:
    """Answers one value everywhere; counts how often it was asked."""

    traits = NO_TRAITS

    def __init__(self, value):
        self.value = value
        self.calls = 0

    def fill(self, images, masks):
        self.calls += 1
        assert images.dtype == masks.dtype == np.float32
        assert (images[np.broadcast_to(masks > 0, images.shape)] == 0).all()  # no truth leaks
        return np.full_like(images, self.value)


def a_manifest():
    def one(name, ratio, seed):
        return MaskSet(
            name=name, mixture={"irregular": 1}, ratio=ratio, count=3, seed=seed, size=(32, 32)
        )

    sets = (one("20-30%", (0.2, 0.3), 1), one("30-40%", (0.3, 0.4), 2))
    return Manifest(name="test", title="Test", all=("20-30%", "30-40%"), sets=sets).sealed()


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        grey = rng.integers(40, 200, (8, 10, 3), dtype=np.uint8)
        Image.fromarray(grey).resize((50, 40)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def protocol(tmp_path):
    file = tmp_path / "protocol.json"
    file.write_text(a_manifest().to_json())
    return str(file)


@pytest.fixture
def evaluation(photos, protocol, tmp_path):
    return with_models(photos, protocol, tmp_path / "out", grey=Constant(0.5), dark=Constant(0.1))


def with_models(photos, protocol, folder, **models):
    settings = EvaluationSettings(models=(), photos=(photos,), folder=folder, protocol=protocol)
    plain = settings.evaluation()
    return Evaluation(models, plain.photos, plain.plan, folder, samples=2)


def results(evaluation):
    rows = read_rows(evaluation.folder / "rows")
    return [(row.key, row.mask, row.metrics, row.error) for row in rows]


def test_each_photo_gets_a_hole_of_each_set_and_is_measured(evaluation):
    evaluation.run(Shard())
    rows = read_rows(evaluation.folder / "rows")
    assert len(rows) == evaluation.total == 5 * 2 * 2
    row = next(r for r in rows if r.photo.endswith("4.png") and r.model == "grey")
    assert row.mask == "1"  # three masks for five photos: they begin anew
    manifest = a_manifest()
    mask = next(one for one in manifest.sets if one.name == row.set).draw(1)
    truth = read_truth(evaluation.photos[4], (32, 32)) / 255
    answer = np.where(mask, 128 / 255, truth)  # 0.5 in 8 bits
    assert row.metrics["psnr"] == pytest.approx(psnr(truth, answer), rel=1e-5)
    assert row.metrics["psnr_hole"] == pytest.approx(psnr(truth, answer, mask), rel=1e-5)


def test_a_run_goes_on_where_it_stopped(evaluation):
    evaluation.run(Shard())
    whole = results(evaluation)
    file = evaluation.folder / "rows" / "1-of-1.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:7]) + lines[7][:40])  # the crash tore line 8
    before = evaluation.models["grey"].calls
    told = []
    evaluation.run(Shard(), told.append)
    assert results(evaluation) == whole
    assert evaluation.models["grey"].calls - before == 6  # 7 of 20 were done, 4 of them grey's
    assert sum(told) == evaluation.total


def test_shards_agree_with_one(evaluation, photos, protocol, tmp_path):
    evaluation.run(Shard())
    split = with_models(photos, protocol, tmp_path / "split", **evaluation.models)
    for number in (3, 1, 2):
        split.run(Shard(number, 3))
    assert results(split) == results(evaluation)
    assert len(list((tmp_path / "split" / "rows").iterdir())) == 3
    for name in ("table.md", "table.csv", "table.tex"):
        write_summary(evaluation, read_rows(evaluation.folder / "rows"), "command")
        write_summary(split, read_rows(split.folder / "rows"), "command")
        assert (split.folder / name).read_text() == (evaluation.folder / name).read_text()


def test_workers_agree_with_one(photos, protocol, tmp_path):
    def made(name):
        return EvaluationSettings(
            models=("membrane",), photos=(photos,), folder=tmp_path / name, protocol=protocol
        )

    told = []
    run_in_workers(made("two"), 2, told.append)
    made("one").evaluation().run(Shard())
    assert sum(told) == 10
    assert results(made("two").evaluation()) == results(made("one").evaluation())


def test_what_fails_is_told_and_the_rest_evaluated(photos, protocol, tmp_path):
    class Faulty(Constant):
        def fill(self, images, masks):
            answer = super().fill(images, masks)
            if self.calls == 3:
                answer[:] = np.nan
            if self.calls == 4:
                raise ModelError("out of memory")
            return answer if self.calls != 5 else answer[:, :, :-1]

    (photos / "2.png").write_bytes(b"\x89PNG torn")
    listing = tmp_path / "list.txt"
    listing.write_text(
        "# ours\nphotos/0.png\nphotos/1.png\nphotos/2.png\nphotos/gone.png\nphotos/3.png"
    )
    evaluation = with_models(
        listing, protocol, tmp_path / "out", faulty=Faulty(0.5), good=Constant(0.5)
    )
    evaluation.run(Shard())
    rows = read_rows(evaluation.folder / "rows")
    tables, errors = write_summary(evaluation, rows, "command")
    text = "\n".join(errors)
    assert len(errors) == 5
    assert "photos/gone.png: there is no such photo" in text
    assert "photos/2.png: not a readable photo" in text
    assert "faulty: photos/1.png, 20-30%: the model answered NaN or infinity" in text
    assert "faulty: photos/1.png, 30-40%: out of memory" in text
    assert "faulty: photos/3.png, 20-30%: the model answered (1, 3, 31, 32)" in text
    # Compared on the same pictures only: photo 0 in the first row, photos 0 and 3 in the second.
    counts = {row.name: [one.count for one in row.values] for row in tables[0].rows}
    assert counts == {"20-30%": [1, 1], "30-40%": [2, 2], "All": [3, 3]}
    assert tables[0].rows[2].differences[1].value == 0
    assert "What failed (5)" in (evaluation.folder / "report.html").read_text()


def test_known_pixels_are_kept_and_the_answer_is_of_8_bits():
    truth = np.random.default_rng(0).integers(0, 256, (3, 6, 7), dtype=np.uint8)
    mask = np.zeros((6, 7), bool)
    mask[2:4, 1:5] = True
    filled, seconds = fill_and_compose(Constant(1.7), truth, mask)
    assert (filled[:, ~mask] == truth[:, ~mask]).all()
    assert (filled[:, mask] == 255).all()
    assert seconds >= 0


def test_nan_outside_the_hole_does_no_harm():
    class Odd(Constant):
        def fill(self, images, masks):
            return np.where(masks > 0, np.float32(0.5), np.float32(np.nan)) + 0 * images

    mask = np.zeros((4, 4), bool)
    mask[1, 1] = True
    filled, _ = fill_and_compose(Odd(0), np.zeros((3, 4, 4), np.uint8), mask)
    assert filled.sum() == 3 * 128


def test_a_photo_is_cropped_in_the_middle_and_turned_upright(tmp_path):
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 20:60] = 200
    picture = Image.fromarray(pixels)
    picture.save(tmp_path / "a.png")
    exif = picture.getexif()
    exif[274] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    assert (read_truth(PhotoSource(tmp_path / "a.png", "a"), (40, 40)) == 200).all()
    turned = read_truth(PhotoSource(tmp_path / "turned.jpg", "t"), (80, 40))
    assert (turned[:, 25:55] > 190).all()
    assert (turned[:, :15] < 10).all()


def test_a_folder_of_another_evaluation_is_refused(evaluation, photos, protocol, tmp_path):
    claim_folder(evaluation)
    claim_folder(evaluation)
    other = with_models(photos, protocol, evaluation.folder, grey=Constant(0.5))
    with pytest.raises(OutputError, match=r"another evaluation \(other models\)"):
        claim_folder(other)
    (photos / "5.png").write_bytes((photos / "1.png").read_bytes())
    more = with_models(photos, protocol, evaluation.folder, **evaluation.models)
    with pytest.raises(OutputError, match="other photos"):
        claim_folder(more)
    (evaluation.folder / "inputs.json").write_text("{")
    with pytest.raises(OutputError, match="broken"):
        claim_folder(more)


def test_masks_of_a_folder_go_into_bins_and_an_empty_one_is_told(photos, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    for number, share in enumerate((0.05, 0.15, 0.16, 0.55, 0.9)):
        picture = np.zeros((100, 100), bool)
        picture[: round(100 * share)] = True
        Image.fromarray(picture).save(masks / f"{number}.png")
    settings = EvaluationSettings((), (photos,), tmp_path / "o", masks=masks, size=(32, 32))
    plan = settings.plan()
    assert [one.name for one in plan.sets] == ["0-10%", "10-20%", "50-60%"]
    assert len(plan.notes) == 3
    assert "no mask in" in plan.notes[0]
    assert "20-30%" in plan.notes[0]
    names = [
        plan.sets[1].hole(number, PhotoSource(photos, "x"), (32, 32))[0][-5:] for number in range(3)
    ]
    assert names == ["1.png", "2.png", "1.png"]


def test_photos_without_their_mask_are_told(photos, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    for name in ("0", "1", "3"):
        Image.fromarray(np.eye(40, 50, dtype=bool)).save(masks / f"{name}.png")
    settings = EvaluationSettings(
        (), (photos,), tmp_path / "out", masks=masks, pairs=True, size=(32, 32)
    )
    plain = settings.evaluation()
    evaluation = Evaluation({"grey": Constant(0.5)}, plain.photos, plain.plan, plain.folder)
    evaluation.run(Shard())
    rows = read_rows(evaluation.folder / "rows")
    errors = errors_of(rows)
    assert len(errors) == 2
    assert errors[0].endswith("2.png: no mask of the name 2; add 2.png")
    (row,) = tables_of(evaluation, rows)[0].rows
    assert row.values[0].count == 3


def test_photos_are_found_in_shards_and_told_apart(photos, tmp_path):
    with tarfile.open(tmp_path / "shard.tar", "w") as shard:
        for file in sorted(photos.iterdir()):
            shard.add(file, file.name)
    found = find_photos([tmp_path / "shard.tar"])
    assert [photo.name for photo in found] == [f"{number}.png" for number in range(5)]
    assert found[3].read() == (photos / "3.png").read_bytes()
    both = (tmp_path / "shard.tar", tmp_path / "shard.tar")
    with pytest.raises(DataError, match=r"two photos have the name 0\.png"):
        EvaluationSettings((), both, tmp_path / "o", protocol="rn-table-1").evaluation()


def test_the_twentieth_held_out_is_chosen_by_name(tmp_path):
    photos = [PhotoSource(tmp_path, f"{number}.jpg") for number in range(4000)]
    held_out = [photo.name for photo in photos if is_held_out(photo)]
    assert 150 < len(held_out) < 250
    assert held_out[:2] == ["29.jpg", "33.jpg"]


def test_a_torn_line_is_closed_before_the_next(tmp_path):
    file = tmp_path / "rows" / "x.jsonl"
    append_row(file, Row("a", "s", "0", "m", {"psnr": 1.0}))
    with file.open("ab") as stream:
        stream.write(b'{"photo": "b", "se')
    append_row(file, Row("c", "s", "0", "m"))
    assert [row.photo for row in read_rows(file.parent)] == ["a", "c"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ("membrane", "membrane")}, "named twice"),
        ({"models": ("nothing",)}, "there is no model"),
        ({"protocol": ""}, "either --protocol or --masks"),
        ({"protocol": "rn-table-9"}, "no such protocol"),
        ({"masks": "nowhere", "protocol": ""}, "no such folder or tar of masks"),
        ({"photos": ("nowhere",)}, "no such folder, shard"),
    ],
)
def test_bad_settings_are_told_in_one_line(photos, protocol, tmp_path, changes, message):
    given = {"models": ("membrane",), "photos": (photos,), "protocol": protocol} | changes
    given["photos"] = tuple(tmp_path / one for one in given["photos"])
    if given.get("masks"):
        given["masks"] = tmp_path / given["masks"]
    with pytest.raises(RegionwiseError, match=message) as caught:
        EvaluationSettings(folder=tmp_path / "out", **given).evaluation()
    assert "\n" not in str(caught.value)


def test_the_command_writes_everything(photos, protocol, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["evaluate", "-m", "membrane", "-p", str(photos), "--protocol", protocol]
    assert main([*arguments, "-o", str(out), "--shard", "1/2"]) == 0
    assert "6 of 10 pictures are done" in capsys.readouterr().out
    assert main([*arguments, "-o", str(out), "--shard", "2/2"]) == 0
    made = {file.name for file in out.iterdir()}
    assert made >= {
        "table.md", "table.csv", "table.tex", "evaluation.json", "contact_sheet.png", "report.html"
    }  # fmt: skip
    record = json.loads((out / "evaluation.json").read_text())["record"]
    assert record["photos"] == 5
    assert record["pictures"] == 10
    assert len(record["protocol sha256"]) == 64
    assert record["processes"]["2-of-2"]["peak_memory_mb"] > 10
    page = (out / "report.html").read_text()
    assert "http" not in page.replace("https://", "http://") or "src='http" not in page
    assert page.count("type='range'") == 8
    (photos / "0.png").unlink()
    (photos / "0.png").write_bytes(b"broken")
    assert main([*arguments, "-o", str(tmp_path / "again")]) == 1
    assert "0.png: not a readable photo" in capsys.readouterr().err


@pytest.mark.parametrize("shard", ["0/2", "3/2", "x", "1/0", "1"])
def test_a_wrong_shard_is_refused(photos, protocol, tmp_path, shard, capsys):
    arguments = ["evaluate", "-m", "membrane", "-p", str(photos), "--protocol", protocol]
    assert main([*arguments, "-o", str(tmp_path / "o"), "--shard", shard]) == 2
    assert "is not I/N" in capsys.readouterr().err


@pytest.mark.parametrize("name", [card.name for card in bundled.bundled_cards()])
def test_bundled_weights_are_named_with_their_checksum(name):
    digest = hashlib.sha256((bundled.FOLDER / f"{name}.onnx").read_bytes()).hexdigest()
    assert settings_module.weights_checksum(wrapped(load_model(name))) == digest


def test_a_model_of_a_file_is_named_with_its_checksum(tmp_path):
    file = write_blur(tmp_path / "model.onnx")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert settings_module.weights_checksum(load_model(file)) == digest
    assert settings_module.weights_checksum(load_model("membrane")) == ""


def test_an_evaluation_whose_weights_changed_is_not_gone_on_with(
    photos, protocol, tmp_path, capsys
):
    file = write_blur(tmp_path / "model.onnx")
    arguments = ["evaluate", "-m", str(file), "-p", str(photos), "--protocol", protocol]
    arguments += ["-o", str(tmp_path / "results")]
    assert main(arguments) == 0
    assert main(arguments) == 0
    write_constant(file, 0.5)
    assert main(arguments) == 2
    assert "other models" in capsys.readouterr().err
