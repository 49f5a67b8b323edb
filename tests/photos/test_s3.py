"""Folders, shards and evaluations on an S3 store, which moto's server plays on this machine."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.photo_files import noise, saved

from regionwise.cli import main
from regionwise.filling.outcome_files import read_outcomes

pytestmark = pytest.mark.filterwarnings("default")
fsspec = pytest.importorskip("fsspec")
pytest.importorskip("s3fs", reason='s3fs is not installed: pip install "regionwise[cloud]"')
pytest.importorskip("moto.server", reason='moto is not installed: pip install "moto[server]"')
pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket named photos, and the environment that leads there, as users set it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server,
    }.items():
        monkeypatch.setenv(name, value)
    found = fsspec.filesystem("s3", skip_instance_cache=True)
    if found.exists("photos"):
        found.rm("photos", recursive=True)
    found.mkdir("photos")
    found.invalidate_cache()
    return found


def picture(number: int) -> bytes:
    return saved(Image.fromarray(noise("RGB", 30, 40, number)), "PNG")


def mask() -> bytes:
    pixels = np.zeros((30, 40), np.uint8)
    pixels[8:15, 8:15] = 255
    return saved(Image.fromarray(pixels), "PNG")


def fill(*arguments: object) -> int:
    return main(["fill", *map(str, arguments), "--model", "membrane"])


def test_a_folder_is_filled_as_on_a_disk(store: Any, tmp_path: Path) -> None:
    for number in range(5):
        store.pipe(f"photos/in/{number % 2}/{number}.png", picture(number))
        store.pipe(f"photos/masks/{number % 2}/{number}.png", mask())
        file = tmp_path / "in" / str(number % 2) / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(number))
    (tmp_path / "mask.png").write_bytes(mask())
    assert fill(tmp_path / "in", tmp_path / "mask.png", "-o", tmp_path / "out") == 0
    address = ["s3://photos/in", "--masks", "s3://photos/masks", "-o", "s3://photos/out"]
    assert fill(*address, "--outcomes", tmp_path / "o.jsonl") == 0
    for file in (tmp_path / "out").rglob("*.png"):
        name = file.relative_to(tmp_path / "out").as_posix()
        assert store.cat(f"photos/out/{name}") == file.read_bytes()
    store.rm("photos/out/0/2.png")
    assert fill(*address, "--outcomes", tmp_path / "o.jsonl") == 0
    rows = list(read_outcomes(tmp_path / "o.jsonl"))
    assert [row["key"] for row in rows].count("0/2.png") == 2
    assert len(rows) == 6


def test_shards_are_filled_and_evaluated_by_their_parts(
    store: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for shard in range(2):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for number in range(3):
                data = picture(3 * shard + number)
                member = tarfile.TarInfo(f"{shard}_{number}.png")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        store.pipe(f"photos/shards/s-{shard}.tar", buffer.getvalue())
    assert main(["index", "s3://photos/shards"]) == 0
    assert "6 photos in 2 shards" in capsys.readouterr().out
    store.pipe("photos/mask.png", mask())
    assert fill("s3://photos/shards", "s3://photos/mask.png", "-o", tmp_path / "out") == 0
    names = sorted(file.relative_to(tmp_path / "out").as_posix() for file in
                   (tmp_path / "out").rglob("*.png"))  # fmt: skip
    assert names == [f"s-{shard}/{shard}_{number}.png" for shard in range(2) for number in range(3)]
    arguments = ["--models", "membrane", "--photos", "s3://photos/shards", "--limit", "4"]
    arguments += ["--protocol", "card", "-o", str(tmp_path / "results")]
    assert main(["evaluate", *arguments]) == 0
    record = json.loads((tmp_path / "results" / "evaluation.json").read_text())["record"]
    assert record["photo names"] == ["0_0.png", "0_1.png", "1_0.png", "1_1.png"]


def test_killed_it_goes_on(store: Any, tmp_path: Path) -> None:
    for number in range(30):
        store.pipe(f"photos/in/{number:02}.png", picture(number))
    command = [sys.executable, "-m", "regionwise", "fill", "s3://photos/in", "--model", "membrane"]
    command += [
        "--box",
        "3,3,9,9",
        "-o",
        "s3://photos/out",
        "--outcomes",
        str(tmp_path / "o.jsonl"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        store.invalidate_cache()
        if store.exists("photos/out") and len(store.ls("photos/out")) > 3:
            break
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert subprocess.run(command, check=True, capture_output=True).returncode == 0
    store.invalidate_cache()
    assert len(store.ls("photos/out")) == 30
    rows = [row["key"] for row in read_outcomes(tmp_path / "o.jsonl")]
    assert sorted(set(rows)) == [f"{number:02}.png" for number in range(30)]
