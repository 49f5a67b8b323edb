"""Photos in and out: known pixels and everything a file says survive; errors are one line."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin, PngImagePlugin

from regionwise import output
from regionwise.errors import OutputError, PhotoError
from regionwise.images import Photo, encode_photo, photo_like, read_photo, write_photo

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/">a</x:xmpmeta><?xpacket end="w"?>'
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LOSSLESS = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "L16", "LA16", "RGB16", "RGBA16"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "L16", "LA16", "RGB16", "RGBA16"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
}


def noise(mode: str, height: int, width: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    channels = {"LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}.get(mode.removesuffix("16"))
    shape = (height, width) if channels is None else (height, width, channels)
    if mode == "1":
        return generator.integers(0, 2, shape).astype(bool)
    if mode.endswith("16"):
        return generator.integers(0, 65536, shape).astype(np.uint16)
    return generator.integers(0, 256, shape).astype(np.uint8)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a maker"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def file_of(kind: str, mode: str, samples: np.ndarray, orientation: int) -> bytes:
    """A file as other programs write it: Pillow for 8 bits, tifffile and imagecodecs for 16."""
    if not mode.endswith("16"):
        height, width = samples.shape[:2]
        image = (
            Image.fromarray(samples)
            if mode == "1"
            else Image.frombytes(mode, (width, height), samples.tobytes())
        )
        if mode == "P":
            image.putpalette(np.random.default_rng(1).bytes(768))
        options: dict[str, object] = {}
        if kind != "BMP":
            options = {"exif": exif_of(orientation)}
        if kind == "WEBP":
            options |= {"lossless": True, "exact": True}
        if kind == "TIFF":
            options |= {"compression": "tiff_lzw"}
        return saved(image, kind, **options)
    if kind == "PNG":
        import imagecodecs

        encoded = imagecodecs.png_encode(samples)
        exif = exif_of(orientation).tobytes().removeprefix(b"Exif\0\0")
        return encoded[:33] + png_chunk(b"eXIf", exif) + encoded[33:]
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        samples,
        photometric="rgb" if mode.startswith("RGB") else "minisblack",
        planarconfig="contig" if samples.ndim == 3 else None,
        extrasamples=["unassalpha"] if "A" in mode else None,
        compression="zlib",
        extratags=[(274, 3, 1, orientation, True), (271, 2, 0, "a maker", True)],
    )
    return buffer.getvalue()


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def decoded(data: bytes, mode: str) -> np.ndarray:
    """What another program sees, in the orientation of the file; a palette is looked up."""
    if data[:2] in (b"II", b"MM"):  # Pillow would turn it
        import tifffile

        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[0]
            samples = page.asarray()
            return (
                samples
                if page.photometric != 3
                else (page.colormap.T >> 8).astype(np.uint8)[samples]
            )
    if mode.endswith("16"):
        import imagecodecs

        return imagecodecs.png_decode(data)
    image = Image.open(io.BytesIO(data))
    return np.asarray(image.convert("RGB") if image.mode == "P" else image)


def turned(array: np.ndarray, orientation: int) -> np.ndarray:
    """Pillow's own way from stored to upright."""
    image = Image.fromarray(array.astype(np.uint8) * 255)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.info["exif"] = exif.tobytes()
    return np.asarray(ImageOps.exif_transpose(image)) > 0


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
            old, new = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(again))
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
        old, new = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(again))
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
        again = Image.open(io.BytesIO(encode_photo(filled_with(data))))
        assert again.info["compression"] == (compression or "raw")

    def test_big_endian_tiff_stays_so(self) -> None:
        import tifffile

        buffer = io.BytesIO()
        samples = noise("RGB16", 11, 7)
        tifffile.imwrite(buffer, samples, byteorder=">", photometric="rgb", description="a")
        again = encode_photo(filled_with(buffer.getvalue()))
        assert again[:2] == b"MM"
        assert np.array_equal(tifffile.imread(io.BytesIO(again))[1:], samples[1:])

    def test_lossy_webp_stays_lossy_and_lossless_lossless(self) -> None:
        image = Image.fromarray(noise("RGB", 20, 20))
        for lossless, chunk in ((True, b"VP8L"), (False, b"VP8 ")):
            data = saved(image, "WEBP", lossless=lossless)
            assert chunk in encode_photo(filled_with(data))

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
        again = Image.open(io.BytesIO(encode_photo(photo.with_fill(photo.color[::-1], hole))))
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


def filled_with(data: bytes, value: int = 90, side: int = 1) -> Photo:
    """The photo with its upper left corner filled."""
    photo = read_photo(data)
    color = np.full((side, side, 3), value, photo.color.dtype)
    return photo.with_fills([(0, 0, color, np.ones((side, side), bool))])


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture without clipped samples, as rough as a photo."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(60, 196, (height // 6 + 2, width // 6 + 2, 3)).astype(np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    rough = np.asarray(image) + generator.normal(0, 4, (height, width, 3))
    return rough.clip(0, 255).astype(np.uint8)


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
        assert np.array_equal(read_photo(data).color, np.asarray(Image.open(io.BytesIO(data))))

    @pytest.mark.parametrize("mode", ["L", "CMYK"])
    def test_grey_and_cmyk_stay(self, mode: str) -> None:
        image = Image.fromarray(smooth(64, 64)).convert(mode)
        data = saved(image, "JPEG", quality=80)
        filled = filled_with(data, 30, side=16)
        again = Image.open(io.BytesIO(encode_photo(filled)))
        assert again.mode == mode
        assert again.quantization == Image.open(io.BytesIO(data)).quantization
        before = np.asarray(Image.open(io.BytesIO(data))).astype(int)
        assert np.abs(np.asarray(again) - before)[16:, 16:].max() <= 2
        assert np.abs(np.asarray(again.convert("RGB"))[2:14, 2:14].astype(int) - 30).max() <= 6

    def test_inks_of_a_fill_give_its_color(self) -> None:
        photo = read_photo(saved(Image.fromarray(smooth(16, 16)).convert("CMYK"), "TIFF"))
        filled = photo.with_fill(np.full_like(photo.color, 128), np.ones((16, 16), bool))
        assert np.abs(filled.color.astype(int) - 128).max() <= 1

    def test_rgb_jpeg_without_ycbcr_stays_rgb(self) -> None:
        data = saved(Image.fromarray(smooth(64, 64)), "JPEG", keep_rgb=True, quality=85)
        again = encode_photo(filled_with(data))
        before, after = (np.asarray(Image.open(io.BytesIO(each))) for each in (data, again))
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
        image = Image.open(io.BytesIO(again))
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
        image = Image.open(io.BytesIO(encode_photo(read_photo(data), target)))
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
        assert Image.open(io.BytesIO(encode_photo(opaque, "JPEG"))).mode == "RGB"
        samples[..., 3] = 255
        assert Image.open(io.BytesIO(encode_photo(read_photo(samples), "JPEG"))).mode == "RGB"

    def test_sixteen_bits_are_rounded_to_eight(self) -> None:
        samples = np.array([[[0, 128, 65535], [129, 257, 65400]]], np.uint16)
        photo = read_photo(encode_photo(read_photo(samples), "BMP"))
        assert photo.color.tolist() == [[[0, 0, 255], [1, 1, 254]]]

    def test_grey_profile_does_not_go_into_an_rgb_file(self) -> None:
        grey = SRGB[:16] + b"GRAY" + SRGB[20:]
        data = saved(Image.fromarray(noise("L", 8, 8)), "PNG", icc_profile=grey)
        webp = Image.open(io.BytesIO(encode_photo(read_photo(data), "WEBP")))
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
        expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
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


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 300
    return text


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


class TestWriting:
    def test_suffix_names_the_format(self, tmp_path: Path) -> None:
        photo = read_photo(noise("RGB", 9, 9))
        for suffix, kind in (
            (".JPG", "JPEG"),
            (".png", "PNG"),
            (".tif", "TIFF"),
            (".webp", "WEBP"),
        ):
            path = tmp_path / f"a{suffix}"
            write_photo(photo, path)
            assert Image.open(path).format == kind
            assert path.stat().st_mode & 0o777 == 0o666 & ~current_umask()
        assert len(list(tmp_path.iterdir())) == 4

    def test_existing_file_is_kept_unless_told(self, tmp_path: Path) -> None:
        photo = read_photo(noise("RGB", 9, 9))
        path = tmp_path / "a.png"
        path.write_bytes(b"old")
        path.chmod(0o640)
        with pytest.raises(OutputError, match="--overwrite"):
            write_photo(photo, path)
        assert path.read_bytes() == b"old"
        write_photo(photo, path, overwrite=True)
        assert Image.open(path).size == (9, 9)
        assert path.stat().st_mode & 0o777 == 0o640

    def test_bad_places(self, tmp_path: Path) -> None:
        photo = read_photo(noise("RGB", 9, 9))
        for path, says in (
            (tmp_path / "none" / "a.png", "not a folder"),
            (tmp_path / "a.heic", "suffix"),
            (tmp_path / "a", "suffix"),
        ):
            with pytest.raises(OutputError, match=says) as error:
                write_photo(photo, path)
            one_line(error)
        (tmp_path / "folder.png").mkdir()
        with pytest.raises(OutputError, match="is a folder"):
            write_photo(photo, tmp_path / "folder.png", overwrite=True)

    def test_read_only_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(output.os, "access", lambda *_: False)  # root may write anywhere
        with pytest.raises(OutputError, match="read-only"):
            write_photo(read_photo(noise("RGB", 9, 9)), tmp_path / "a.png")

    @pytest.mark.parametrize(
        "failure", [OSError(28, "No space left on device"), KeyboardInterrupt()]
    )
    def test_a_failure_while_writing_leaves_what_was_there(
        self, failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: int) -> None:
            raise failure

        path = tmp_path / "a.png"
        path.write_bytes(b"old")
        monkeypatch.setattr(output.os, "fsync", fail)
        with pytest.raises((OutputError, KeyboardInterrupt)) as error:
            write_photo(read_photo(noise("RGB", 9, 9)), path, overwrite=True)
        if isinstance(failure, OSError):
            assert "disk is full" in one_line(error)
        assert path.read_bytes() == b"old"
        assert [each.name for each in tmp_path.iterdir()] == ["a.png"]

    def test_an_interrupted_process_leaves_no_half_file(self, tmp_path: Path) -> None:
        script = (
            "import sys, numpy as np\n"
            "from pathlib import Path\n"
            "from regionwise.output import write_whole\n"
            "print('go', flush=True)\n"
            "while True: write_whole(bytes(4_000_000), Path(sys.argv[1]), overwrite=True)\n"
        )
        path = tmp_path / "a.png"
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
        assert {each.name for each in tmp_path.iterdir()} <= {"a.png"}
        if path.exists():
            assert path.stat().st_size == 4_000_000

    def test_a_link_is_followed(self, tmp_path: Path) -> None:
        target = tmp_path / "real.png"
        target.write_bytes(b"old")
        (tmp_path / "link.png").symlink_to(target)
        write_photo(read_photo(noise("RGB", 9, 9)), tmp_path / "link.png", overwrite=True)
        assert (tmp_path / "link.png").is_symlink()
        assert Image.open(target).size == (9, 9)


def current_umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_import_is_light() -> None:
    code = (
        "import sys, regionwise.images, regionwise.masks\n"
        "heavy = {'scipy', 'tifffile', 'imagecodecs', 'torch', 'onnxruntime'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
