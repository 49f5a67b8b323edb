"""New pixels in JPEG files: what changes, what doesn't, and what is refused."""

from __future__ import annotations

import io
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image
from tests.support.jpeg_kinds import kinds, odd_kind, picture, pillow
from tests.support.slow_jpeg import coefficients

from regionwise.photos.jpeg_splice import (
    BrokenJpegError,
    Hole,
    SamplePatch,
    SpliceError,
    Splicer,
    UnsupportedJpegError,
    spliced,
)
from regionwise.photos.jpeg_splice.structure import parse

HEIGHT, WIDTH = 61, 83
NAMES = [
    "4:4:4", "4:2:2", "4:2:0", "optimised", "finest", "coarsest", "restarts", "grey",
    "grey progressive", "RGB", "CMYK", "YCCK", "progressive", "progressive 4:4:4",
    "progressive restarts", "4:4:0", "4:1:1", "4:1:0", "mixed", "one plane a scan",
    "two planes a scan", "bands", "many bits",
]  # fmt: skip
SIZES = [(HEIGHT, WIDTH), (16, 16), (1, 1), (100, 9), (7, 130)]


@pytest.fixture(scope="module")
def files() -> dict[tuple[int, int], dict[str, bytes]]:
    return {size: kinds(*size) for size in SIZES}


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def patches_for(pixels: np.ndarray, seed: int = 1) -> list[SamplePatch]:
    """A ragged hole in the middle, and one pixel in the last corner."""
    height, width = pixels.shape[:2]
    rows, columns = max(1, height // 3), max(1, width // 3)
    top, left = (height - rows) * 2 // 3, (width - columns) // 2
    hole = np.random.default_rng(seed).random((rows, columns)) < 0.7
    hole[0, 0] = True
    window = pixels[top : top + rows, left : left + columns]
    new = (np.roll(window, 3, axis=1) // 2 + 40).astype(np.uint8)
    corner = SamplePatch(height - 1, width - 1, pixels[-1:, -1:] // 2, np.ones((1, 1), bool))
    return [SamplePatch(top, left, new, hole), corner]


def canvas(patches: list[SamplePatch], height: int, width: int) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    for patch in patches:
        rows, columns = patch.hole.shape
        hole[patch.top : patch.top + rows, patch.left : patch.left + columns] |= patch.hole
    return hole


def in_cells(hole: np.ndarray, height: int, width: int) -> np.ndarray:
    """Which cells of height×width hold some of the hole."""
    padded = np.pad(hole, ((0, -hole.shape[0] % height), (0, -hole.shape[1] % width)))
    rows, columns = padded.shape[0] // height, padded.shape[1] // width
    return padded.reshape(rows, height, columns, width).any(axis=(1, 3))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_only_touched_blocks_change(files, name, size) -> None:
    data = files[size][name]
    patches = patches_for(decoded(data))
    result = spliced(data, patches)
    hole = canvas(patches, *size)
    before, after = coefficients(data), coefficients(result)  # this reads each scan to its end
    changed = 0
    for component, old, new in zip(parse(data).frame.components, before, after, strict=True):
        down, across = component.scale
        touched = in_cells(hole, 8 * down, 8 * across)
        whole = np.zeros(old.shape[:2], bool)
        whole[: touched.shape[0], : touched.shape[1]] = touched
        np.testing.assert_array_equal(old[~whole], new[~whole])
        changed += (old != new).any(axis=2).sum()
    assert changed or name == "coarsest"


@pytest.mark.parametrize("name", NAMES)
def test_pixels_two_away_from_touched_mcus_stay(files, name) -> None:
    data = files[HEIGHT, WIDTH][name]
    old = decoded(data)
    patches = patches_for(old)
    new = decoded(spliced(data, patches))
    hole = canvas(patches, HEIGHT, WIDTH)
    scales = [component.scale for component in parse(data).frame.components]
    height, width = 8 * max(s[0] for s in scales), 8 * max(s[1] for s in scales)
    cells = in_cells(hole, height, width)
    touched = np.pad(cells.repeat(height, 0).repeat(width, 1)[:HEIGHT, :WIDTH], 1)
    near = np.lib.stride_tricks.sliding_window_view(touched, (3, 3)).any(axis=(2, 3))
    differs = (old != new).reshape(HEIGHT, WIDTH, -1).any(axis=2)
    assert not differs[~near].any()


@pytest.mark.parametrize("name", NAMES)
def test_new_pixels_arrive(files, name) -> None:
    """What comes out is as near to what was asked for as the old file is to its picture."""
    if name == "coarsest":
        pytest.skip("its blocks are single colours")
    data = files[HEIGHT, WIDTH][name]
    old = decoded(data)
    smooth = np.full((32, 32, *old.shape[2:]), 90, np.uint8)
    patch = SamplePatch(16, 32, smooth, np.ones((32, 32), bool))
    new = decoded(spliced(data, [patch]))
    assert np.abs(new[18:46, 34:62].astype(int) - 90).max() <= 6


def test_known_pixels_in_touched_blocks_are_nearer_than_by_rounding(files, monkeypatch) -> None:
    data = files[HEIGHT, WIDTH]["4:4:4"]
    old = decoded(data)
    patches = patches_for(old)
    hole = canvas(patches, HEIGHT, WIDTH)
    near = in_cells(hole, 8, 8).repeat(8, 0).repeat(8, 1)[:HEIGHT, :WIDTH] & ~hole

    def error() -> float:
        new = decoded(spliced(data, patches)).astype(float)
        return float(((new - old)[near] ** 2).mean())

    fitted = error()
    monkeypatch.setattr("regionwise.photos.jpeg_splice.splice.FILLED", 1.0)
    monkeypatch.setattr("regionwise.photos.jpeg_splice.splice.OUTSIDE", 1.0)
    assert fitted < 0.8 * error()


@pytest.mark.parametrize("name", ["4:2:0", "optimised", "progressive", "restarts", "grey", "CMYK"])
def test_size_stays(name) -> None:
    options = {
        "4:2:0": {}, "optimised": {"optimize": True}, "progressive": {"progressive": True},
        "restarts": {"restart_marker_rows": 1}, "grey": {}, "CMYK": {},
    }[name]  # fmt: skip
    pixels = picture(500, 700, {"grey": 1, "CMYK": 4}.get(name, 3))
    data = pillow(pixels, quality=85, **options)
    window = decoded(data)[200:240, 300:340]
    patch = SamplePatch(210, 330, window, np.hypot(*np.mgrid[-20:20, -20:20]) < 19)
    assert abs(len(spliced(data, [patch])) / len(data) - 1) < 0.02


def test_all_markers_stay_byte_for_byte() -> None:
    plain = pillow(picture(64, 64), quality=80)
    segments = [
        (0xE1, b"Exif\0\0 with \xff\xda inside"),
        (0xED, b"a"),
        (0xFE, b""),
        (0xE1, b"twice" * 9000),
    ]
    extra = b"".join(
        bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body
        for marker, body in segments
    )
    data = plain[:2] + b"\xff" + extra + plain[2:] + b"behind the picture \xff\xd8\xff"
    new = spliced(data, patches_for(picture(64, 64)))
    scan = data.rindex(b"\xff\xda")
    assert new[:scan] == data[:scan]
    assert new[new.rindex(b"\xff\xd9") :] == data[data.rindex(b"\xff\xd9") :]


def test_bits_outside_the_rewritten_ones_are_the_same() -> None:
    data = pillow(picture(256, 256), quality=80)
    new = spliced(data, [SamplePatch(120, 0, np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), bool))])
    same = next(at for at in range(len(data)) if data[at] != new[at])
    assert same > len(data) * 0.4


def test_a_hole_told_before_its_filling_gives_the_same(files) -> None:
    data = files[HEIGHT, WIDTH]["progressive"]
    patches = patches_for(decoded(data))
    splicer = Splicer(data, [Hole(one.top, one.left, one.hole) for one in patches])
    assert splicer.written(patches) == splicer.written(patches) == spliced(data, patches)
    with pytest.raises(ValueError, match="other blocks"):
        splicer.written(patches[:1])


def test_without_new_pixels_it_is_the_same_file() -> None:
    data = pillow(picture(30, 30))
    nothing = SamplePatch(0, 0, np.zeros((30, 30, 3), np.uint8), np.zeros((30, 30), bool))
    assert spliced(data, [nothing]) == spliced(data, []) == data


def test_where_patches_overlap_the_last_one_counts() -> None:
    data = pillow(picture(64, 64), quality=95, subsampling=0)
    hole = np.ones((32, 32), bool)
    first, second = (
        SamplePatch(8, 8 + at, np.full((32, 32, 3), value, np.uint8), hole)
        for at, value in ((0, 50), (8, 200))
    )
    new = decoded(spliced(data, [first, second])).astype(int)
    assert np.abs(new[8:40, 8:16] - 50).max() < 4
    assert np.abs(new[8:40, 16:48] - 200).max() < 4


def test_a_large_file_is_read_by_many_lanes_as_by_one(monkeypatch) -> None:
    """Also where lanes don't fall into step: in flat parts, and with one table for all planes."""
    pixels = picture(1500, 1600)
    pixels[300:900] = 255
    for options in (
        {},
        {"optimize": True, "quality": 95},
        {"keep_rgb": True},
        {"progressive": True},
    ):
        data = pillow(pixels, **{"quality": 85, **options})
        patch = SamplePatch(1300, 900, np.zeros((40, 40, 3), np.uint8), np.ones((40, 40), bool))
        many = spliced(data, [patch])
        with monkeypatch.context() as patched:
            patched.setattr("regionwise.photos.jpeg_splice.positions._SERIAL", 1 << 40)
            assert spliced(data, [patch]) == many


@pytest.mark.parametrize("seed", range(8))
def test_symbols_without_a_code(seed) -> None:
    """Tables of a flat picture know next to no symbols; noise needs nearly all of them."""
    flat = np.full((48, 48, 3), 77, np.uint8)
    noise = np.random.default_rng(seed).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    options = [{"optimize": True}, {"progressive": True}][seed % 2]
    data = pillow(flat, quality=[60, 85, 95, 100][seed // 2], **options)
    new = spliced(data, [SamplePatch(17, 11, noise, np.ones((20, 20), bool))])
    old_grids, new_grids = coefficients(data), coefficients(new)
    assert any((old != new).any() for old, new in zip(old_grids, new_grids, strict=True))
    assert decoded(new)[17:37, 11:31].std() > 20


def test_symbols_without_a_code_nor_room() -> None:
    """A table that is full: coefficients are made smaller until they can be told."""
    full = bytes([0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    symbols = bytes(
        [
            0x01,
            0x00,
            0x02,
            0x11,
            0x03,
            0x21,
            0x31,
            0x12,
            0x04,
            0x41,
            0x51,
            0x13,
            0x22,
            0x61,
            0x71,
            0x81,
        ]
    )
    assert sum(full) == len(symbols)
    data = _baseline_of_zeros(ac=full + symbols)
    noise = np.random.default_rng(0).integers(0, 256, (16, 16)).astype(np.uint8)
    new = spliced(data, [SamplePatch(8, 8, noise, np.ones((16, 16), bool))])
    header = data.index(b"\xff\xda")
    kinds_used = np.abs(coefficients(new)[0]).max()
    assert kinds_used >= 1
    assert decoded(new)[8:24, 8:24].std() > 15
    assert new[:header].count(b"\xff\xc4") == data[:header].count(b"\xff\xc4")


def _baseline_of_zeros(ac: bytes) -> bytes:
    """A grey file of 32×32 whose blocks are all grey, with an AC table of one's own."""

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body

    dc = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]) + bytes(range(12))
    # DC size 0 is the code 00, the end of a block the second code of two bits: 01
    bits = "0001" * 16
    scan = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return b"".join([
        b"\xff\xd8", segment(0xDB, bytes([0]) + bytes([8] * 64)),
        segment(0xC0, bytes([8, 0, 32, 0, 32, 1, 1, 0x11, 0])),
        segment(0xC4, bytes([0x00]) + dc), segment(0xC4, bytes([0x10]) + ac),
        segment(0xDA, bytes([1, 1, 0, 0, 63, 0])), scan, b"\xff\xd9",
    ])  # fmt: skip


def test_quantisation_of_sixteen_bits() -> None:
    data = _baseline_of_zeros(ac=bytes([0, 2, *[0] * 14]) + bytes([0x01, 0x00]))
    begin = data.index(b"\xff\xdb")
    wide = bytes([0xFF, 0xDB, 0, 131, 0x10]) + (300).to_bytes(2, "big") * 64
    data = data[:begin] + wide + data[begin + 69 :]
    data = data.replace(b"\xff\xc0", b"\xff\xc1")
    new = spliced(data, [SamplePatch(8, 8, np.full((8, 8), 200, np.uint8), np.ones((8, 8), bool))])
    assert coefficients(new)[0][1, 1, 0] == round(8 * 72 / 300)


def test_arithmetic_coding_is_refused() -> None:
    data = odd_kind("arithmetic", 16, 16)
    with pytest.raises(UnsupportedJpegError, match="arithmetic"):
        spliced(data, patches_for(picture(16, 16)))


@pytest.mark.parametrize(("marker", "words"), [(0xC3, "lossless"), (0xC5, "hierarchical")])
def test_other_processes_are_refused(marker, words) -> None:
    data = pillow(picture(16, 16)).replace(b"\xff\xc0", bytes([0xFF, marker]))
    with pytest.raises(UnsupportedJpegError, match=words):
        spliced(data, patches_for(picture(16, 16)))


def test_twelve_bits_are_refused() -> None:
    data = pillow(picture(16, 16))
    at = data.index(b"\xff\xc0") + 4
    with pytest.raises(UnsupportedJpegError, match="12 bits"):
        spliced(data[:at] + b"\x0c" + data[at + 1 :], patches_for(picture(16, 16)))


def test_a_progressive_file_that_is_too_large_is_refused_at_once() -> None:
    data = pillow(picture(16, 16), progressive=True)
    at = data.index(b"\xff\xc2") + 5
    with pytest.raises(UnsupportedJpegError, match="too large"):
        Splicer(
            data[:at] + b"\xff\x00\xff\x00" + data[at + 4 :], [Hole(0, 0, np.ones((1, 1), bool))]
        )


@pytest.mark.skipif(shutil.which("djpeg") is None, reason="needs Debian's libjpeg-turbo-progs")
@pytest.mark.parametrize("name", NAMES)
def test_djpeg_has_nothing_to_say(files, name) -> None:
    data = files[HEIGHT, WIDTH][name]
    new = spliced(data, patches_for(decoded(data)))
    done = subprocess.run(["djpeg", "-outfile", "/dev/null"], input=new, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("name", ["4:2:0", "progressive", "restarts", "many bits"])
def test_truncated_files_are_refused(files, name) -> None:
    data = files[HEIGHT, WIDTH][name]
    patches = patches_for(picture(HEIGHT, WIDTH))
    for end in range(0, len(data) - 1, 37):
        with pytest.raises(SpliceError):
            spliced(data[:end], patches)
    with pytest.raises(SpliceError):
        spliced(data[: len(data) // 2] + b"\xff\xd9", patches)


def test_patches_that_do_not_fit_are_refused() -> None:
    data = pillow(picture(16, 16))
    hole = np.ones((4, 4), bool)
    for patch in (
        SamplePatch(13, 0, np.zeros((4, 4, 3), np.uint8), hole),
        SamplePatch(0, -1, np.zeros((4, 4, 3), np.uint8), hole),
        SamplePatch(0, 0, np.zeros((4, 4), np.uint8), hole),
        SamplePatch(0, 0, np.zeros((4, 4, 3), np.uint16), hole),
    ):
        with pytest.raises(ValueError, match=r"patch|hole"):
            spliced(data, [patch])


@pytest.mark.parametrize("name", NAMES)
def test_mutated_files_give_a_file_or_a_reason(files, name) -> None:
    data = files[HEIGHT, WIDTH][name]
    patches = patches_for(decoded(data))
    random = np.random.default_rng(NAMES.index(name))
    for _ in range(25):
        broken = bytearray(data)
        for _ in range(random.integers(1, 8)):
            start = 2 if random.random() < 0.5 else data.index(b"\xff\xda")
            broken[random.integers(start, len(data))] = random.integers(256)
        try:
            Splicer(bytes(broken), patches)
        except SpliceError:
            continue
        except ValueError as error:  # the size or the number of planes was hit
            assert "does not fit" in str(error)  # noqa: PT017


def test_an_unclear_end_is_looked_for() -> None:
    """The ones that fill up the last byte never become a byte of their own."""
    for seed in range(24):
        data = pillow(picture(24, 24, 1, seed), quality=60 + seed)
        new = spliced(
            data, [SamplePatch(0, 0, picture(3, 3, 1, seed + 1)[..., 0], np.ones((3, 3), bool))]
        )
        coefficients(new)  # asserts it


def test_broken_is_a_reason_of_its_own() -> None:
    with pytest.raises(BrokenJpegError):
        spliced(b"no picture", [])
