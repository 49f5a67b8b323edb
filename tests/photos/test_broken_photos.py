"""Whatever is wrong with a photo gives one line."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support.photo_files import (
    QUICK,
    exif_of,
    file_of,
    noise,
    one_line,
    saved,
)

from regionwise.errors import OutputError, PhotoError
from regionwise.photos.reading import read_photo
from regionwise.photos.writing import encode_photo


class TestErrors:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "PNG16", "TIFF16"])
    @pytest.mark.parametrize("part", [0.3, 0.7, 0.97])
    def test_truncated_file(self, kind: str, part: float, tmp_path: Path) -> None:
        if kind.endswith("16"):
            data = file_of(kind[:-2], "RGB16", noise("RGB16", 40, 40), 1)
        else:
            data = saved(Image.fromarray(noise("RGB", 40, 40)), kind)
        path = tmp_path / "photo.bin"
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(PhotoError) as error:
            read_photo(path)
        assert str(path) in one_line(error)

    @settings(QUICK, max_examples=150)
    @pytest.mark.filterwarnings("ignore")
    @given(st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "BMP"]), st.integers(0, 2**32))
    def test_broken_bytes_never_crash(self, kind: str, seed: int) -> None:
        generator = np.random.default_rng(seed)
        options = {} if kind == "BMP" else {"exif": exif_of(6)}
        data = bytearray(saved(Image.fromarray(noise("RGB", 16, 16)), kind, **options))
        for _ in range(8):
            data[generator.integers(4, min(len(data), 400))] = generator.integers(256)
        with contextlib.suppress(PhotoError, OutputError):
            photo = read_photo(bytes(data), max_pixels=1_000_000)
            encode_photo(photo.with_fill(photo.color, np.ones(photo.color.shape[:2], bool)))

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "empty"),
            (b"hello, I am text\n", "not a picture"),
            (b"GIF89a" + bytes(20), "GIF"),
            (b"\0\0\0\x18ftypheic" + bytes(20), "HEIC"),
            (b"\0\0\0\x18ftypavif" + bytes(20), "AVIF"),
        ],
    )
    def test_other_files_named_jpg(self, data: bytes, says: str, tmp_path: Path) -> None:
        path = tmp_path / "photo.jpg"
        path.write_bytes(data)
        with pytest.raises(PhotoError, match=says) as error:
            read_photo(path)
        assert str(path) in one_line(error)

    def test_missing_file_and_folder(self, tmp_path: Path) -> None:
        with pytest.raises(PhotoError, match="does not exist"):
            read_photo(tmp_path / "none.png")
        with pytest.raises(PhotoError, match="folder"):
            read_photo(str(tmp_path))

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
    @pytest.mark.filterwarnings("error")
    def test_decompression_bomb_is_refused_by_its_header(self, kind: str) -> None:
        data = saved(Image.new("RGB", (400, 300)), kind)
        with pytest.raises(PhotoError, match="400×300 pixels, more than the limit of 100,000"):
            read_photo(data, max_pixels=100_000)

    @pytest.mark.filterwarnings("error")
    def test_pillows_own_limit_neither_warns_nor_stops(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
        for kind in ("JPEG", "PNG", "TIFF", "BMP"):
            assert read_photo(saved(Image.new("RGB", (40, 30)), kind)).width == 40

    @pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
    def test_several_frames(self, kind: str) -> None:
        frames = [Image.fromarray(noise("RGB", 9, 9, seed)) for seed in range(3)]
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        with pytest.raises(PhotoError, match=r"animated|3 pages") as error:
            read_photo(data)
        one_line(error)

    def test_colours_of_one_bit(self) -> None:
        import tifffile

        buffer = io.BytesIO()
        bits = np.zeros((9, 9, 3), bool)
        tifffile.imwrite(buffer, bits, photometric="rgb", planarconfig="contig")
        with pytest.raises(PhotoError, match="1 bit"):
            read_photo(buffer.getvalue())

    def test_floats_and_long_integers(self) -> None:
        import tifffile

        for dtype in (np.float32, np.uint32, np.int16):
            buffer = io.BytesIO()
            tifffile.imwrite(buffer, np.zeros((9, 9), dtype), photometric="minisblack")
            with pytest.raises(PhotoError, match="8 or 16 bits"):
                read_photo(buffer.getvalue())
        with pytest.raises(PhotoError, match="mode F"):
            read_photo(Image.new("F", (3, 3)))
        with pytest.raises(PhotoError, match="floats outside"):
            read_photo(np.full((3, 3), 7.0))
        with pytest.raises(PhotoError, match="int64"):
            read_photo(np.zeros((3, 3), np.int64))
        with pytest.raises(PhotoError, match="shape"):
            read_photo(np.zeros((3, 3, 5), np.uint8))
        with pytest.raises(PhotoError, match="no pixels"):
            read_photo(np.zeros((0, 3), np.uint8))


class TestWhatIsNoPhoto:
    @pytest.mark.parametrize("given", [None, 5, [[1, 2]], {}, object()])
    def test_another_type_is_named(self, given: object) -> None:
        with pytest.raises(PhotoError, match=f"type {type(given).__name__} is not a picture"):
            read_photo(given)  # type: ignore[arg-type]

    def test_a_file_that_is_open_as_text(self) -> None:
        with pytest.raises(PhotoError, match="open as text"):
            read_photo(io.StringIO("text"))  # type: ignore[arg-type]

    def test_raw_files_of_cameras(self) -> None:
        import tifffile

        preview, dng = io.BytesIO(), io.BytesIO()
        pixels = np.zeros((8, 8, 3), np.uint8)
        tifffile.imwrite(preview, pixels, photometric="rgb", subfiletype=1)  # NEF, ARW
        tifffile.imwrite(dng, pixels, photometric="rgb", extratags=[(50706, 1, 4, b"\1\4\0\0")])
        canon = b"II*\0\x10\0\0\0CR\2\0" + bytes(100)
        new_canon = b"\0\0\0\x18ftypcrx \0\0\0\1"
        for data in (preview.getvalue(), dng.getvalue(), canon, new_canon):
            with pytest.raises(PhotoError, match="camera's raw file"):
                read_photo(data)
