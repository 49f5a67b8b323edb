"""Photos become squares as each paper has it."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from regionwise.data.framing import framed
from regionwise.recipe.schema import DataSection

FRAMINGS = ("random-square", "center-square", "squash", "random-crop", "polyphase")


def encoded(pixels, kind="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def ramp(height, width):
    """Red grows to the right, green downwards."""
    red = np.linspace(0, 255, width)[None].repeat(height, 0)
    green = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return np.stack([red, green, 0 * red], axis=2).round().astype(np.uint8)


def picture(content, framing, seed=0, size=32, **options):
    data = DataSection(size=size, framing=framing, **{"flip": False, **options})
    return framed(content, data, np.random.default_rng(seed)).astype(int)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 80), st.integers(1, 80), st.sampled_from(FRAMINGS), st.booleans())
def test_any_photo_gives_a_square(height, width, framing, flip):
    content = encoded(np.full((height, width, 3), 200, np.uint8))
    data = DataSection(size=16, framing=framing, scale=32, flip=flip)
    pixels = framed(content, data, np.random.default_rng(0))
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == 200).all()


def test_squash_shows_the_whole_photo():
    pixels = picture(encoded(ramp(60, 90)), "squash")
    assert pixels[0, 0, 0] < 8 < 247 < pixels[0, -1, 0]
    assert pixels[0, 0, 1] < 8 < 247 < pixels[-1, 0, 1]


def test_center_square_cuts_both_ends():
    pixels = picture(encoded(ramp(60, 120)), "center-square")
    assert pixels[0, 0, 0] == pytest.approx(255 / 4, abs=6)
    assert pixels[0, -1, 0] == pytest.approx(255 * 3 / 4, abs=6)
    assert pixels[0, 0, 1] < 8


@pytest.mark.parametrize(("framing", "share"), [("random-square", None), ("random-crop", 0.5)])
def test_crops_keep_the_aspect_and_lie_anywhere(framing, share):
    content = encoded(ramp(128, 128))
    corners, spans = set(), set()
    for seed in range(20):
        pixels = picture(content, framing, seed, scale=64)
        across = pixels[0, -1, 0] - pixels[0, 0, 0]
        assert across == pytest.approx(pixels[-1, 0, 1] - pixels[0, 0, 1], abs=6)
        corners.add(pixels[0, 0, 0])
        spans.add(across)
    assert len(corners) > 8
    if share is None:
        assert min(spans) < 255 / 2 < max(spans)
    else:
        assert all(span == pytest.approx(255 * share, abs=8) for span in spans)


def test_polyphase_components_are_pixels_of_the_squashed_photo():
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    components = {
        picture(encoded(photo), "polyphase", seed, scale=64).tobytes() for seed in range(30)
    }
    expected = {
        photo[row::2, column::2].astype(int).tobytes() for row in range(2) for column in range(2)
    }
    assert components == expected


def test_quarter_turns_by_chance():
    """All four, evenly, and nothing else; without them the chance of other draws is as it was."""
    content = encoded(ramp(64, 64))
    plain = picture(content, "squash")
    turned = [picture(content, "squash", seed, quarter_turns=True) for seed in range(80)]
    counts = [sum((np.rot90(plain, k) == one).all() for one in turned) for k in range(4)]
    assert sum(counts) == 80
    assert min(counts) > 8


def test_half_of_the_pictures_are_mirrored():
    content = encoded(ramp(64, 64))
    first = [picture(content, "squash", seed, flip=True)[0, 0, 0] for seed in range(60)]
    assert 15 < sum(value > 128 for value in first) < 45


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_upright(orientation):
    upright = ramp(64, 96)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(np.ascontiguousarray(stored), exif=exif)
    expected = picture(encoded(upright), "squash")
    assert np.abs(picture(content, "squash") - expected).max() <= 2


@pytest.mark.parametrize("framing", FRAMINGS)
def test_large_jpegs_decoded_small_look_the_same(framing):
    """Decoding at a part of the size changes no more than the decoder's own rounding."""
    rng = np.random.default_rng(1)
    small = rng.integers(60, 200, (12, 16, 3), dtype=np.uint8)
    photo = np.asarray(Image.fromarray(small).resize((1024, 768), Image.Resampling.BICUBIC))
    jpeg, png = encoded(photo, "JPEG", quality=95), encoded(photo)
    for seed in range(3):
        one, other = (picture(x, framing, seed, scale=64) for x in (jpeg, png))
        assert np.abs(one - other).mean() < 1.5


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16"])
def test_other_kinds_of_photos(mode):
    photo = Image.new("L", (40, 40), 128)
    photo = Image.new("I;16", (40, 40), 300) if mode == "I;16" else photo.convert(mode)
    stream = io.BytesIO()
    photo.save(stream, "TIFF" if mode in ("CMYK", "I;16") else "PNG")
    assert picture(stream.getvalue(), "squash").shape == (32, 32, 3)
