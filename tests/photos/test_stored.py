"""Photos at addresses, in tars, and the index of tars: the same photos as in a folder."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.photo_files import noise, saved

from regionwise.data.photo_sources import find_photos
from regionwise.errors import DataError, PhotoError
from regionwise.holes import StoredMasks
from regionwise.photos.photo_index import PhotoIndex
from regionwise.photos.photo_source import PhotoSource
from regionwise.photos.shard_index import write_shard_index
from regionwise.photos.stored_files import address_of, is_address, place_of, read_part

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store() -> Iterator[Any]:
    """A store in this process's memory, as memory://bucket."""
    found = fsspec.filesystem("memory")
    yield found
    if found.exists("/bucket"):
        found.rm("/bucket", recursive=True)


def picture(number: int) -> bytes:
    return saved(Image.fromarray(noise("RGB", 9, 9, number)), "PNG")


def tar_of(names: list[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number, name in enumerate(names):
            data = picture(number)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class TestAddresses:
    def test_a_stored_folder_holds_the_photos_of_a_folder(self, store: Any, tmp_path: Path) -> None:
        files = {"b.png": picture(1), "a/z.png": picture(2), "a.b/c.jpg": b"x", "notes.txt": b"x"}
        files |= {"shards/s-0.tar": tar_of(["k.png", "l.txt", "m.jpg"])}
        for name, data in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(data)
            store.pipe(f"/bucket/set/{name}", data)
        here = find_photos([tmp_path])
        # As a path, too: command lines have paths, which make one slash of two.
        for address in ("memory://bucket/set", Path("memory://bucket/set/")):
            there = find_photos([address])
            assert [one.name for one in there] == [one.name for one in here]
            assert [one.read() for one in there] == [one.read() for one in here]
        assert [one.name for one in here] == ["a/z.png", "a.b/c.jpg", "b.png", "k.png", "m.jpg"]

    def test_a_folder_of_this_computer_by_its_address(self, tmp_path: Path) -> None:
        """file:///…, of which `Path` makes file:/…"""
        (tmp_path / "a b.png").write_bytes(picture(1))
        for address in (tmp_path.as_uri(), Path(tmp_path.as_uri())):
            assert address_of(address) == tmp_path.as_uri()
            (found,) = find_photos([address])
            assert (found.name, found.read()) == ("a b.png", picture(1))

    def test_a_part_is_loaded_and_no_more(self, store: Any) -> None:
        store.pipe("/bucket/x.bin", bytes(range(100)))
        assert read_part("memory://bucket/x.bin", 10, 5) == bytes(range(10, 15))
        assert read_part("memory://bucket/x.bin", 90) == bytes(range(90, 100))
        assert read_part("memory://bucket/x.bin") == bytes(range(100))

    def test_lists_and_single_files(self, store: Any) -> None:
        store.pipe("/bucket/a.png", picture(0))
        store.pipe("/bucket/sub/b.png", picture(1))
        store.pipe("/bucket/list.txt", b"# two\na.png\nsub/b.png\n")
        found = find_photos(["memory://bucket/list.txt"])
        assert [one.read() for one in found] == [picture(0), picture(1)]
        assert find_photos(["memory://bucket/sub/b.png"])[0].read() == picture(1)

    def test_masks(self, store: Any) -> None:
        mask = np.zeros((9, 9), np.uint8)
        mask[2:5, 3:8] = 255
        store.pipe("/bucket/masks/m.png", saved(Image.fromarray(mask), "PNG"))
        masks = StoredMasks([place_of("memory://bucket/masks")], augment=False)
        assert np.array_equal(masks.read(0), mask > 0)

    def test_what_is_not_there_is_one_line(self, store: Any) -> None:
        with pytest.raises(DataError, match="no such folder"):
            find_photos(["memory://bucket/nowhere"])
        with pytest.raises(PhotoError, match="does not exist"):
            PhotoSource("memory://bucket/nothing.png", "nothing.png").read()
        with pytest.raises(PhotoError, match="can't be read"):
            find_photos(["nonsense://bucket/a.png"])

    def test_a_file_of_such_a_name_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "memory:").mkdir()
        (tmp_path / "memory:" / "a").write_text("x")
        assert not is_address("memory:/a")
        assert is_address("memory:/b")


class _Ranges(SimpleHTTPRequestHandler):
    """Gives parts of files where it is asked for them, as stores do."""

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        file = Path(self.translate_path(self.path))
        if not wanted or not file.is_file():
            super().do_GET()
            return
        data = file.read_bytes()
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        end = min(int(last or len(data) - 1), len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{end}/{len(data)}")
        self.send_header("Content-Length", str(end + 1 - int(first)))
        self.end_headers()
        self.wfile.write(data[int(first) : end + 1])

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


class TestWeb:
    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[str]:
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Ranges, directory=tmp_path)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()

    def test_a_shard_is_read_by_its_parts(self, site: str, tmp_path: Path) -> None:
        pytest.importorskip("aiohttp")
        (tmp_path / "s.tar").write_bytes(tar_of(["a.png", "b.png"]))
        found = find_photos([f"{site}/s.tar"])
        assert [one.read() for one in found] == [picture(0), picture(1)]

    def test_a_server_that_gives_no_parts_is_told(self, site: str, tmp_path: Path) -> None:
        pytest.importorskip("aiohttp")
        (tmp_path / "s.tar").write_bytes(tar_of(["a.png"]))
        with pytest.raises(PhotoError, match="gives no parts of files"):
            PhotoSource(f"{site}/s.tar", "a.png", 512, 1 << 20).read()


class TestIndex:
    def test_it_is_a_sequence_of_photos(self) -> None:
        photos = [
            ("a.tar", "é.png", 512, 9),
            ("b.tar", "x/y.jpg", 1024, 0),
            ("dir", "z.png", 0, -1),
        ]
        index = PhotoIndex.of(photos)
        wanted = [
            PhotoSource("a.tar", "é.png", 512, 9),
            PhotoSource("b.tar", "x/y.jpg", 1024, 0),
            PhotoSource(Path("dir/z.png"), "z.png"),
        ]
        assert list(index) == wanted
        assert index[-1] == wanted[-1]
        assert list(index[::2]) == wanted[::2]
        assert list(index[1:][:1]) == wanted[1:2]
        assert list(index.where(lambda name: "/" in name)) == wanted[1:2]
        assert list(index.take(np.array([2, 0]))) == [wanted[2], wanted[0]]
        assert not index[:0]
        with pytest.raises(IndexError):
            index[3]

    def test_names_that_are_no_text_survive(self, tmp_path: Path) -> None:
        name = b"\xff.png".decode("utf-8", "surrogateescape")
        (tmp_path / name).write_bytes(picture(0))
        assert find_photos([tmp_path])[0].read() == picture(0)

    @pytest.mark.parametrize("stored", [False, True])
    def test_tars_are_not_opened_that_the_index_knows(
        self, store: Any, tmp_path: Path, stored: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("pyarrow")
        home: Any = "memory://bucket/shards" if stored else tmp_path

        def write(name: str, data: bytes) -> None:
            if stored:
                store.pipe(f"/bucket/shards/{name}", data)
            else:
                (tmp_path / name).write_bytes(data)

        write("a.tar", tar_of(["1.png", "2.png"]))
        write("b.tar", tar_of(["3.png"]))
        before = list(find_photos([home]))
        assert write_shard_index(home) == (2, 3)
        write("b.tar", tar_of(["3.png", "4.png", "5.png"]))
        opened = []
        from regionwise.photos import shard_index

        real = shard_index.pictures_in_tar
        monkeypatch.setattr(
            shard_index, "pictures_in_tar", lambda tar: opened.append(str(tar)) or real(tar)
        )
        found = list(find_photos([home]))
        assert [one.name for one in found] == [f"{number}.png" for number in range(1, 6)]
        assert found[:3] == before
        assert [one.rpartition("/")[2] for one in opened] == ["b.tar"]
        assert write_shard_index(home) == (2, 5)
