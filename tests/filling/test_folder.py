from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.pictures import open_picture

from regionwise.engines.classical_engine import MembraneEngine
from regionwise.engines.engine import NO_TRAITS
from regionwise.errors import MaskError, ModelError, OutputError, PhotoError
from regionwise.filling.folder import fill_folder
from regionwise.filling.folder_jobs import Jobs, find_jobs
from regionwise.filling.mask_folder import MaskFolder
from regionwise.filling.options import FillOptions


def save_photo(file: Path, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    pixels = np.random.default_rng(len(file.name)).integers(0, 256, (*size, 3), np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return pixels


def save_mask(file: Path, size: tuple[int, int] = (24, 32)) -> None:
    mask = np.zeros(size, np.uint8)
    mask[8:16, 8:16] = 255
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(file)


def run(jobs: Jobs, options: FillOptions | None = None, **how: bool) -> dict[str, str]:
    outcomes = fill_folder(jobs, MembraneEngine(), options or FillOptions(), **how)
    return {one.key: one.status for one in outcomes}


def test_photos_and_masks_are_paired_by_name_and_sub_folder(tmp_path: Path) -> None:
    photos, masks, output = tmp_path / "photos", tmp_path / "masks", tmp_path / "out"
    for name in ("a.jpg", "b.PNG", "sub/a.webp", "sub/deep/c.tif", "d.bmp", "e.jpeg"):
        save_photo(photos / name)
    for name in ("a_mask.png", "b.png", "sub/a.png", "sub/deep/c.bmp", "d.webp", "e.png"):
        save_mask(masks / name)
    save_photo(photos / ".hidden.png")
    save_photo(photos / ".cache/x.png")
    (photos / "notes.txt").write_text("no photo")
    jobs = find_jobs(photos, masks, output)
    names = ["a.jpg", "b.PNG", "d.bmp", "e.jpeg", "sub/a.webp", "sub/deep/c.tif"]
    assert [job.key for job in jobs] == names
    assert run(jobs) == dict.fromkeys(names, "filled")
    assert sorted(p.relative_to(output).as_posix() for p in output.rglob("*.*")) == names


def test_the_marked_mask_counts_before_the_plain_one_and_png_before_jpeg(tmp_path: Path) -> None:
    for name in ("a.png", "a_mask.jpg", "a_mask.png", "b.jpg", "b.tif"):
        save_mask(tmp_path / name)
    folder = MaskFolder(tmp_path)
    assert folder.find(Path("a.jpg")).name == "a_mask.png"
    assert folder.find(Path("b.jpg")).name == "b.tif"
    with pytest.raises(MaskError, match=r"c_mask\.png or c\.png"):
        folder.find(Path("c.jpg"))


def test_masks_may_lie_beside_their_photos(tmp_path: Path) -> None:
    save_photo(tmp_path / "a.jpg")
    save_mask(tmp_path / "a_mask.png")
    save_photo(tmp_path / "b.jpg")
    jobs = find_jobs(tmp_path, tmp_path, tmp_path / "out")
    assert run(jobs) == {"a.jpg": "filled", "b.jpg": "failed"}


def test_masks_and_results_inside_the_folder_of_photos_are_no_photos(tmp_path: Path) -> None:
    save_photo(tmp_path / "a.jpg")
    save_mask(tmp_path / "masks" / "a.png")
    output = tmp_path / "done"
    for _ in range(2):
        jobs = find_jobs(tmp_path, tmp_path / "masks", output)
        assert [job.key for job in jobs] == ["a.jpg"]
        run(jobs)
    one_mask = tmp_path / "one.png"
    save_mask(one_mask)
    jobs = find_jobs(tmp_path, one_mask, output)
    assert "one.png" not in {job.key for job in jobs}


def test_one_mask_serves_all_photos_of_its_size(tmp_path: Path) -> None:
    photos, mask = tmp_path / "photos", tmp_path / "mask.png"
    save_photo(photos / "a.png")
    save_photo(photos / "b.png", (30, 30))
    save_mask(mask)
    assert run(find_jobs(photos, mask, tmp_path / "out")) == {"a.png": "filled", "b.png": "failed"}


def test_the_run_goes_on_after_failures_and_tells_each(tmp_path: Path) -> None:
    photos, masks, output = tmp_path / "photos", tmp_path / "masks", tmp_path / "out"
    good = save_photo(photos / "good.png")
    whole = photos / "truncated.png"
    save_photo(whole)
    whole.write_bytes(whole.read_bytes()[:60])
    (photos / "text.jpg").write_text("I am a text")
    save_photo(photos / "large.png", (50, 50))
    save_photo(photos / "lonely.png")
    for name in ("good", "truncated", "text", "large"):
        save_mask(masks / f"{name}.png")
    outcomes = list(fill_folder(find_jobs(photos, masks, output), MembraneEngine(), FillOptions()))
    errors = {Path(one.key).stem: one.error for one in outcomes}
    assert errors.pop("good") == ""
    assert all(error and "\n" not in error for error in errors.values())
    assert "no mask" in errors["lonely"]
    assert "50×50" in errors["large"]
    assert [file.name for file in output.rglob("*")] == ["good.png"]
    filled = np.asarray(open_picture(output / "good.png"))
    assert np.array_equal(filled[:8], good[:8])
    assert not np.array_equal(filled[8:16, 8:16], good[8:16, 8:16])


def test_a_second_run_skips_what_is_there_unless_told_otherwise(tmp_path: Path) -> None:
    photos, output = tmp_path / "photos", tmp_path / "out"
    save_photo(photos / "a.png")
    save_photo(photos / "b.png")
    options = FillOptions(box=(2, 2, 5, 5))
    jobs = find_jobs(photos, None, output)
    outcomes: Iterator = fill_folder(jobs, MembraneEngine(), options)
    next(outcomes)  # and then it is stopped
    assert run(jobs, options) == {"a.png": "skipped", "b.png": "filled"}
    assert run(jobs, options, overwrite=True) == {"a.png": "filled", "b.png": "filled"}


def test_warnings_are_part_of_the_outcome(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    save_photo(photos / "a.png")
    jobs = find_jobs(photos, None, tmp_path / "out")
    (outcome,) = fill_folder(jobs, MembraneEngine(), FillOptions(box=(0, 1, 99, 99)))
    assert outcome.status == "filled"
    assert 0.9 < outcome.hole_ratio < 1
    assert "the mask covers 9" in outcome.warnings[0]


def test_a_model_that_does_not_run_ends_the_run_at_once(tmp_path: Path) -> None:
    class Broken:
        traits = NO_TRAITS

        def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
            raise ModelError("it does not run")

    save_photo(tmp_path / "photos" / "a.png")
    jobs = find_jobs(tmp_path / "photos", None, tmp_path / "out")
    with pytest.raises(ModelError):
        next(fill_folder(jobs, Broken(), FillOptions(box=(0, 0, 5, 5))))


def test_a_photo_without_enough_memory_is_a_failure_like_others(tmp_path: Path) -> None:
    class Greedy(MembraneEngine):
        def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
            if images.shape[-1] > 32:
                raise MemoryError
            return super().fill(images, masks)

    save_photo(tmp_path / "photos" / "a.png", (40, 40))
    save_photo(tmp_path / "photos" / "b.png")
    jobs = find_jobs(tmp_path / "photos", None, tmp_path / "out")
    options = FillOptions(box=(0, 0, 5, 5))
    statuses = [one.status for one in fill_folder(jobs, Greedy(), options)]
    assert statuses == ["failed", "filled"]


def test_what_can_not_start_is_one_line(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with pytest.raises(PhotoError, match="holds no photo"):
        find_jobs(photos, None, tmp_path / "out")
    save_photo(photos / "a.png")
    with pytest.raises(MaskError, match="no mask or folder"):
        find_jobs(photos, tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(OutputError, match="the photos themselves"):
        find_jobs(photos, None, photos)


def test_a_link_to_itself_fails_alone(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    save_photo(photos / "a.png")
    (photos / "loop.png").symlink_to("loop.png")
    jobs = find_jobs(photos, None, tmp_path / "out")
    assert run(jobs, FillOptions(box=(2, 2, 4, 4))) == {"a.png": "filled", "loop.png": "failed"}
