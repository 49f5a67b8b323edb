"""Photos in and out: known pixels and everything a file says survive."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps, PngImagePlugin
from tests.support.photo_files import (
    LOSSLESS,
    QUICK,
    SRGB,
    XMP,
    decoded,
    exif_of,
    file_of,
    filled_with,
    noise,
    png_chunk,
    saved,
    smooth,
    turned,
)
from tests.support.pictures import open_picture

from regionwise.errors import OutputError
from regionwise.photos.likeness import photo_like
from regionwise.photos.reading import read_photo
from regionwise.photos.writing import encode_photo


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, int, int, int, int]:
    kind = draw(st.sampled_from(sorted(LOSSLESS)))
    mode = draw(st.sampled_from(LOSSLESS[kind]))
    orientation = 1 if kind == "BMP" else draw(st.integers(1, 8))
    height, width = draw(st.integers(1, 19)), draw(st.integers(1, 19))
    return kind, mode, orientation, height, width, draw(st.integers(0, 99))


class TestLossless:
    @settings(QUICK, max_examples=250)
    @given(files())
    def test_known_pixels_and_metadata_survive_a_fill(
        self, case: tuple[str, str, int, int, int, int]
    ) -> None:
        kind, mode, orientation, height, width, seed = case
        data = file_of(kind, mode, noise(mode, height, width, seed), orientation)
        generator = np.random.default_rng(seed)
        stored_hole = generator.random((height, width)) < 0.4
        stored_hole[0, 0] = True
        hole = turned(stored_hole, orientation)

        photo = read_photo(data)
        top = np.iinfo(photo.color.dtype).max
        color = generator.integers(0, top + 1, photo.color.shape).astype(photo.color.dtype)
        filled = photo.with_fill(color, hole)
        again = encode_photo(filled)

        before, after = decoded(data, mode), decoded(again, mode)
        assert after.dtype == before.dtype
        if kind == "WEBP" and after.shape[2] == 3:  # WebP has no alpha where all is opaque
            assert (before[~stored_hole][:, 3:] == 255).all()
            before = before[..., :3]
        assert np.array_equal(after[~stored_hole], before[~stored_hole])
        reread = read_photo(again)
        assert np.array_equal(reread.color, filled.color)
        assert reread.orientation == orientation
        if photo.alpha is not None and reread.alpha is not None:
            assert np.array_equal(reread.alpha[~hole], photo.alpha[~hole])
            assert (reread.alpha[hole] == top).all()
        if kind != "BMP" and (kind, mode) != ("TIFF", "LA16"):  # Pillow does not open those
            old, new = open_picture(io.BytesIO(data)), open_picture(io.BytesIO(again))
            assert new.getexif()[0x010F] == old.getexif()[0x010F]
            assert dict(new.getexif().get_ifd(0x8769)) == dict(old.getexif().get_ifd(0x8769))
            assert dict(new.getexif().get_ifd(0x8825)) == dict(old.getexif().get_ifd(0x8825))

    @pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
    def test_profile_resolution_and_xmp_are_byte_for_byte_the_same(self, kind: str) -> None:
        options: dict[str, object] = {"icc_profile": SRGB, "exif": exif_of(6)}
        image = Image.fromarray(noise("RGB", 40, 30))
        if kind == "PNG":
            text = PngImagePlugin.PngInfo()
            text.add_text("Author", "somebody")
            text.add_itxt("XML:com.adobe.xmp", XMP.decode())
            options |= {"pnginfo": text, "dpi": (72, 144)}
        elif kind == "TIFF":
            options |= {"tiffinfo": {700: XMP, 270: "a description"}, "dpi": (72, 144)}
            options.pop("exif")
        elif kind == "JPEG":
            options |= {"dpi": (72, 144), "comment": b"a comment", "xmp": XMP}
        else:
            options |= {"xmp": XMP, "lossless": True}
        data = saved(image, kind, **options)
        again = encode_photo(filled_with(data))
        old, new = open_picture(io.BytesIO(data)), open_picture(io.BytesIO(again))
        old.load(), new.load()
        assert new.info == old.info
        assert new.info["icc_profile"] == SRGB
        assert dict(new.getexif()) == dict(old.getexif()) or kind == "TIFF"
        if kind == "TIFF":
            assert {tag: new.tag_v2.get(tag) for tag in (270, 700, 282, 283, 296, 34675)} == {
                tag: old.tag_v2.get(tag) for tag in (270, 700, 282, 283, 296, 34675)
            }

    def test_png_chunks_stay_on_their_side_of_the_pixels(self) -> None:
        data = saved(Image.fromarray(noise("RGB", 9, 9)), "PNG")
        gamma = png_chunk(b"gAMA", struct.pack(">I", 45455)) + png_chunk(
            b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
        )
        late = png_chunk(b"tEXt", b"Late\0text")
        data = data[:33] + gamma + data[33:-12] + late + data[-12:]
        again = encode_photo(filled_with(data))
        assert again[33 : 33 + len(gamma)] == gamma
        assert again[-12 - len(late) : -12] == late

    @pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
    def test_tiff_keeps_its_compression(self, compression: str | None) -> None:
        data = saved(Image.fromarray(noise("RGB", 9, 9)), "TIFF", compression=compression)
        again = open_picture(io.BytesIO(encode_photo(filled_with(data))))
        assert again.info["compression"] == (compression or "raw")

    def test_big_endian_tiff_stays_so(self) -> None:
        import tifffile

        buffer = io.BytesIO()
        samples = noise("RGB16", 11, 7)
        tifffile.imwrite(buffer, samples, byteorder=">", photometric="rgb", description="a")
        again = encode_photo(filled_with(buffer.getvalue()))
        assert again[:2] == b"MM"
        assert np.array_equal(tifffile.imread(io.BytesIO(again))[1:], samples[1:])

    @pytest.mark.parametrize("lossless", [True, False])
    @pytest.mark.parametrize("mode", ["RGB", "RGBA"])
    def test_known_pixels_of_a_webp_stay_even_if_it_was_lossy(
        self, mode: str, lossless: bool
    ) -> None:
        image = Image.fromarray(noise(mode, 20, 20))
        data = saved(image, "WEBP", lossless=lossless)
        before, after = (
            np.asarray(open_picture(io.BytesIO(each)).convert("RGBA"))
            for each in (data, encode_photo(filled_with(data)))
        )
        assert not np.array_equal(after[0, 0], before[0, 0])
        assert np.array_equal(after[1:], before[1:])
        assert np.array_equal(after[0, 1:], before[0, 1:])

    @pytest.mark.parametrize("kind", ["unspecified", "assocalpha", "unassalpha"])
    def test_a_fourth_sample_of_a_tiff_stays_what_it_was(self, kind: str) -> None:
        import tifffile

        buffer = io.BytesIO()
        samples = noise("RGBA", 9, 9)
        tifffile.imwrite(buffer, samples, photometric="rgb", extrasamples=[kind])
        again = encode_photo(filled_with(buffer.getvalue()))
        with tifffile.TiffFile(io.BytesIO(again)) as file:
            assert [sample.name.lower() for sample in file.pages[0].extrasamples] == [kind]
            assert np.array_equal(file.pages[0].asarray()[1:], samples[1:])

    def test_a_photo_without_a_fill_comes_back_as_its_bytes(self) -> None:
        data = saved(Image.fromarray(noise("RGB", 8, 8)), "JPEG", quality=50)
        photo = read_photo(data)
        untouched = photo.with_fill(photo.color, np.zeros((8, 8), bool))
        assert encode_photo(untouched) == data

    def test_a_fill_within_the_palette_keeps_the_palette(self) -> None:
        image = Image.fromarray(noise("RGB", 12, 12)).quantize(16)
        photo = read_photo(saved(image, "PNG"))
        hole = np.zeros((12, 12), bool)
        hole[3:6, 3:6] = True
        again = open_picture(io.BytesIO(encode_photo(photo.with_fill(photo.color[::-1], hole))))
        assert again.mode == "P"
        assert np.array_equal(np.asarray(again.convert("RGB"))[~hole], photo.color[~hole])
        assert np.array_equal(np.asarray(again.convert("RGB"))[hole], photo.color[::-1][hole])

    def test_transparent_palette_and_color_key_become_alpha(self) -> None:
        image = Image.fromarray(noise("RGB", 12, 12)).quantize(16)
        photo = read_photo(saved(image, "PNG", transparency=3))
        assert np.array_equal(photo.alpha == 0, np.asarray(image) == 3)
        grey = noise("L", 12, 12)
        photo = read_photo(saved(Image.fromarray(grey), "PNG", transparency=int(grey[0, 0])))
        assert photo.mode == "LA"
        assert np.array_equal(photo.alpha == 0, grey == grey[0, 0])


class TestConversion:
    @pytest.mark.parametrize("target", ["PNG", "WEBP", "TIFF", "BMP", "JPEG"])
    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGB16", "L16", "CMYK"])
    def test_every_format_to_every_other(self, target: str, mode: str) -> None:
        data = file_of("TIFF", mode, noise(mode, 13, 17), 6)
        photo = read_photo(data)
        other = read_photo(encode_photo(photo.with_fill(photo.color, turned_hole()), target))
        assert (other.height, other.width) == (17, 13)
        assert other.orientation == 1 or target == "TIFF"
        if target in ("PNG", "TIFF") and mode != "CMYK":
            assert other.color.dtype == photo.color.dtype
            assert np.array_equal(other.color, photo.color)
        elif target == "BMP" and not mode.endswith("16") and mode != "CMYK":
            assert np.array_equal(other.color, photo.color)

    @pytest.mark.parametrize("target", ["PNG", "WEBP", "TIFF"])
    def test_metadata_goes_along_and_the_picture_is_upright(self, target: str) -> None:
        stored = smooth(20, 30)
        data = saved(
            Image.fromarray(stored),
            "JPEG",
            exif=exif_of(6),
            icc_profile=SRGB,
            dpi=(72, 72),
            xmp=XMP,
            subsampling=0,
        )
        image = open_picture(io.BytesIO(encode_photo(read_photo(data), target)))
        image.load()
        assert image.size == (20, 30)
        assert image.info["icc_profile"] == SRGB
        assert image.getexif()[0x010F] == "a maker"
        assert image.getexif().get_ifd(0x8769)[0x9003] == "2020:01:02 03:04:05"
        assert image.getexif().get(0x0112, 1) == 1
        assert (image.info.get("xmp") or image.tag_v2[700]) == XMP
        if target != "WEBP":
            assert round(float(image.info["dpi"][0])) == 72

    def test_transparent_pixels_are_never_dropped_silently(self) -> None:
        samples = noise("RGBA", 8, 8)
        photo = read_photo(samples)
        with pytest.raises(OutputError, match="transparent"):
            encode_photo(photo, "JPEG")
        opaque = photo.with_fill(photo.color, np.ones((8, 8), bool))
        assert open_picture(io.BytesIO(encode_photo(opaque, "JPEG"))).mode == "RGB"
        samples[..., 3] = 255
        assert open_picture(io.BytesIO(encode_photo(read_photo(samples), "JPEG"))).mode == "RGB"

    def test_sixteen_bits_are_rounded_to_eight(self) -> None:
        samples = np.array([[[0, 128, 65535], [129, 257, 65400]]], np.uint16)
        photo = read_photo(encode_photo(read_photo(samples), "BMP"))
        assert photo.color.tolist() == [[[0, 0, 255], [1, 1, 254]]]

    @pytest.mark.parametrize(("target", "side"), [("JPEG", 65501), ("WEBP", 16384)])
    def test_a_side_too_long_for_the_format_is_one_line(self, target: str, side: int) -> None:
        with pytest.raises(OutputError, match="pixels wide or high"):
            encode_photo(read_photo(np.zeros((1, side), np.uint8)), target)

    def test_grey_profile_does_not_go_into_an_rgb_file(self) -> None:
        grey = SRGB[:16] + b"GRAY" + SRGB[20:]
        data = saved(Image.fromarray(noise("L", 8, 8)), "PNG", icc_profile=grey)
        webp = open_picture(io.BytesIO(encode_photo(read_photo(data), "WEBP")))
        assert "icc_profile" not in webp.info


def turned_hole() -> np.ndarray:
    hole = np.zeros((17, 13), bool)
    hole[4, 4] = True
    return hole


class TestKinds:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64, bool])
    @pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1), (9, 7, 2), (9, 7, 3), (9, 7, 4)])
    def test_array_comes_back_as_its_kind(self, dtype: type, shape: tuple[int, ...]) -> None:
        generator = np.random.default_rng(0)
        if dtype is bool and shape[2:] not in ((), (1,)):
            pytest.skip("bilevel pictures have one channel")
        source = generator.random(shape)
        if dtype is bool:
            source = source > 0.5
        elif np.issubdtype(dtype, np.integer):
            source = source * np.iinfo(dtype).max
        source = source.astype(dtype)
        original = source.copy()
        photo = read_photo(source)
        hole = generator.random((9, 7)) < 0.5
        white = np.full_like(photo.color, np.iinfo(photo.color.dtype).max)
        result = photo_like(photo.with_fill(white, hole), source)
        assert result.dtype == source.dtype
        assert result.shape == source.shape
        assert np.array_equal(source, original)
        assert np.array_equal(result[~hole], source[~hole])
        top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
        assert (result[hole] == top).all()

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "CMYK", "I;16"])
    def test_pil_image_comes_back_as_its_kind(self, mode: str) -> None:
        image = Image.fromarray(noise("L16", 9, 7)) if mode == "I;16" else None
        image = image or Image.fromarray(smooth(9, 7)).convert(mode)
        image.info = {"exif": exif_of(6).tobytes(), "mine": 3}
        photo = read_photo(image)
        assert photo.color.shape[:2] == (7, 9)
        hole = np.zeros((7, 9), bool)
        hole[0, 8] = True  # upright top right is stored top left
        white = np.full_like(photo.color, np.iinfo(photo.color.dtype).max)
        result = photo_like(photo.with_fill(white, hole), image)
        assert (result.mode, result.size, result.info) == (image.mode, image.size, image.info)
        changed = np.asarray(result) != np.asarray(image)
        changed = changed.any(axis=2) if changed.ndim == 3 else changed
        assert changed[0, 0] or mode == "1"
        changed[0, 0] = False
        assert not changed.any()

    def test_pil_palette_becomes_truecolor(self) -> None:
        image = Image.fromarray(smooth(9, 7)).quantize(4)
        photo = read_photo(image)
        hole = np.zeros((9, 7), bool)
        hole[2, 3] = True
        result = photo_like(photo.with_fill(np.full_like(photo.color, 1), hole), image)
        assert result.mode == "RGB"
        assert np.array_equal(np.asarray(result)[~hole], np.asarray(image.convert("RGB"))[~hole])
        assert photo_like(photo, image).mode == "P"

    def test_bytes_stay_bytes_and_a_path_gives_an_upright_image(self, tmp_path: Path) -> None:
        stored = smooth(20, 30)
        data = saved(Image.fromarray(stored), "PNG", exif=exif_of(8), icc_profile=SRGB)
        photo = filled_with(data)
        assert photo_like(photo, data).startswith(b"\x89PNG")
        assert photo_like(photo, io.BytesIO(data)).startswith(b"\x89PNG")
        path = tmp_path / "a.png"
        path.write_bytes(data)
        result = photo_like(photo, path)
        expected = np.asarray(ImageOps.exif_transpose(open_picture(path)))
        assert np.array_equal(np.asarray(result)[1:], expected[1:])
        assert result.info["icc_profile"] == SRGB
        assert result.getexif()[0x0112] == 1

    def test_with_fills_checks_its_windows(self) -> None:
        photo = read_photo(noise("RGB", 8, 8))
        whole = np.ones((2, 2), bool)
        for top, left, color in (
            (7, 0, np.zeros((2, 2, 3), np.uint8)),
            (-1, 0, np.zeros((2, 2, 3), np.uint8)),
            (0, 0, np.zeros((2, 3, 3), np.uint8)),
            (0, 0, np.zeros((2, 2, 3), np.float32)),
        ):
            with pytest.raises(ValueError, match="fill of"):
                photo.with_fills([(top, left, color, whole)])

    def test_grey_is_filled_by_luminance(self) -> None:
        photo = read_photo(noise("L", 4, 4))
        color = np.broadcast_to(np.array([255, 0, 0], np.uint8), (4, 4, 3))
        assert (photo.with_fill(color, np.ones((4, 4), bool)).color == 76).all()


def test_import_is_light() -> None:
    code = (
        "import sys, regionwise.photos.reading, regionwise.photos.writing\n"
        "import regionwise.photos.likeness, regionwise.photos.masks\n"
        "heavy = {'scipy', 'tifffile', 'imagecodecs', 'torch', 'onnxruntime'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
