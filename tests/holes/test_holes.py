import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import binary_erosion, label
from skimage.morphology import convex_hull_image

from regionwise.errors import DataError, MaskError
from regionwise.holes import (
    FAMILIES,
    StoredMasks,
    aim_automaton,
    cellular_automaton,
    center_square,
    contiguous,
    discontiguous,
    draw_hole,
    pixel_counts,
    rectangle,
    settle,
)

BINS = [(0.01, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.6)]
names = st.sampled_from(sorted(FAMILIES))
sides = st.integers(1, 48)


def exists(pixels, ratio):
    return any(ratio[0] < count / pixels <= ratio[1] for count in range(pixels + 1))


@settings(max_examples=150, deadline=None)
@given(names, sides, sides, st.sampled_from(BINS), st.integers(0, 2**32))
def test_each_family_meets_the_ratio_at_any_size(name, height, width, ratio, seed):
    rng = np.random.default_rng(seed)
    if not exists(height * width, ratio):
        with pytest.raises(DataError, match="larger picture or a wider interval"):
            FAMILIES[name]((height, width), rng, ratio)
        return
    mask = FAMILIES[name]((height, width), rng, ratio)
    assert mask.shape == (height, width)
    assert mask.dtype == bool
    assert ratio[0] < mask.mean() <= ratio[1]


@settings(max_examples=60, deadline=None)
@given(names, sides, sides, st.integers(0, 2**32))
def test_each_family_draws_without_a_ratio(name, height, width, seed):
    mask = FAMILIES[name]((height, width), np.random.default_rng(seed), None)
    assert mask.shape == (height, width)
    assert mask.any() or name == "free-form"  # its strokes may run off a picture of a few pixels


@settings(max_examples=80, deadline=None)
@given(names, st.integers(12, 64), st.integers(12, 64), st.sampled_from(BINS), st.integers(0, 999))
def test_a_margin_keeps_the_border_known_and_the_ratio_met(name, height, width, ratio, seed):
    assume(exists(height * width, ratio))
    rng = np.random.default_rng(seed)
    mask = draw_hole((height, width), rng, {name: 1}, ratio, margin=0.05)
    assert ratio[0] < mask.mean() <= ratio[1]
    assert mask[1:-1, 1:-1].sum() == mask.sum()


def test_a_margin_that_leaves_no_room_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="does not fit inside the margin"):
        draw_hole((32, 32), rng, {"irregular": 1}, (0.5, 0.6), margin=0.2)
    with pytest.raises(DataError, match="leaves nothing"):
        draw_hole((32, 32), rng, {"irregular": 1}, None, margin=0.5)


@settings(deadline=None)
@given(st.integers(1, 400), st.integers(0, 99), st.integers(1, 100))
def test_pixel_counts_are_what_a_comparison_of_shares_says(pixels, low, width):
    ratio = (low / 100, min(low + width, 100) / 100)
    fitting = [n for n in range(pixels + 1) if ratio[0] < n / pixels <= ratio[1]]
    if fitting:
        assert pixel_counts(pixels, ratio) == (fitting[0], fitting[-1])
    else:
        with pytest.raises(DataError):
            pixel_counts(pixels, ratio)


@pytest.mark.parametrize("ratio", [(0.3, 0.3), (0.4, 0.2), (-0.1, 0.5), (0.5, 1.1)])
def test_an_impossible_ratio_is_refused(ratio):
    with pytest.raises(DataError, match="0 <= low < high <= 1"):
        pixel_counts(100, ratio)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1), st.integers(0, 12), st.integers(1, 12))
def test_settling_changes_no_more_pixels_than_needed(seed, density, low, width):
    mask = np.random.default_rng(seed).random((9, 11)) < density
    ratio = (low / 25, (low + width) / 25)
    fewest, most = pixel_counts(mask.size, ratio)
    settled = settle(mask, ratio)
    wanted = min(max(mask.sum(), fewest), most)
    assert settled.sum() == wanted
    assert (settled != mask).sum() == abs(wanted - mask.sum())


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_the_same_seed_draws_the_same_hole(name):
    first, again, other = (
        draw_hole((61, 83), np.random.default_rng(seed), {name: 1}, (0.2, 0.3))
        for seed in (7, 7, 8)
    )
    assert (first == again).all()
    assert (first != other).any()


YOUNGER = {"aim-automaton", "scratches", "silhouette", "text"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (sorted(FAMILIES.keys() - YOUNGER), "76a7443902db75a2"),
        (["aim-automaton"], "2c30e8b879eb3d81"),
        (["scratches", "silhouette"], "357c4ac18727d48e"),  # text is as FreeType's version draws it
    ],
)
def test_the_drawing_is_the_same_on_every_machine(names, expected):
    rng = np.random.default_rng(2020)
    digest = hashlib.sha256()
    for name in names:
        for ratio in BINS:
            digest.update(np.packbits(draw_hole((96, 80), rng, {name: 1}, ratio)).tobytes())
    assert digest.hexdigest()[:16] == expected


def test_scratches_are_thin():
    rng = np.random.default_rng(3)
    for _ in range(10):
        mask = draw_hole((200, 200), rng, {"scratches": 1})
        assert mask.any()
        assert binary_erosion(mask, np.ones((3, 3)), iterations=4).mean() < 0.01


def test_a_silhouette_is_one_piece_with_limbs():
    rng = np.random.default_rng(4)
    solidity = []
    for _ in range(20):
        mask = draw_hole((128, 128), rng, {"silhouette": 1}, (0.05, 0.2))
        assert label(mask, np.ones((3, 3)))[1] == 1
        solidity.append(mask.sum() / convex_hull_image(mask).sum())
    assert np.median(solidity) < 0.85  # blobs have more


def test_text_is_many_small_parts():
    rng = np.random.default_rng(5)
    parts = [label(draw_hole((128, 128), rng, {"text": 1}))[1] for _ in range(20)]
    assert np.median(parts) >= 8


def test_the_regular_hole_is_a_quarter_in_the_middle():
    mask = center_square((256, 256), np.random.default_rng(0))
    assert mask.sum() == 128 * 128
    assert mask[64:192, 64:192].all()
    assert (mask == mask[::-1, ::-1]).all()


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([None, *BINS]))
def test_a_rectangle_is_one(seed, ratio):
    mask = rectangle((60, 90), np.random.default_rng(seed), ratio)
    rows, columns = mask.any(axis=1), mask.any(axis=0)
    assert mask.sum() == rows.sum() * columns.sum()
    if ratio is None:
        assert 0.3 * 60 - 1 < rows.sum() < 0.7 * 60 + 1
        assert 0.3 * 90 - 1 < columns.sum() < 0.7 * 90 + 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(BINS))
def test_contiguous_is_one_piece_and_discontiguous_many(seed, ratio):
    neighbours = np.ones((3, 3))
    one = contiguous((128, 128), np.random.default_rng(seed), ratio)
    assert label(one, neighbours)[1] == 1
    if ratio[1] <= 0.4:
        many = discontiguous((128, 128), np.random.default_rng(seed), ratio)
        assert label(many, neighbours)[1] >= 2


def test_the_challenges_automaton_is_the_harder_one():
    """Half of the picture on average, with longer borders than the report's automaton has."""

    def border(mask):
        return np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(
            mask[:, 1:] != mask[:, :-1]
        )

    rng = np.random.default_rng(0)
    theirs = [aim_automaton((256, 256), rng) for _ in range(200)]
    ours = [cellular_automaton((256, 256), rng) for _ in range(50)]
    shares = [mask.mean() for mask in theirs]
    assert np.mean(shares) == pytest.approx(0.52, abs=0.02)
    assert np.mean([border(m) for m in theirs]) > 1.7 * np.mean([border(m) for m in ours])


def test_the_cellular_automaton_follows_the_rule_of_neighbours():
    """The median of grey noise, cut anywhere, is the automaton started from the noise, so cut."""
    from PIL import ImageFilter

    noise = np.random.default_rng(3).integers(0, 256, (20, 24), dtype=np.uint8)
    grey = Image.fromarray(noise)
    for _ in range(3):
        grey = grey.filter(ImageFilter.MedianFilter(3))
    for level in (90, 120, 127, 140, 200):
        cells = noise <= level
        for _ in range(3):
            padded = np.pad(cells, 1, mode="edge")
            after = np.empty_like(cells)
            for row, column in np.ndindex(cells.shape):
                window = padded[row : row + 3, column : column + 3]
                neighbours = window.sum() - cells[row, column]
                after[row, column] = neighbours >= (4 if cells[row, column] else 5)
            cells = after
        assert (cells == (np.asarray(grey) <= level)).all()


def test_cells_have_at_least_two_pixels_at_256():
    mask = cellular_automaton((256, 256), np.random.default_rng(1), (0.3, 0.4))
    assert 0.3 < mask.mean() <= 0.4
    assert label(mask)[1] > 5


def test_a_mixture_draws_by_weight():
    families = {
        "none": lambda size, rng, ratio: np.zeros(size, bool),
        "all": lambda size, rng, ratio: np.ones(size, bool),
        "never": lambda size, rng, ratio: pytest.fail("a weight of 0 was drawn"),
    }
    rng = np.random.default_rng(0)
    mixture = {"none": 1, "all": 3, "never": 0}
    drawn = [draw_hole((1, 1), rng, mixture, families=families).item() for _ in range(2000)]
    assert 0.71 < np.mean(drawn) < 0.79


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ({"oval": 1}, "no hole family 'oval'; there are"),
        ({}, "weights"),
        ({"irregular": 0}, "weights"),
    ],
)
def test_a_bad_mixture_is_refused(mixture, message):
    with pytest.raises(DataError, match=message):
        draw_hole((8, 8), np.random.default_rng(0), mixture)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    for number in range(5):
        grey = np.full((40, 30), 100, np.uint8)  # below 50 %: known
        grey[: 8 * (number + 1)] = 140
        Image.fromarray(grey).save(tmp_path / f"{number}.png")
    return tmp_path


def test_stored_masks_are_cut_at_half_and_fitted(stored):
    masks = StoredMasks([stored], augment=False)
    assert [masks.read(number).mean() for number in range(5)] == pytest.approx(
        [0.2, 0.4, 0.6, 0.8, 1]
    )
    mask = masks((20, 15), np.random.default_rng(0), (0.35, 0.45))
    assert mask[:8].all()
    assert not mask[8:].any()


def test_stored_masks_from_a_tar_are_those_of_the_folder(stored, tmp_path):
    with tarfile.open(tmp_path / "masks.tar", "w") as archive:
        for file in sorted(stored.glob("*.png")):
            archive.add(file, file.name)
        archive.addfile(tarfile.TarInfo("readme.txt"), io.BytesIO())
    from_tar = StoredMasks([tmp_path / "masks.tar"])
    for seed in range(5):
        ours = from_tar((33, 21), np.random.default_rng(seed), (0.1, 0.6))
        theirs = StoredMasks(sorted(stored.glob("*.png")))(
            (33, 21), np.random.default_rng(seed), (0.1, 0.6)
        )
        assert (ours == theirs).all()


def test_black_can_be_what_is_missing(stored):
    plain, inverted = (StoredMasks([stored], augment=False, invert=turn) for turn in (False, True))
    assert all((plain.read(number) != inverted.read(number)).all() for number in range(5))


def test_masks_are_read_when_they_are_drawn(stored):
    """55,116 of them would not fit into each process's memory."""
    masks = StoredMasks([stored], augment=False)
    Image.fromarray(np.full((40, 30), 255, np.uint8)).save(stored / "0.png")
    assert masks.read(0).all()


def test_slightly_augmented_masks_are_turned_by_ten_degrees_at_most(tmp_path):
    """As MADF's released code does it: a bar in the middle stays nearly as it was."""
    grey = np.zeros((101, 101), np.uint8)
    grey[48:53] = 255
    Image.fromarray(grey).save(tmp_path / "bar.png")
    rng = np.random.default_rng(0)
    slight = StoredMasks([tmp_path], augment="slightly")
    drawn = [slight((101, 101), rng) for _ in range(40)]
    reach = round(50 * np.tan(np.deg2rad(10))) + 3
    assert all(not mask[: 50 - reach].any() and not mask[51 + reach :].any() for mask in drawn)
    assert all(mask[50].all() for mask in (mask[:, 45:56] for mask in drawn))
    assert len({mask.tobytes() for mask in drawn}) > 10


def test_augmented_masks_meet_the_ratio_and_differ(stored):
    masks = StoredMasks([stored])
    rng = np.random.default_rng(0)
    drawn = [masks((32, 48), rng, (0.2, 0.4)) for _ in range(20)]
    assert all(0.2 < mask.mean() <= 0.4 for mask in drawn)
    assert len({mask.tobytes() for mask in drawn}) == 20


def test_bad_stores_are_refused(stored, tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        StoredMasks([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no masks in"):
        StoredMasks([tmp_path / "empty"])
    (tmp_path / "broken.tar").write_bytes(b"x" * 600)
    with pytest.raises(DataError, match="not a readable tar"):
        StoredMasks([tmp_path / "broken.tar"])
    (tmp_path / "empty" / "torn.png").write_bytes(b"\x89PNG")
    with pytest.raises(MaskError, match=r"torn\.png: not a readable mask"):
        StoredMasks([tmp_path / "empty"])((8, 8), np.random.default_rng(0))
    with pytest.raises(DataError, match=r"hole ratio in \(0\.01, 0\.02\]"):
        StoredMasks(sorted(stored.glob("?.png")), augment=False)(
            (40, 30), np.random.default_rng(0), (0.01, 0.02)
        )
