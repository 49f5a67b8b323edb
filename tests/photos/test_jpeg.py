"""JPEG: tables, subsampling and what lies away from the hole stay."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, JpegImagePlugin
from tests.support.jpeg_kinds import kinds, odd_kind
from tests.support.photo_files import (
    QUICK,
    exif_of,
    filled_with,
    saved,
    smooth,
)
from tests.support.pictures import open_picture
from tests.support.slow_jpeg import coefficients

import regionwise
from regionwise.cli import main
from regionwise.photos.jpeg_splice.structure import parse
from regionwise.photos.reading import read_photo
from regionwise.photos.writing import encode_photo


class TestJpeg:
    @QUICK
    @given(
        st.integers(1, 70),
        st.integers(1, 70),
        st.integers(0, 2),
        st.integers(10, 97),
        st.integers(1, 8),
        st.booleans(),
    )
    def test_tables_subsampling_size_and_exif_stay(
        self, height: int, width: int, sampling: int, quality: int, turn: int, progressive: bool
    ) -> None:
        data = saved(
            Image.fromarray(smooth(height, width)),
            "JPEG",
            quality=quality,
            subsampling=sampling,
            exif=exif_of(turn),
            progressive=progressive,
        )
        again = encode_photo(filled_with(data))
        old, new = (JpegImagePlugin.JpegImageFile(io.BytesIO(each)) for each in (data, again))
        assert new.quantization == old.quantization
        assert new.layer == old.layer
        assert new.size == old.size
        assert new.info == old.info
        new.load()

    @pytest.mark.parametrize("sampling", [0, 1, 2])
    @pytest.mark.parametrize("quality", [60, 75, 90])
    @pytest.mark.parametrize("turn", [1, 6, 7])
    def test_blocks_away_from_the_hole_hardly_change(
        self, sampling: int, quality: int, turn: int
    ) -> None:
        data = saved(
            Image.fromarray(smooth(192, 256)),
            "JPEG",
            quality=quality,
            subsampling=sampling,
            exif=exif_of(turn),
        )
        photo = read_photo(data)
        fill = np.zeros((20, 24, 3), np.uint8)
        filled = photo.with_fills([(64, 80, fill, np.ones((20, 24), bool))])
        again = read_photo(encode_photo(filled)).color.astype(int)
        assert again[66:82, 82:102].mean() < 20  # it is filled, at the right place
        moved = np.abs(again - photo.color)
        moved[64 - 24 : 84 + 24, 80 - 24 : 104 + 24] = 0
        assert moved.max() <= 3
        assert (moved > 0).any(axis=2).mean() < 0.02

    def test_decoding_again_and_again_changes_nothing_more(self) -> None:
        data = saved(Image.fromarray(smooth(64, 64)), "JPEG", quality=80)
        first = encode_photo(filled_with(data, 90))
        second = encode_photo(filled_with(first, 90))
        far = np.s_[24:, 24:]
        assert np.array_equal(read_photo(first).color[far], read_photo(second).color[far])

    @pytest.mark.parametrize("sampling", [0, 1, 2])
    @pytest.mark.parametrize("size", [(1, 1), (1, 40), (37, 2), (33, 65)])
    def test_reads_what_pillow_reads(self, sampling: int, size: tuple[int, int]) -> None:
        data = saved(Image.fromarray(smooth(*size)), "JPEG", subsampling=sampling)
        assert np.array_equal(read_photo(data).color, np.asarray(open_picture(io.BytesIO(data))))

    @pytest.mark.parametrize("mode", ["L", "CMYK"])
    def test_grey_and_cmyk_stay(self, mode: str) -> None:
        image = Image.fromarray(smooth(64, 64)).convert(mode)
        data = saved(image, "JPEG", quality=80)
        filled = filled_with(data, 30, side=16)
        again = open_picture(io.BytesIO(encode_photo(filled)))
        assert again.mode == mode
        assert again.quantization == open_picture(io.BytesIO(data)).quantization
        before = np.asarray(open_picture(io.BytesIO(data))).astype(int)
        assert np.abs(np.asarray(again) - before)[16:, 16:].max() <= 2
        assert np.abs(np.asarray(again.convert("RGB"))[2:14, 2:14].astype(int) - 30).max() <= 6

    def test_inks_of_a_fill_give_its_color(self) -> None:
        photo = read_photo(saved(Image.fromarray(smooth(16, 16)).convert("CMYK"), "TIFF"))
        filled = photo.with_fill(np.full_like(photo.color, 128), np.ones((16, 16), bool))
        assert np.abs(filled.color.astype(int) - 128).max() <= 1

    def test_rgb_jpeg_without_ycbcr_stays_rgb(self) -> None:
        data = saved(Image.fromarray(smooth(64, 64)), "JPEG", keep_rgb=True, quality=85)
        again = encode_photo(filled_with(data))
        before, after = (np.asarray(open_picture(io.BytesIO(each))) for each in (data, again))
        assert np.abs(before.astype(int) - after)[16:, 16:].max() <= 2

    def test_pictures_of_the_past_are_dropped(self) -> None:
        small = saved(Image.fromarray(smooth(20, 20)), "JPEG")
        exif = b"Exif\0\0" + exif_with_thumbnail(small)
        stripped_xmp = b"<x><xmp:Thumbnails>AAAA</xmp:Thumbnails>b</x>"
        data = saved(Image.fromarray(smooth(64, 64)), "JPEG", exif=exif, xmp=stripped_xmp)
        resources = b"8BIM" + struct.pack(">HHI", 1036, 0, 4) + b"tiny"
        resources += b"8BIM" + struct.pack(">HHI", 1028, 0, 4) + b"iptc"
        extra = b""
        for marker, payload in (
            (0xE2, b"MPF\0" + bytes(20)),
            (0xED, b"Photoshop 3.0\0" + resources),
            (0xEB, b"JP" + bytes(20)),
        ):
            extra += bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload
        data = data[:2] + extra + data[2:] + small  # a second picture behind the first
        again = encode_photo(filled_with(data))
        image = open_picture(io.BytesIO(again))
        assert image.format == "JPEG"
        assert image.info["photoshop"] == {1028: b"iptc"}
        assert image.info["xmp"] == b"<x>b</x>"
        assert image.getexif()[0x010F] == "a maker"
        assert small[-60:-20] in data
        assert small[-60:-20] not in again
        assert b"MPF\0" not in again
        assert again.count(b"\xff\xd8\xff") == 1
        assert again.endswith(b"\xff\xd9")


def exif_with_thumbnail(thumbnail: bytes) -> bytes:
    """A TIFF structure whose second directory holds a JPEG."""
    first = struct.pack("<HHHI4sI", 1, 0x010F, 2, 8, struct.pack("<I", 26), 34)
    text = b"a maker\0"
    second = struct.pack("<HHHIIHHIII", 2, 513, 4, 1, 64, 514, 4, 1, len(thumbnail), 0)
    return b"II*\0\x08\0\0\0" + first + text + second + thumbnail


FILES = kinds(61, 83)


@pytest.mark.parametrize("door", ["python", "command"])
@pytest.mark.parametrize("name", FILES)
def test_blocks_without_a_hole_pixel_keep_their_coefficients(
    name: str, door: str, tmp_path: Path
) -> None:
    data = FILES[name]
    if door == "python":
        filled = regionwise.fill(data, box=(20, 17, 24, 15), model="membrane")
    else:
        (tmp_path / "a.jpg").write_bytes(data)
        arguments = ["fill", str(tmp_path / "a.jpg"), "--box", "20,17,24,15"]
        assert main([*arguments, "--model", "membrane", "-q"]) == 0
        filled = (tmp_path / "a_filled.jpg").read_bytes()
    assert 0.9 < len(filled) / len(data) < 1.15
    frame = parse(data).frame
    for component, old, new in zip(
        frame.components, coefficients(data), coefficients(filled), strict=True
    ):
        down, across = component.scale
        rows = slice(17 // (8 * down), -(-32 // (8 * down)))
        columns = slice(20 // (8 * across), -(-44 // (8 * across)))
        changed = (old != new).any(axis=2)
        changed[rows, columns] = False
        assert not changed.any()


def test_a_file_that_cannot_be_spliced_is_encoded_as_a_whole_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, output = tmp_path / "a.jpg", tmp_path / "b.jpg"
    photo.write_bytes(odd_kind("arithmetic", 16, 16))
    job = ["fill", str(photo), "--box", "2,2,4,4", "--model", "membrane", "-o", str(output)]
    assert main(job) == 0
    assert "can't be spliced: its kind is arithmetic-coded" in capsys.readouterr().err
    assert open_picture(output).size == (16, 16)
