"""A Ray cluster fills a folder as one process does, whatever it loses on the way."""

from __future__ import annotations

import json
import os
import signal
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from regionwise.cli import main
from regionwise.cluster.ray_map import RayCluster, UnusableWorkerError, map_on_ray, parse_cluster
from regionwise.errors import ModelError, RegionwiseError
from regionwise.filling.folder_jobs import find_jobs
from regionwise.filling.on_ray import fill_folder_on_ray
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome_files import read_outcomes

BOX = FillOptions(box=(3, 3, 9, 9), model="membrane")


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """Two actors on this machine, for all tests of this file: Ray takes long to begin."""
    ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "regionwise[ray]"')
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield RayCluster(workers=2)
    ray.shutdown()


def save_photos(folder: Path, count: int) -> None:
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 24, 3), np.uint8)
        file = folder / str(number % 3) / f"{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.png")
    }


@pytest.mark.filterwarnings("default")
class TestCluster:
    def test_it_fills_as_one_process_does(self, cluster: RayCluster, tmp_path: Path) -> None:
        save_photos(tmp_path / "photos", 40)
        (tmp_path / "photos" / "broken.jpg").write_text("no photo")
        masks = tmp_path / "masks"
        for number in range(39):
            mask = np.zeros((24, 24), np.uint8)
            mask[number % 12 : 20, 5:9] = 255
            file = masks / str(number % 3) / f"{number:03}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(file)
        arguments = [str(tmp_path / "photos"), str(masks), "--model", "membrane"]
        outcomes = tmp_path / "o.jsonl"
        for name, more in (
            ("alone", []),
            ("on_ray", ["--on", "ray", "--outcomes", str(outcomes)]),
        ):
            assert main(["fill", *arguments, *more, "-o", str(tmp_path / name)]) == 1
        assert len(files_of(tmp_path / "on_ray")) == 39
        assert files_of(tmp_path / "on_ray") == files_of(tmp_path / "alone")
        rows = {row["key"]: row["status"] for row in read_outcomes(outcomes)}
        assert len(rows) == 41
        assert {key for key, status in rows.items() if status == "failed"} == {
            "broken.jpg", "0/039.png",
        }  # fmt: skip
        # A second run finds all in the rows, and tries what failed.
        (tmp_path / "on_ray" / "1" / "001.png").unlink()
        again = [*arguments, "--on", "ray", "--outcomes", str(outcomes)]
        assert main(["fill", *again, "-o", str(tmp_path / "on_ray")]) == 1
        assert not (tmp_path / "on_ray" / "1" / "001.png").exists()
        assert len(list(read_outcomes(outcomes))) == 43

    def test_tars_hold_each_photo_once(self, cluster: RayCluster, tmp_path: Path) -> None:
        save_photos(tmp_path / "photos", 23)
        output = tmp_path / "out"
        output.mkdir()
        jobs = find_jobs(tmp_path / "photos", None, output)
        first = list(fill_folder_on_ray(jobs, BOX, cluster, per_tar=5))
        assert len(first) == 23
        tars = sorted(output.glob("*.tar"))
        assert len(tars) == 5
        tars[0].unlink()  # as if it had been killed before this one was whole
        again = list(fill_folder_on_ray(jobs, BOX, cluster, per_tar=4))
        assert {row.key for row in again} == {row.key for row in first}
        names = []
        for tar in output.glob("*.tar"):
            with tarfile.open(tar) as archive:
                names += archive.getnames()
                lines = tar.with_suffix(".jsonl").read_text().splitlines()
                rows = [json.loads(line) for line in lines]
                assert [row["key"] for row in rows] == archive.getnames()
        assert sorted(names) == sorted(row.key for row in first)

    def test_a_model_that_does_not_run_ends_the_run_at_once(
        self, cluster: RayCluster, tmp_path: Path
    ) -> None:
        save_photos(tmp_path / "photos", 1)
        jobs = find_jobs(tmp_path / "photos", None, tmp_path)
        with pytest.raises(ModelError, match="no model nothing"):
            next(fill_folder_on_ray(jobs, FillOptions(model="nothing"), cluster))

    def test_a_folder_that_workers_do_not_see_is_one_line(
        self, cluster: RayCluster, tmp_path: Path
    ) -> None:
        save_photos(tmp_path / "photos", 1)
        jobs = find_jobs(tmp_path / "photos", None, tmp_path / "not_made")
        with pytest.raises(UnusableWorkerError, match="a disk that all share"):
            list(fill_folder_on_ray(jobs, BOX, cluster))

    def test_an_evaluation_is_that_of_one_process(
        self, cluster: RayCluster, tmp_path: Path
    ) -> None:
        save_photos(tmp_path / "photos", 5)
        arguments = ["evaluate", "--models", "membrane", "--photos", str(tmp_path / "photos")]
        arguments += ["--protocol", "card"]
        tables = []
        for name, more in (("alone", []), ("on_ray", ["--on", "ray"])):
            assert main([*arguments, *more, "-o", str(tmp_path / name)]) == 0
            tables.append((tmp_path / name / "table.csv").read_text())
        assert tables[0] == tables[1]
        record = json.loads((tmp_path / "on_ray" / "evaluation.json").read_text())["record"]
        assert len(record["processes"]) >= 1

    def test_a_piece_that_ends_its_actor_costs_no_other(self, cluster: RayCluster) -> None:
        def open_deadly(deadly: int) -> Callable[[int], int]:
            def work(number: int) -> int:
                if number == deadly:
                    os.kill(os.getpid(), signal.SIGKILL)
                return 2 * number

            return work

        answers = dict(map_on_ray(range(12), open_deadly, 7, cluster))
        assert answers == {number: 2 * number for number in range(12) if number != 7}


@pytest.mark.parametrize("text", ["", "dask", "ray:", "raya"])
def test_other_engines_are_one_line(text: str) -> None:
    with pytest.raises(RegionwiseError, match="give ray, or ray:ADDRESS"):
        parse_cluster(text)


def test_options_of_a_cluster_go_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_photos(tmp_path / "photos", 1)
    for option in (["--per-tar", "3"], ["--gpus", "0.5"]):
        assert main(["fill", str(tmp_path / "photos"), "--box", "1,1,2,2", *option]) == 2
        assert "add --on ray" in capsys.readouterr().err
