"""Several processes fill a folder as one does; killed at any point, the next run goes on."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from regionwise.cli import main
from regionwise.engines.classical_engine import MembraneEngine
from regionwise.engines.engine import NO_TRAITS, Engine
from regionwise.engines.zoo import load_model
from regionwise.errors import ModelError, RegionwiseError
from regionwise.filling.folder import remove_leftovers
from regionwise.filling.folder_jobs import find_jobs
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.filling.outcome_files import OutcomeFile, read_outcomes
from regionwise.filling.photo_bytes import fill_bytes
from regionwise.filling.shard import Shard, parse_shard
from regionwise.filling.workers import fill_folder_in_processes, threads_of

BOX = FillOptions(box=(3, 3, 9, 9))


def save_photos(folder: Path, count: int, side: int = 40) -> None:
    folder.mkdir()
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


class Deadly:
    """Ends its process at a photo of 50 pixels a side."""

    traits = NO_TRAITS

    def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        if images.shape[-1] == 50:
            os.kill(os.getpid(), signal.SIGKILL)
        return images


def broken_engine() -> Engine:
    raise ModelError("it does not run here")


class TestBytes:
    def test_a_row_says_what_came_of_it(self) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
        photo = encoded(pixels)
        options = FillOptions(box=(1, 2, 3, 4), model="membrane")
        data, row = fill_bytes(photo, None, options, key="a")
        assert (row.status, row.format, row.mask_reading, row.key) == ("filled", "PNG", "box", "a")
        assert row.hole_ratio == 12 / 1200
        assert data.startswith(b"\x89PNG")
        labels = np.zeros((30, 40), np.uint8)
        labels[5:9, 5:9] = 1
        _, row = fill_bytes(photo, encoded(labels), FillOptions(model="membrane"))
        assert (row.status, row.mask_reading, len(row.warnings)) == ("filled", "values", 1)
        same, row = fill_bytes(photo, encoded(labels * 0), FillOptions(model="membrane"))
        assert (row.status, same) == ("unchanged", photo)
        nothing, row = fill_bytes(b"text", None, options)
        assert (row.status, nothing) == ("failed", b"")
        assert "\n" not in row.error
        assert json.loads(json.dumps(row.as_row()))["status"] == "failed"

    def test_all_that_goes_to_a_worker_pickles(self) -> None:
        call = partial(
            fill_bytes, b"no photo", None, FillOptions(box=["1,2,3,4"], model="membrane")
        )
        data, row = pickle.loads(pickle.dumps(call))()
        assert pickle.loads(pickle.dumps(row)).status == "failed"
        assert data == b""
        engine = pickle.loads(pickle.dumps(load_model("small", threads=1)))
        pixels = np.zeros((30, 40, 3), np.uint8)
        _, row = fill_bytes(encoded(pixels), None, BOX, engine=engine)
        assert row.status == "filled"

    def test_it_can_be_called_from_several_threads(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        photo = encoded(np.zeros((30, 40, 3), np.uint8))
        huge = FillOptions(box=(0, 1, 40, 40), model="membrane")
        with ThreadPoolExecutor(4) as pool:
            rows = list(pool.map(lambda _: fill_bytes(photo, None, huge)[1], range(40)))
        assert {row.warnings for row in rows} == {rows[0].warnings}
        assert len(rows[0].warnings) == 1

    @pytest.mark.parametrize("threads", [0, -1, 1.5, "2"])
    def test_what_is_no_number_of_threads(self, threads: object) -> None:
        with pytest.raises(ModelError, match="whole number from 1 on"):
            load_model("small", threads=threads)  # type: ignore[arg-type]


def encoded(pixels: np.ndarray) -> bytes:
    import io

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


class TestWorkers:
    def test_they_fill_as_one_process_does(self, tmp_path: Path) -> None:
        save_photos(tmp_path / "photos", 7)
        (tmp_path / "photos" / "broken.jpg").write_text("no photo")
        for workers in ("1", "2"):
            arguments = [str(tmp_path / "photos"), "--box", "3,3,9,9", "--model", "small"]
            arguments += ["--workers", workers, "-o", str(tmp_path / workers)]
            assert main(["fill", *arguments]) == 1
        assert len(files_of(tmp_path / "1")) == 7
        assert files_of(tmp_path / "1") == files_of(tmp_path / "2")

    def test_a_photo_that_ends_its_worker_costs_no_other(self, tmp_path: Path) -> None:
        save_photos(tmp_path / "photos", 6)
        Image.new("RGB", (50, 50)).save(tmp_path / "photos" / "002.png")
        jobs = find_jobs(tmp_path / "photos", None, tmp_path / "out")
        rows = list(fill_folder_in_processes(jobs, Deadly, BOX, workers=2))
        statuses = {row.key: row.status for row in rows}
        assert len(rows) == 6
        assert statuses.pop("002.png") == "failed"
        assert set(statuses.values()) == {"filled"}
        assert len(files_of(tmp_path / "out")) == 5

    def test_a_model_that_does_not_run_ends_the_run_at_once(self, tmp_path: Path) -> None:
        save_photos(tmp_path / "photos", 1)
        jobs = find_jobs(tmp_path / "photos", None, tmp_path / "out")
        with pytest.raises(ModelError, match="does not run here"):
            list(fill_folder_in_processes(jobs, broken_engine, BOX, workers=1))

    def test_a_worker_gets_its_own_mask_and_not_the_folder_of_them(self, tmp_path: Path) -> None:
        save_photos(tmp_path / "photos", 2)
        masks = tmp_path / "masks"
        masks.mkdir()
        mask = Image.new("L", (40, 40), 255)
        mask.putpixel((0, 0), 0)
        mask.save(masks / "000.png")
        jobs = find_jobs(tmp_path / "photos", masks, tmp_path / "out")
        rows = fill_folder_in_processes(jobs, MembraneEngine, FillOptions(), workers=1)
        assert {row.key: row.status for row in rows} == {"000.png": "filled", "001.png": "failed"}

    def test_threads_are_shared(self) -> None:
        assert threads_of(1) >= threads_of(2) >= threads_of(1000) == 1

    @pytest.mark.parametrize("option", [["--workers", "2"], ["--shard", "1/2"]])
    def test_they_are_for_folders(self, option: list[str], tmp_path: Path) -> None:
        Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
        arguments = [str(tmp_path / "a.png"), "--box", "1,1,2,2", "--model", "membrane"]
        assert main(["fill", *arguments, *option]) == 2


class TestShards:
    def test_each_photo_is_of_one(self, tmp_path: Path) -> None:
        save_photos(tmp_path / "photos", 20)
        for number in (1, 2, 3):
            arguments = [str(tmp_path / "photos"), "--box", "3,3,9,9", "--model", "membrane"]
            arguments += ["--shard", f"{number}/3", "--outcomes", str(tmp_path / "o.jsonl")]
            assert main(["fill", *arguments]) == 0
        assert len(files_of(tmp_path / "photos_filled")) == 20
        parts = [list(read_outcomes(tmp_path / f"o.{number}-of-3.jsonl")) for number in (1, 2, 3)]
        assert sum(map(len, parts)) == 20
        assert {row["status"] for part in parts for row in part} == {"filled"}

    def test_a_photo_s_shard_hangs_on_its_name_alone(self, tmp_path: Path) -> None:
        save_photos(tmp_path / "x", 8)
        save_photos(tmp_path / "y", 5)
        parts = [{job.key for job in find_jobs(tmp_path / "x", None, tmp_path / "o", Shard(n, 3))}
                 for n in (1, 2, 3)]  # fmt: skip
        fewer = [{job.key for job in find_jobs(tmp_path / "y", None, tmp_path / "o", Shard(n, 3))}
                 for n in (1, 2, 3)]  # fmt: skip
        assert sum(map(len, parts)) == 8
        assert all(less <= more for less, more in zip(fewer, parts, strict=True))

    @pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/2/3", "-1/2"])
    def test_nonsense_is_one_line(self, text: str) -> None:
        with pytest.raises(RegionwiseError, match="1/8 for the first of eight"):
            parse_shard(text)


class TestOutcomes:
    def test_rows_are_added_and_torn_lines_are_none(self, tmp_path: Path) -> None:
        path = tmp_path / "o.jsonl"
        with OutcomeFile(path) as file:
            file.add(FillOutcome("filled", key="a", warnings=("é",)))
        with path.open("ab") as stream:
            stream.write(b'{"key": "b", "sta')  # and then it was killed
        with OutcomeFile(path) as file:
            file.add(FillOutcome("skipped", key="a"))
            file.add(FillOutcome("skipped", key="b"))
        rows = list(read_outcomes(path))
        assert [(row["key"], row["status"]) for row in rows] == [("a", "filled"), ("b", "skipped")]
        assert rows[0]["warnings"] == ["é"]

    def test_parquet_needs_its_package(self, tmp_path: Path) -> None:
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            with pytest.raises(RegionwiseError, match="pyarrow"):
                OutcomeFile(tmp_path / "o.parquet")
            return
        for status in ("failed", "filled"):
            with OutcomeFile(tmp_path / "o.parquet") as file:
                file.add(FillOutcome(status, key="a"))
        assert [row["status"] for row in read_outcomes(tmp_path / "o.parquet")] == ["filled"]

    def test_another_suffix_is_one_line(self, tmp_path: Path) -> None:
        with pytest.raises(RegionwiseError, match=r"ends in \.jsonl"):
            OutcomeFile(tmp_path / "o.csv")


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_at_any_point_the_next_run_completes_it(tmp_path: Path, workers: str) -> None:
    save_photos(tmp_path / "photos", 30, side=200)
    out, outcomes = tmp_path / "out", tmp_path / "o.jsonl"
    command = [sys.executable, "-m", "regionwise", "fill", str(tmp_path / "photos")]
    command += ["--box", "5,5,150,150", "--model", "membrane", "-o", str(out)]
    command += ["--workers", workers, "--outcomes", str(outcomes)]
    for wanted in (3, 9):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        ends = time.monotonic() + 60
        while len(list(out.glob("*.png"))) < wanted and time.monotonic() < ends:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        _wait_for_the_end_of_group(process.pid)
    assert subprocess.run(command, check=True, capture_output=True).returncode == 0
    names = {f"{number:03}.png" for number in range(30)}
    remove_leftovers(out, older_than=-1)
    assert {file.name for file in out.iterdir()} == names
    for file in out.iterdir():
        with Image.open(file) as image:
            image.load()
    rows = list(read_outcomes(outcomes))
    assert {row["key"] for row in rows} == names
    assert len(rows) == 30


def _wait_for_the_end_of_group(group: int) -> None:
    """Workers end with their parent."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("workers outlive their parent")
