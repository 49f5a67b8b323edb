"""Where each block begins in a stretch of entropy-coded bits.

A Huffman code can only be read from its beginning, one symbol after the other, which is slow in
Python. But a reader that begins anywhere soon falls into step with the true one, as codes
synchronise themselves. So thousands of readers, a lane each, begin at even distances, step all at
once as arrays, and begin a little before the stretch that they are to read. A lane's stretch counts
only if the one before it, in which the first is true, ends in the very block where it begins; where
it doesn't, it is read again from there, one symbol after the other. So what comes out never depends
on luck.

Source: the idea is Klein and Wiseman's, "Parallel Huffman Decoding with Applications to JPEG Files"
(The Computer Journal, 2003).
"""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Bytes, Numbers
from regionwise.photos.jpeg_splice.bits import windows
from regionwise.photos.jpeg_splice.block_tables import END_OF_BLOCK, INVALID, STRIDE, BlockTables
from regionwise.photos.jpeg_splice.errors import BrokenJpegError

_LANES = 3072
_SHORTEST, _LONGEST = 768, 3072  # bytes of a lane's stretch
_AHEAD = 768  # bytes before its stretch where a lane begins
_SERIAL = 65_536  # bytes that are read as fast by a single reader
_EPOCH = 32  # steps after which lanes that are through are left out
_PLACE = 4  # bits of a key below the position: the next block's place in the MCU
_WRONG = 15


def block_positions(
    data: Bytes, tables: BlockTables, count: int, total: int, start: int = 0
) -> Numbers:
    """Find consecutive blocks in some entropy-coded bytes.

    Args:
        data: a restart interval, without stuffing.
        tables: how to step through its MCUs.
        count: how many blocks to find.
        total: how many there are from the first one on.
        start: the bit where it begins, an MCU's first one.

    Returns:
        count + 1 positions in bits: where each block begins, and where the last one ends.

    Raises:
        BrokenJpegError: if the bytes end before, or hold bits that are no code.
    """
    found = [np.array([start])]
    missing, key = count, start << _PLACE
    begin = start >> 3
    while missing > 0 and begin < len(data):
        rest = len(data) - begin
        guess = rest * missing * 9 // (8 * (total - count + missing)) + _LONGEST
        end = begin + min(rest, guess, _LANES * _LONGEST)
        keys = _stretch(data, begin, end, key, tables)
        if len(keys):
            if (keys & _WRONG == _WRONG)[:missing].any():
                raise BrokenJpegError("it holds bits that are no code")
            key = int(keys[-1])
        found.append(keys[:missing] >> _PLACE)
        missing -= len(keys)
        begin = end
    positions = np.concatenate(found)
    if missing > 0 or positions[-1] > 8 * len(data):
        raise BrokenJpegError("it ends before its last block")
    return positions


def _stretch(data: Bytes, begin: int, end: int, key: int, tables: BlockTables) -> Numbers:
    """The keys of all blocks that end after `key` and, save the last one, before byte `end`."""
    if end - begin <= _SERIAL:
        return _serial(data, key, 8 * end, tables)
    stretch = min(max((end - begin) // _LANES, _SHORTEST), _LONGEST)
    bounds = np.append(np.arange(begin, end, stretch), end) * 8
    starts = np.maximum(bounds[:-1] - 8 * _AHEAD, 8 * begin)
    states = np.zeros(len(starts), np.int64)
    starts[0], states[0] = key >> _PLACE, (key & _WRONG) * STRIDE
    lanes, ends = _race(data, starts, states, bounds[1:], tables)
    order = np.argsort(lanes.astype(np.int16), kind="stable")  # a radix sort
    return _chained(data, key, lanes[order], ends[order], bounds, tables)


def _race(
    data: Bytes, position: Numbers, state: Numbers, bounds: Numbers, tables: BlockTables
) -> tuple[Numbers, Numbers]:
    """Let each lane step until a block ends at its bound or after it.

    Returns:
        For each block that ended its lane and its key, in the order of each lane's steps.
    """
    first = int(position.min()) >> 3
    view = windows(data[first : (int(bounds[-1]) >> 3) + 256])
    position = position - 8 * first
    bounds = bounds - 8 * first
    lane = np.arange(len(position))
    through = np.zeros(len(lane), np.bool_)
    lanes, keys = [], []
    while len(lane):
        at, raw = _steps(view, position, state, tables)
        ends = np.flatnonzero(raw & (END_OF_BLOCK | INVALID))
        owner = np.tile(lane, _EPOCH)[ends]
        ended, kind = at[1:].ravel()[ends], raw.ravel()[ends]
        place = np.where(kind & INVALID, _WRONG, tables.following[kind] // STRIDE)
        lanes.append(owner)
        keys.append((ended + 8 * first) << _PLACE | place)
        through[owner[ended >= bounds[owner]]] = True
        going = ~through[lane]
        lane, position, state = lane[going], at[-1][going], tables.following[raw[-1]][going]
    return np.concatenate(lanes), np.concatenate(keys)


def _steps(
    view: Numbers, position: Numbers, state: Numbers, tables: BlockTables
) -> tuple[Numbers, Numbers]:
    """Take an epoch of steps.

    Returns:
        The positions, first those at the beginning, and the states after each step, as they are
        before `BlockTables.following`.
    """
    at = np.empty((_EPOCH + 1, len(position)), np.int64)
    raw = np.empty((_EPOCH, len(position)), np.int64)
    at[0] = position
    state = state.copy()
    index, window = np.empty_like(state), np.empty_like(state)
    for step in range(_EPOCH):
        np.right_shift(at[step], 3, out=index)
        view.take(index, out=window, mode="clip")
        np.bitwise_and(at[step], 7, out=index)
        np.subtract(16, index, out=index)
        np.right_shift(window, index, out=window)
        np.bitwise_and(window, 0xFFFF, out=window)
        tables.row.take(state, out=index, mode="clip")
        np.add(index, window, out=index)
        tables.steps.take(index, out=window, mode="clip")
        np.bitwise_and(window, 31, out=index)
        np.add(at[step], index, out=at[step + 1])
        np.right_shift(window, 5, out=window)
        np.add(state, window, out=raw[step])
        tables.following.take(raw[step], out=state, mode="clip")
    return at, raw


def _chained(
    data: Bytes, key: int, lanes: Numbers, keys: Numbers, bounds: Numbers, tables: BlockTables
) -> Numbers:
    """Put the lanes' stretches together where they meet, and read again those that don't."""
    count = len(bounds) - 1
    offsets = np.searchsorted(lanes, np.arange(count + 1))
    past = keys >> _PLACE
    parts = []
    for number in range(count):
        own = slice(int(offsets[number]), int(offsets[number + 1]))
        ends = past[own]
        if key >> _PLACE >= bounds[number + 1]:
            continue
        if key & _WRONG == _WRONG:
            break
        entry = -1 if number == 0 else int(np.searchsorted(ends, key >> _PLACE))
        if number and (entry == len(ends) or keys[own][entry] != key):
            part = _serial(data, key, int(bounds[number + 1]), tables)
        else:
            stop = int(np.searchsorted(ends, bounds[number + 1])) + 1
            part = keys[own][entry + 1 : stop]
        if len(part):
            key = int(part[-1])
            parts.append(part)
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _serial(data: Bytes, key: int, bound: int, tables: BlockTables) -> Numbers:
    """Read one symbol after the other until a block ends at bit `bound` or after it."""
    at, state = key >> _PLACE, (key & _WRONG) * STRIDE
    first = at >> 3
    view = windows(data[first : (bound >> 3) + 256]).tolist()
    steps, row, following = tables.steps.data, tables.row.tolist(), tables.following.tolist()
    keys = []
    limit = 8 * (first + len(view) - 8)
    at, bound, limit = at - 8 * first, bound - 8 * first, limit - 8 * first
    while at < limit:
        step = steps[row[state] + (view[at >> 3] >> (16 - (at & 7)) & 0xFFFF)]
        at += step & 31
        raw = state + (step >> 5)
        state = following[raw]
        if not state % STRIDE:
            wrong = raw % STRIDE >= INVALID
            keys.append((at + 8 * first) << _PLACE | (_WRONG if wrong else state // STRIDE))
            if at >= bound or wrong:
                break
    return np.array(keys, np.int64)
