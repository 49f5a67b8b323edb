"""The stream of training pictures: the same everywhere, whole, and with nothing broken in it."""

import io
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from regionwise.data.batches import HolePhotos, stream_batches, usable_cores
from regionwise.data.photo_sources import find_photos
from regionwise.errors import DataError
from regionwise.recipe.schema import DataSection, HolesSection

DATA = DataSection(size=32)
HOLES = HolesSection(mixture={"irregular": 1}, ratio=(0.1, 0.4))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten photos, each of one grey of its own."""
    folder = tmp_path_factory.mktemp("grey")
    for number in range(10):
        Image.new("RGB", (50, 40), (25 * number,) * 3).save(folder / f"{number}.png")
    return folder


def greys(batches):
    return [[round(float(x.mean()) * 255) // 25 for x in batch.image] for batch in batches]


def batches(folder, steps=range(5), batch=4, seed=3, holes=HOLES, **options):
    photos = HolePhotos(find_photos([folder]), DATA, holes, seed)
    return list(stream_batches(photos, batch, steps, **options))


def test_an_epoch_is_once_through_all_photos_in_an_order_of_its_own(folder):
    drawn = [grey for batch in greys(batches(folder)) for grey in batch]
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))
    assert drawn[:10] != drawn[10:]
    assert greys(batches(folder, seed=4)) != greys(batches(folder))


def test_the_stream_does_not_depend_on_workers_or_where_it_begins(folder):
    alone, shared = batches(folder), batches(folder, workers=2)
    later = batches(folder, steps=range(2, 5))
    for one, other in [*zip(alone, shared, strict=True), *zip(alone[2:], later, strict=True)]:
        assert torch.equal(one.image, other.image)
        assert torch.equal(one.mask, other.mask)


@pytest.mark.parametrize("batch", [4, 5])
def test_processes_share_each_batch_and_miss_nothing(folder, batch):
    whole = batches(folder, batch=batch)
    shares = [batches(folder, batch=batch, process=k, processes=3) for k in range(3)]
    for step, together in enumerate(whole):
        parts = [share[step].mask for share in shares]
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        found = {tuple(mask.flatten().tolist()) for part in parts for mask in part}
        assert found == {tuple(mask.flatten().tolist()) for mask in together.mask}
    with pytest.raises(DataError, match="a batch of 2 photos can't be shared by 3 processes"):
        batches(folder, batch=2, process=0, processes=3)


def test_a_photo_with_a_hole_of_each_kind(folder):
    holes = HolesSection(mixture={"rectangle": 1, "free-form": 3, "contiguous": 1}, draw="each")
    (batch,) = batches(folder, steps=range(1), batch=2, holes=holes)
    assert batch.image.shape == (6, 3, 32, 32)
    assert batch.mask.shape == (6, 1, 32, 32)
    assert torch.equal(batch.image[0], batch.image[2])
    assert len({tuple(mask.flatten().tolist()) for mask in batch.mask[:3]}) == 3


def test_holes_from_files(folder, tmp_path):
    mask = np.zeros((64, 64), np.uint8)
    mask[:, :16] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    holes = HolesSection(mixture={"stored": 1}, masks=(str(tmp_path),), augment=False)
    (batch,) = batches(folder, steps=range(1), holes=holes)
    assert batch.mask[:, :, :, :8].eq(1).all()
    assert batch.mask[:, :, :, 8:].eq(0).all()
    missing = HolesSection(mixture={"stored": 1}, masks=(str(tmp_path / "no"),))
    with pytest.raises(DataError, match="no such folder"):
        batches(folder, holes=missing)


def test_shards_and_folders_give_the_same_stream(folder, tmp_path):
    with tarfile.open(tmp_path / "photos.tar", "w") as shard:
        for file in sorted(folder.iterdir()):
            shard.add(file, file.name)
    for one, other in zip(batches(folder), batches(tmp_path), strict=True):
        assert torch.equal(one.image, other.image)


def whole_and_broken():
    stream = io.BytesIO()
    Image.new("RGB", (50, 40), "white").save(stream, "PNG")
    content = stream.getvalue()
    return content, {"cut.png": content[:60], "empty.jpg": b"", "text.webp": b"no picture"}


@pytest.mark.parametrize("workers", [0, 2])
def test_broken_photos_are_passed_over_and_named(tmp_path, workers):
    content, broken = whole_and_broken()
    for name, wrong in {"a.png": content, **broken}.items():
        (tmp_path / name).write_bytes(wrong)
    found = batches(tmp_path, steps=range(2), workers=workers)
    assert all(batch.image.min() == 1 for batch in found)
    named = {name for batch in found for name in batch.broken}
    assert named == set(broken)


@pytest.mark.parametrize("workers", [0, 1])
def test_nothing_but_broken_photos(tmp_path, workers):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"^not one of 1 photos can be read; a\.jpg.*$") as caught:
        batches(tmp_path, workers=workers)
    assert "\n" not in str(caught.value)


def test_no_photos(tmp_path):
    with pytest.raises(DataError, match="no photos in"):
        find_photos([tmp_path])
    with pytest.raises(DataError, match="nowhere"):
        find_photos([tmp_path / "nowhere"])


def test_no_more_processes_read_than_there_are_cores(folder, monkeypatch):
    alone = batches(folder)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0}, raising=False)
    assert usable_cores() == 1
    shared = batches(folder, workers=3)  # PyTorch warns of too many, and warnings are errors
    assert greys(alone) == greys(shared)


def test_a_process_ends_though_the_error_of_its_stream_is_kept(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    code = (
        "import sys; from pathlib import Path\n"
        "from regionwise.errors import DataError\n"
        "from tests.data.test_batches import DATA, HOLES, HolePhotos, find_photos, stream_batches\n"
        "photos = HolePhotos(find_photos([Path(sys.argv[1])]), DATA, HOLES, 3)\n"
        "kept = []\n"
        "try: list(stream_batches(photos, 4, range(50), workers=1))\n"
        "except DataError as error: kept.append(error)\n"
        "print(len(kept))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_a_process_ends_though_its_stream_is_not_read_to_the_end(folder):
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.data.test_batches import DATA, HOLES, HolePhotos, find_photos, stream_batches\n"
        "photos = HolePhotos(find_photos([Path(sys.argv[1])]), DATA, HOLES, 3)\n"
        "kept = stream_batches(photos, 4, range(50), workers=1)\n"
        "print(len(next(kept).image))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "4\n", "")


@pytest.mark.parametrize(("guide", "channels"), [("edges", 1), ("structure", 3)])
def test_a_guide_is_of_the_whole_picture(tmp_path, guide, channels):
    """What the hole holds is in it: a teacher may look there."""
    pixels = np.random.default_rng(0).integers(0, 60, (48, 48, 3), np.uint8)
    pixels[:, 24:] += 150
    Image.fromarray(pixels).save(tmp_path / "a.png")
    data = DataSection(size=48, framing="squash", flip=False, guide=guide)
    holes = HolesSection(mixture={"rectangle": 1, "irregular": 1}, draw="each")
    (batch,) = stream_batches(HolePhotos(find_photos([tmp_path]), data, holes, 0), 1, range(1))
    assert batch.guide.shape == (2, channels, 48, 48)
    assert torch.equal(batch.guide[0], batch.guide[1])
    if guide == "structure":  # texture goes, the step stays
        left, right = batch.guide[0, :, 10:38, 5:20], batch.guide[0, :, 10:38, 28:43]
        assert right.mean() - left.mean() > 0.5
        assert left.std() < 0.5 * batch.image[0, :, 10:38, 5:20].std()
    else:
        assert batch.guide.unique().tolist() == [0, 1]
