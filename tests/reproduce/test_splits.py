"""Which photos are trained and tested on: rules as data, lists that other commands read."""

import hashlib

import pytest
from PIL import Image

from regionwise.cli import main
from regionwise.data.photo_sources import find_photos
from regionwise.errors import DataError, RecipeError
from regionwise.reproduce.splits import Archive, check_archive, drawn, read_split, split_names


def write_photos(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(folder / name)


def test_all_shipped_splits_are_read():
    assert split_names() == [
        "ade20k", "celeba", "celeba-hq", "ffhq", "oxford-buildings", "paris-streetview", "places2"
    ]  # fmt: skip
    for name in split_names():
        split = read_split(name)
        assert split.lists
        assert all(len(archive.md5) == 32 for archive in split.archives)


def test_a_draw_is_by_names_alone():
    """More photos, other folders and another order change nothing but what has to change."""
    names = [f"{k:05d}.jpg" for k in range(1000)]
    ours = drawn(names, 50)
    assert len(set(ours)) == 50
    assert ours == drawn(names[::-1], 50)
    assert [f"deep/{name}" for name in ours] == drawn([f"deep/{name}" for name in names], 50)
    assert set(drawn(names, 20)) < set(ours)
    others = [f"x{name}" for name in names]
    assert set(drawn(names + others, 200)) & set(names) <= set(drawn(names, 200))


def test_celeba_hq_is_parted(tmp_path, capsys):
    photos = tmp_path / "photos"
    write_photos(photos, *(f"{k:05d}.png" for k in range(3007)))
    out = tmp_path / "lists"
    assert main(["split", "celeba-hq", str(photos), "-o", str(out)]) == 1
    said = capsys.readouterr().out
    assert "3,000 photos\n" in said
    assert "7 photos, where the paper has 27,000" in said
    train, test = (
        {photo.file.resolve() for photo in find_photos([out / f"celeba-hq-{part}.txt"])}
        for part in ("train", "test")
    )
    assert len(test) == 3000
    assert train.isdisjoint(test)
    assert all(file.is_file() for file in train | test)
    assert main(["split", "celeba-hq", str(photos), "-o", str(out)]) == 2  # not over lists
    assert "exists" in capsys.readouterr().err


def test_celeba_by_its_own_partition(tmp_path):
    write_photos(tmp_path, *(f"img_align_celeba/{k:06d}.jpg" for k in range(1, 7)), "other/1.jpg")
    lines = [f"{k:06d}.jpg {value}" for k, value in enumerate("001220", start=1)]
    (tmp_path / "list_eval_partition.txt").write_text("\n".join(lines))
    split = read_split("celeba")
    small = split.model_copy(
        update={"lists": {k: v for k, v in split.lists.items() if v.partition is not None}}
    )
    made = {key: [name[-5:-4] for name in names] for key, names in small.photos(tmp_path).items()}
    assert made == {"train": ["1", "2", "6"], "validation": ["3"], "test": ["4", "5"]}
    (tmp_path / "list_eval_partition.txt").unlink()
    with pytest.raises(DataError, match="the dataset's partition can't be read"):
        small.photos(tmp_path)


def test_folders_and_later_lists(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(
        "title: Mine\nhome: here\nlists:\n  train: {under: ['*train*']}\n"
        "  test: {under: ['eval']}\n  few: {from: test, draw: 2}\n"
        "  rest: {except: train, first: 3}\n"
    )
    folder = tmp_path / "photos"
    names = ["my_train/a/1.jpg", "my_train/2.jpg", *(f"eval/{k}.jpg" for k in range(5)), "3.jpg"]
    write_photos(folder, *names)
    made = read_split(str(file)).photos(folder)
    assert made["train"] == ["my_train/2.jpg", "my_train/a/1.jpg"]
    assert made["test"] == [f"eval/{k}.jpg" for k in range(5)]
    assert set(made["few"]) < set(made["test"])
    assert made["rest"] == ["3.jpg", "eval/0.jpg", "eval/1.jpg"]


def test_archives_are_held_against_their_checksums(tmp_path, capsys):
    file = tmp_path / "val_large.tar"
    file.write_bytes(b"abc")
    digest = hashlib.md5(b"abc").hexdigest()
    assert (
        check_archive(file, [Archive(name=file.name, md5=digest)]) == f"{file.name}: as published"
    )
    assert check_archive(file, []) == f"{file.name}: no checksum was published"
    assert main(["split", "places2", "--archive", str(file)]) == 2
    assert f"not as it was published (its MD5 is {digest})" in capsys.readouterr().err


def test_what_is_told(tmp_path, capsys):
    assert main(["split"]) == 0
    assert "celeba-hq" in capsys.readouterr().out
    assert main(["split", "ffhq"]) == 2
    assert "give the folder of its photos; they are at https://github.com/NVlabs" in (
        capsys.readouterr().err
    )
    write_photos(tmp_path, "1.png")
    assert main(["split", "ffhq", str(tmp_path)]) == 2
    assert "train needs 60000 photos, and there are 1" in capsys.readouterr().err
    with pytest.raises(RecipeError, match="no split is called fhq; did you mean ffhq"):
        read_split("fhq")
