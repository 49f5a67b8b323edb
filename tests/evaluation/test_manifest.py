import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from tests.support.pictures import open_picture

from regionwise.errors import DataError, OutputError
from regionwise.evaluation.manifest import (
    Manifest,
    MaskSet,
    checksum,
    protocol_names,
    read_manifest,
)
from regionwise.evaluation.mask_files import count_masks, draw_histogram, read_masks, write_masks


def small(**changes):
    one = {"name": "a", "mixture": {"irregular": 1, "rectangle": 2}, "count": 6, "seed": 4}
    one |= {"ratio": (0.2, 0.3), "size": (40, 56), "margins": (0.0, 0.05)} | changes
    return Manifest(name="small", title="", sets=(MaskSet(**one),))


def test_the_protocols_are_those_of_the_papers_and_our_own():
    assert protocol_names() == [
        "bakeoff-256",
        "bakeoff-512",
        "card",
        "deepgin-table-2",
        "deepgin-table-2-aim",
        "madf-table-1",
        "region-wise-table-2",
        "region-wise-table-3",
        "rn-table-1",
    ]
    madf = read_manifest("madf-table-1")
    assert [one.ratio for one in madf.sets] == [
        (0.01, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.6), None
    ]  # fmt: skip


@pytest.mark.parametrize("name", protocol_names())
def test_a_protocol_draws_its_masks_bit_for_bit(name):
    protocol = read_manifest(name)
    for one in protocol.sets:
        for number in range(0, one.count, 40):  # each draw is held against its checksum
            mask = one.draw(number)
            if one.ratio:
                assert one.ratio[0] < mask.mean() <= one.ratio[1]
        assert len(one.masks) == one.count


@pytest.mark.slow
@pytest.mark.parametrize("name", protocol_names())
def test_a_protocol_draws_all_its_masks_bit_for_bit(name):
    for one in read_manifest(name).sets:
        assert sum(1 for _ in one.draw_all()) == one.count


def test_the_challenges_masks_leave_half_of_the_picture():
    automaton = read_manifest("deepgin-table-2-aim").sets[0]
    share = np.mean([automaton.draw(number).mean() for number in range(100)])
    assert share == pytest.approx(0.52, abs=0.03)


def test_no_two_masks_of_a_protocol_are_the_same():
    for name in protocol_names():
        sums = [one for s in read_manifest(name).sets if s.count > 1 for one in s.masks]
        assert len(set(sums)) == len(sums)


def test_half_of_the_irregular_masks_keep_the_border_clear():
    one = read_manifest("rn-table-1").sets[3]
    statistics = count_masks(one.draw(number) for number in range(40))
    assert statistics.at_border == 20


def test_checksums_tell_size_and_pixels():
    mask = np.zeros((4, 6), bool)
    packed = hashlib.sha256(b"4x6\n" + bytes(3)).hexdigest()
    assert checksum(mask) == packed
    assert checksum(mask.reshape(6, 4)) != packed
    mask[3, 5] = True
    assert checksum(mask) != packed


def test_a_written_set_can_be_read_and_drawn_again(tmp_path):
    files = list(write_masks(small(), tmp_path / "one"))
    assert [file.name for file in files] == [f"{number:05d}.png" for number in range(6)]
    manifest = read_manifest(tmp_path / "one")
    assert manifest.sets[0].sha256
    for file, mask in zip(files, manifest.sets[0].draw_all(), strict=True):
        assert (np.asarray(open_picture(file)) == mask).all()
    list(write_masks(manifest, tmp_path / "two"))
    for file in files:
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    one, two = (tmp_path / name / "manifest.json" for name in ("one", "two"))
    assert one.read_text() == two.read_text()


def test_a_set_is_not_written_over(tmp_path):
    list(write_masks(small(), tmp_path))
    with pytest.raises(OutputError, match=r"manifest\.json exists"):
        list(write_masks(small(seed=5), tmp_path))
    list(write_masks(small(seed=5), tmp_path, overwrite=True))
    assert read_manifest(tmp_path).sets[0].seed == 5


def test_a_mask_that_is_not_the_manifests_is_refused(tmp_path):
    sealed = small().sealed()
    forged = sealed.sets[0].model_copy(update={"seed": 99})
    with pytest.raises(DataError, match="mask 0 of 'a' is not the manifest's"):
        forged.draw(0)
    cut = sealed.sets[0].model_copy(update={"sha256": "0" * 64})
    with pytest.raises(DataError, match="not those of the manifest"):
        list(cut.draw_all())


def test_the_manifests_checksum_is_of_what_it_says(tmp_path):
    manifest = small().sealed()
    file = tmp_path / "m.json"
    file.write_text(json.dumps(json.loads(manifest.to_json()), indent=7))
    assert read_manifest(file).sha256 == manifest.sha256
    assert small(seed=5).sha256 != small().sha256


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not a manifest"), ('{"name": "x"}', "title"), ("[]", "not a manifest: the whole")],
)
def test_a_broken_manifest_is_refused_in_one_line(tmp_path, text, message):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_manifest(tmp_path / "m.json")
    assert "\n" not in str(caught.value)


def test_an_unknown_protocol_names_those_there_are():
    with pytest.raises(DataError, match=r"rn-table-2: no such protocol or manifest.*rn-table-1"):
        read_manifest("rn-table-2")


def test_ratios_are_counted_in_the_papers_bins():
    masks = [np.arange(100).reshape(10, 10) < count for count in (0, 5, 10, 11, 30, 31, 100)]
    statistics = count_masks(masks)
    assert statistics.histogram.tolist() == [3, 1, 1, 1, 0, 0, 0, 0, 0, 1]
    assert statistics.at_border == 6
    assert draw_histogram(statistics).size == (640, 360)
    with pytest.raises(DataError, match="no masks"):
        count_masks([])


def test_masks_are_read_from_folders_and_protocols(tmp_path):
    list(write_masks(small(), tmp_path))
    drawn = list(small().sets[0].draw_all())
    for source in (str(tmp_path), str(tmp_path / "manifest.json")):
        assert all((a == b).all() for a, b in zip(read_masks(source), drawn, strict=True))


def test_two_processes_draw_the_same_masks():
    program = (
        "from regionwise.evaluation.manifest import read_manifest as r, checksum as c;"
        "print(c(r('deepgin-table-2').sets[1].draw(77)))"
    )
    outputs = {subprocess.check_output([sys.executable, "-c", program]) for _ in range(2)}
    assert outputs == {checksum(read_manifest("deepgin-table-2").sets[1].draw(77)).encode() + b"\n"}
