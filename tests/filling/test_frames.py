"""Animations and files of several pages: every picture is filled, or one, and all stay."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.support.photo_files import QUICK, SRGB, XMP, exif_of, noise, saved

import regionwise
from regionwise.cli import main
from regionwise.errors import PhotoError, RegionwiseError
from regionwise.filling.options import FillOptions
from regionwise.filling.photo_bytes import fill_bytes

SIZE = (20, 30)
MASK = np.zeros(SIZE, bool)
MASK[5:12, 8:20] = True
KINDS = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")


def frames_of(data: bytes, mode: str = "RGBA") -> list[np.ndarray]:
    """What another program shows of each picture."""
    with Image.open(io.BytesIO(data)) as image:
        shown = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            shown.append(np.asarray(image.convert(mode)))
        return shown


def delays_of(data: bytes) -> list[float]:
    with Image.open(io.BytesIO(data)) as image:
        delays = []
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            delays.append(image.info.get("duration"))
        return delays


def moving(kind: str, count: int = 3, colors: int = 40) -> bytes:
    """A picture of few colours over which a square moves."""
    ground = Image.fromarray(noise("RGB", *SIZE)).quantize(colors).convert("RGB")
    pictures = []
    for number in range(count):
        picture = ground.copy()
        picture.paste((255, 0, 10 * number), (4 * number, 2, 4 * number + 5, 9))
        pictures.append(picture)
    how = {} if kind == "TIFF" else {"duration": [70, 130, 200][:count], "loop": 3}
    if kind == "AVIF":
        del how["loop"]
    if kind == "WEBP":
        how["lossless"] = True
    return saved(pictures[0], kind, save_all=True, append_images=pictures[1:], **how)


def filled(data: bytes, **options: Any) -> tuple[bytes, Any]:
    return fill_bytes(data, saved(Image.fromarray(MASK * np.uint8(255)), "PNG"),
                      FillOptions(model="membrane", **options))  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_is_filled_and_known_pixels_stay(kind: str) -> None:
    data = moving(kind)
    after, row = filled(data)
    assert row.status == "filled", row.error
    assert (row.frames, row.format) == (3, kind)
    before, now = frames_of(data), frames_of(after)
    assert len(now) == 3
    for old, new in zip(before, now, strict=True):
        assert np.array_equal(new[~MASK], old[~MASK])
        assert (new[MASK] != old[MASK]).any()
    if kind != "TIFF":
        assert delays_of(after) == delays_of(data)
        with Image.open(io.BytesIO(after)) as image:
            assert image.info.get("loop") == (None if kind == "AVIF" else 3)


def test_the_fill_of_a_noisy_sequence_does_not_flicker() -> None:
    numbers = np.random.default_rng(0)
    still = numbers.integers(0, 256, (12, 12, 3)).repeat(8, axis=0).repeat(8, axis=1)
    frames = [
        Image.fromarray(np.clip(still + numbers.normal(0, 5, still.shape), 0, 255).astype(np.uint8))
        for _ in range(4)
    ]
    hole = np.zeros((96, 96), bool)
    hole[30:66, 34:62] = True
    mask = saved(Image.fromarray(hole), "PNG")
    how = FillOptions(model="membrane", large="detail")
    together = fill_bytes(
        saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]), mask, how
    )[0]
    alone = [fill_bytes(saved(frame, "PNG"), mask, how)[0] for frame in frames]

    def flicker(pictures: list[np.ndarray]) -> float:
        return float(np.abs(np.diff(np.stack(pictures).astype(float), axis=0))[:, hole].mean())

    steady = flicker(frames_of(together, "RGB"))
    assert steady < 0.7 * flicker([frames_of(one, "RGB")[0] for one in alone])
    assert steady < 10  # the noise itself is 5 · 2 / √π


@pytest.mark.parametrize("kind", KINDS)
def test_one_by_its_number(kind: str) -> None:
    data = moving(kind)
    after, row = filled(data, page=2)
    assert (row.status, row.frames) == ("filled", 1)
    for number, (old, new) in enumerate(zip(frames_of(data), frames_of(after), strict=True)):
        assert np.array_equal(new[~MASK], old[~MASK])
        assert (new != old).any() == (number == 1)


@pytest.mark.parametrize("kind", KINDS)
def test_one_as_a_picture_of_another_format(kind: str, tmp_path: Path) -> None:
    file, mask = tmp_path / f"a.{kind.lower()}", tmp_path / "mask.png"
    file.write_bytes(moving(kind))
    Image.fromarray(MASK * np.uint8(255)).save(mask)
    arguments = ["fill", str(file), str(mask), "--model", "membrane", "-o", str(tmp_path / "b.bmp")]
    assert main(arguments) == 2
    assert main([*arguments, "--page", "3"]) == 0
    (shown,) = frames_of((tmp_path / "b.bmp").read_bytes(), "RGB")
    assert np.array_equal(shown[~MASK], frames_of(file.read_bytes(), "RGB")[2][~MASK])


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_too_many_is_one_line(kind: str) -> None:
    _, row = filled(moving(kind), page=4)
    assert "from 1 to 3" in row.error
    _, row = filled(saved(Image.fromarray(noise("RGB", *SIZE)), kind), page=2)
    assert "has one picture; leave `page` out" in row.error


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_file_is_one_line(kind: str) -> None:
    data = moving(kind)
    for part in (0.3, 0.6, 0.9):
        nothing, row = filled(data[: int(len(data) * part)])
        assert row.status == "failed"
        assert "\n" not in row.error
        assert nothing == b""


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_holds_one_picture(kind: str) -> None:
    photo = saved(Image.fromarray(noise("RGB", *SIZE)), "PNG")
    _, row = fill_bytes(photo, moving(kind), FillOptions(model="membrane"))
    assert "holds 3 pictures; give a file of one as mask" in row.error


def test_a_page_of_another_size_is_named() -> None:
    pages = [Image.fromarray(noise("RGB", *SIZE)), Image.fromarray(noise("RGB", 9, 9))]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    _, row = filled(data)
    assert "picture 2 of 2: the mask has 30×20 pixels" in row.error
    _, row = filled(data, page=1)
    assert row.status == "filled"


def test_from_python(tmp_path: Path) -> None:
    data = moving("GIF")
    after = regionwise.fill(data, MASK, "membrane")
    assert len(frames_of(after)) == 3
    file = tmp_path / "a.gif"
    file.write_bytes(data)
    with pytest.raises(PhotoError, match="`page`"):
        regionwise.fill(file, MASK, "membrane")
    image = regionwise.fill(file, MASK, "membrane", page=2)
    expected = frames_of(data, "RGB")[1]
    assert np.array_equal(np.asarray(image.convert("RGB"))[~MASK], expected[~MASK])
    with pytest.raises(RegionwiseError, match="3 pictures"):
        regionwise.fill(file, MASK, "membrane", page=9)


def test_pages_keep_their_tags_and_their_kinds() -> None:
    import tifffile

    pages = [noise("L16", *SIZE), noise("RGB", *SIZE, 1), noise("RGBA", *SIZE, 2)]
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, byteorder=">") as writer:
        for number, page in enumerate(pages):
            writer.write(
                page,
                photometric="rgb" if page.ndim == 3 else "minisblack",
                extrasamples=["unassalpha"] if page.shape[-1] == 4 else None,
                compression="zlib",
                metadata=None,
                extratags=[(271, 2, 0, f"maker {number}", True)],
            )
    after, row = filled(buffer.getvalue())
    assert row.status == "filled", row.error
    with tifffile.TiffFile(io.BytesIO(after)) as file:
        assert file.byteorder == ">"
        for number, page in enumerate(pages):
            assert file.pages[number].tags[271].value == f"maker {number}"
            assert np.array_equal(file.pages[number].asarray()[~MASK], page[~MASK])


class TestGif:
    @QUICK
    @given(st.integers(0, 99), st.integers(2, 256), st.booleans())
    def test_known_pixels_stay_whatever_the_colours(
        self, seed: int, colors: int, transparent: bool
    ) -> None:
        picture = Image.fromarray(noise("RGB", *SIZE, seed)).quantize(colors)
        how = {"transparency": 0} if transparent else {}
        data = saved(picture, "GIF", **how)
        after, row = filled(data)
        assert row.status == "filled", row.error
        (old,), (new,) = frames_of(data), frames_of(after)
        known = ~MASK & (old[..., 3] > 0)
        assert np.array_equal(new[known], old[known])
        assert np.array_equal(new[~MASK][:, 3], old[~MASK][:, 3])

    def test_pictures_with_palettes_of_their_own(self) -> None:
        pictures = []
        for seed in range(3):  # together they have far more than 256 colours
            picture = Image.new("RGBA", SIZE[::-1])
            part = Image.fromarray(noise("RGB", *SIZE, seed)).quantize(200).convert("RGBA")
            picture.paste(part.crop((0, 6 * seed, 30, 6 * seed + 8)), (0, 6 * seed))
            pictures.append(picture)
        data = saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:], disposal=0)
        after, row = filled(data)
        if row.status == "failed":
            assert "256 colours" in row.error
            return
        for old, new in zip(frames_of(data), frames_of(after), strict=True):
            known = ~MASK & (old[..., 3] > 0)
            assert np.array_equal(new[known], old[known])

    def test_comments_stay(self) -> None:
        data = saved(Image.fromarray(noise("L", *SIZE)), "GIF", comment=b"by me")
        after, _ = filled(data)
        assert b"by me" in after

    def test_pictures_that_are_alike_stay_two(self) -> None:
        first = saved(Image.fromarray(noise("L", *SIZE)), "GIF")
        block = first[first.index(b",\0\0\0\0") : -1]
        twice = first[:-1] + block + b";"
        assert len(frames_of(twice)) == 2
        assert len(frames_of(filled(twice)[0])) == 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("said", [{}, {"exif": exif_of(1), "xmp": XMP}, {"icc_profile": SRGB}])
def test_an_avif_sequence_keeps_what_it_says(mode: str, said: dict[str, bytes]) -> None:
    pictures = [Image.fromarray(noise(mode, *SIZE, seed)) for seed in (1, 2, 3, 4)]
    delays = [40, 500, 20, 70]
    more = {"append_images": pictures[1:], "duration": delays, "save_all": True}
    data = saved(pictures[0], "AVIF", **more, **said)
    after, row = filled(data)
    assert (row.status, row.frames) == ("filled", 4)
    assert delays_of(after) == delays
    with Image.open(io.BytesIO(data)) as old, Image.open(io.BytesIO(after)) as new:
        assert new.info.get("xmp") == old.info.get("xmp")
        assert new.info.get("icc_profile") == old.info.get("icc_profile")
        assert new.getexif().get(0x0110) == old.getexif().get(0x0110)
        assert bool(new.info.get("exif")) == ("exif" in said)
    for before, now in zip(frames_of(data), frames_of(after), strict=True):
        assert np.array_equal(before[~MASK], now[~MASK])


def test_an_animated_jpeg_xl_gives_single_pictures_alone(tmp_path: Path) -> None:
    frames = np.stack([noise("RGB", *SIZE, seed) for seed in (1, 2, 3)])
    data = bytes(imagecodecs.jpegxl_encode(frames, lossless=True, usecontainer=True))
    for options in ({}, {"page": 2}):
        _, row = filled(data, **options)
        assert row.status == "failed"
        assert "is an animation, which is not written as JPEG XL; fill one" in row.error
    (tmp_path / "a.jxl").write_bytes(data)
    Image.fromarray(MASK).save(tmp_path / "m.png")
    arguments = ["fill", str(tmp_path / "a.jxl"), str(tmp_path / "m.png"), "--model=membrane"]
    assert main([*arguments, "--page=2", "-o", str(tmp_path / "b.png")]) == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "b.png"))[~MASK], frames[1][~MASK])


def test_a_profile_that_jpeg_xl_loses_is_told(tmp_path: Path, capsys: Any) -> None:
    Image.fromarray(noise("RGB", *SIZE)).save(tmp_path / "a.png", icc_profile=SRGB)
    arguments = ["fill", str(tmp_path / "a.png"), "--box=2,2,5,5", "--model=membrane"]
    assert main([*arguments, "-o", str(tmp_path / "b.jxl")]) == 0
    assert "its colour profile is lost: JPEG XL is written without one" in capsys.readouterr().err
