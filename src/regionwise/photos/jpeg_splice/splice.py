"""Put new pixels into a JPEG file and leave all other blocks as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Numbers
from regionwise.photos.jpeg_splice.ac_scan import AcScan
from regionwise.photos.jpeg_splice.dc_refinement import DcRefinement
from regionwise.photos.jpeg_splice.dct import samples_of
from regionwise.photos.jpeg_splice.errors import UnsupportedJpegError
from regionwise.photos.jpeg_splice.fitting import FILLED, OUTSIDE, fitted
from regionwise.photos.jpeg_splice.planes import (
    PLANES,
    HolePlace,
    NewSamples,
    SamplePatch,
    inside,
    new_samples,
    touched_blocks,
)
from regionwise.photos.jpeg_splice.scan import Blocks, Edit, Scan, Unwritable
from regionwise.photos.jpeg_splice.sequential_scan import SequentialScan
from regionwise.photos.jpeg_splice.structure import Structure, parse
from regionwise.photos.jpeg_splice.tables import Tables

_MOST_TRIES = 64
_MOST_PROGRESSIVE = 600_000_000  # pixels × scans; beyond, time and memory are too much
_NEVER = 99  # bits that a coefficient lacks before its first scan


def spliced(data: bytes, patches: Sequence[SamplePatch]) -> bytes:
    """Write a JPEG with new pixels in some places, see `Splicer`."""
    return Splicer(data, patches).written(patches)


class Splicer:
    """A JPEG file in which some places will get new pixels.

    Only blocks that hold new pixels get other coefficients. All others keep theirs bit for bit, and
    all markers their bytes, in their order; so do bytes behind the picture. Huffman tables that
    lack a symbol get it behind their own. Known samples in a block with new ones come out as near
    as its quantisation lets them.

    Making it is most of the work, and asks for the holes alone: it can be done while these are
    filled.

    Args:
        data: a JPEG file: baseline, extended or progressive DCT, Huffman-coded, 8 bits; L, RGB,
            YCbCr, CMYK or YCCK in any sampling by whole numbers.
        holes: in the orientation of the file.

    Raises:
        UnsupportedJpegError: for other kinds of JPEG.
        BrokenJpegError: if the file is cut short or contradicts itself.
        ValueError: if a hole does not fit the picture.
    """

    def __init__(self, data: bytes, holes: Sequence[HolePlace]) -> None:
        self._data = data
        self._structure = parse(data)
        for hole in holes:
            _check_place(hole, self._structure)
        self._touched = touched_blocks(self._structure, holes)
        self._blocks: Blocks = {
            number: np.zeros((len(one), 64), np.int32) for number, one in self._touched.items()
        }
        self._scans: list[Scan] = []
        if len(self._touched[0]):
            self._scans = _scans(data, self._structure, self._touched)
        for scan in self._scans:
            scan.read_into(self._blocks)

    def written(self, patches: Sequence[SamplePatch]) -> bytes:
        """The file with new pixels.

        Args:
            patches: with the holes that were told, or others in the same blocks. Not under its
                hole, a patch is not read.

        Raises:
            UnsupportedJpegError: if the file's Huffman tables can't hold the new picture.
            ValueError: if a patch does not fit the picture or the holes.
        """
        for patch in patches:
            _check_place(patch, self._structure)
            _check_samples(patch, self._structure)
        touched = touched_blocks(self._structure, patches)
        if not all(np.array_equal(touched[number], one) for number, one in self._touched.items()):
            raise ValueError("the patches lie in other blocks than the holes that were told")
        if not self._scans:
            return self._data
        new = new_samples(self._structure, patches)
        blocks = {
            number: _filled(self._structure, number, one, self._blocks[number])
            for number, one in enumerate(new)
        }
        return _written(self._data, self._structure, self._scans, blocks)


def _check_samples(patch: SamplePatch, structure: Structure) -> None:
    channels = PLANES[structure.colors]
    shape = patch.hole.shape if channels == 1 else (*patch.hole.shape, channels)
    if patch.samples.shape != shape or patch.samples.dtype != np.uint8:
        raise ValueError(
            f"a patch of {patch.samples.dtype} {patch.samples.shape} for a file of "
            f"{structure.colors} and a hole of {patch.hole.shape}"
        )


def _check_place(window: HolePlace, structure: Structure) -> None:
    height, width = window.hole.shape
    frame = structure.frame
    if not (0 <= window.top <= frame.height - height and 0 <= window.left <= frame.width - width):
        raise ValueError(
            f"a hole of {width}×{height} at row {window.top}, column {window.left} does not fit "
            f"a picture of {frame.width}×{frame.height}"
        )


def _scans(data: bytes, structure: Structure, touched: dict[int, Numbers]) -> list[Scan]:
    _check_progress(structure)
    history = {
        number: np.zeros((one.rows * one.columns, 64), np.bool_)
        for number, one in enumerate(structure.frame.components)
        if structure.frame.progressive
    }
    scans: list[Scan] = []
    for number, scan in enumerate(structure.scans):
        if scan.first:
            one = scan.components[0]
            scans.append(AcScan(data, structure, number, touched[one], history[one]))
        elif scan.high:
            scans.append(DcRefinement(data, structure, number, touched))
        else:
            scans.append(SequentialScan(data, structure, number, touched))
    return scans


def _check_progress(structure: Structure) -> None:
    """See that each coefficient is told once, and then refined bit by bit to its last one."""
    frame = structure.frame
    pixels = frame.height * frame.width
    if frame.progressive and pixels * len(structure.scans) > _MOST_PROGRESSIVE:
        raise UnsupportedJpegError("it is progressive and too large")
    missing = np.full((len(structure.frame.components), 64), _NEVER)
    for scan in structure.scans:
        band = np.s_[list(scan.components), scan.first : scan.last + 1]
        if (missing[band] != (scan.high or _NEVER)).any():
            raise UnsupportedJpegError("its scans do not follow one another as they should")
        missing[band] = scan.low
    if missing.any():
        raise UnsupportedJpegError("it lacks its last scans")


def _filled(
    structure: Structure, number: int, new: NewSamples, old: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    """New coefficients of a plane's touched blocks."""
    steps = structure.quantization[number]
    samples = samples_of(old, steps)
    weights = 1 - (1 - np.float32(FILLED)) * new.share
    weights[~inside(structure, number, new.blocks)] = OUTSIDE
    return fitted(samples + new.share * (new.value - samples), weights, steps)


def _written(data: bytes, structure: Structure, scans: Sequence[Scan], blocks: Blocks) -> bytes:
    """The file with other touched blocks.

    A coefficient that no table has a code for, nor room for one, is halved until it has.
    """
    tables = Tables(structure.tables)
    for _ in range(_MOST_TRIES):
        edits: list[Edit] = []
        changed = False
        for scan in scans:
            some, bad = scan.rewrite(blocks, tables)
            while bad:
                changed = True
                _halve(blocks, bad)
                some, bad = scan.rewrite(blocks, tables)
            edits += some
        if not changed:
            return _edited(data, [*edits, *tables.edits(data)])
    raise UnsupportedJpegError("its Huffman tables can't hold the new picture")


def _halve(blocks: Blocks, unwritable: Sequence[Unwritable]) -> None:
    if not any(len(one.slot) for one in unwritable):
        raise UnsupportedJpegError("its Huffman tables lack symbols of its own blocks")
    for one in unwritable:
        values = blocks[one.component][one.slot, one.k]
        blocks[one.component][one.slot, one.k] = np.sign(values) * (np.abs(values) // 2)


def _edited(data: bytes, edits: Iterable[Edit]) -> bytes:
    parts, at = [], 0
    for begin, end, new in sorted(edits):
        parts += [data[at:begin], new]
        at = end
    return b"".join([*parts, data[at:]])
