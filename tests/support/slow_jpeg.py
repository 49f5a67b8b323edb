"""A slow reference: all coefficients of a JPEG, read a bit at a time as ITU-T T.81 tells it."""

from __future__ import annotations

import numpy as np

Grid = np.ndarray  # rows×columns×64, zigzag order


class _Bits:
    def __init__(self, data: bytes) -> None:
        self.bits = "".join(f"{byte:08b}" for byte in data.replace(b"\xff\x00", b"\xff"))
        self.at = 0

    def take(self, count: int) -> int:
        assert self.at + count <= len(self.bits), "the scan ends too soon"
        self.at += count
        return int(self.bits[self.at - count : self.at] or "0", 2)

    def symbol(self, codes: dict[str, int]) -> int:
        for length in range(1, 17):
            if self.bits[self.at : self.at + length] in codes:
                self.at += length
                return codes[self.bits[self.at - length : self.at]]
        raise AssertionError("no code")

    def value(self, size: int) -> int:
        bits = self.take(size)
        return bits if not size or bits >> (size - 1) else bits - (1 << size) + 1

    def is_done(self) -> bool:
        """Whether only ones, fewer than a byte, are left."""
        rest = self.bits[self.at :]
        return len(rest) < 8 and "0" not in rest


def coefficients(data: bytes) -> list[Grid]:
    """Of each component; asserts that each scan ends where its last block does."""
    tables: dict[int, dict[str, int]] = {}
    restart, at = 0, 2
    grids: list[Grid] = []
    components: list[tuple[int, int, int]] = []
    progressive, size, most = False, (0, 0), (1, 1)
    while data[at + 1] != 0xD9:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xC4:
            while body:
                tables[body[0]] = _codes(body)
                body = body[17 + sum(body[1:17]) :]
        elif marker in (0xC0, 0xC1, 0xC2):
            progressive = marker == 0xC2
            size = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
            rows = [body[6 + 3 * n : 9 + 3 * n] for n in range(body[5])]
            components = [(row[0], row[1] & 15, row[1] >> 4) for row in rows]
            if len(components) == 1:
                components = [(components[0][0], 1, 1)]
            most = max(c[1] for c in components), max(c[2] for c in components)
            mcus = -(-size[0] // (8 * most[0])), -(-size[1] // (8 * most[1]))
            grids = [np.zeros((mcus[0] * v, mcus[1] * h, 64), int) for _, v, h in components]
        elif marker == 0xDD:
            restart = int.from_bytes(body, "big")
        elif marker == 0xDA:
            end = at
            while not (data[end] == 0xFF and data[end + 1] not in (0, *range(0xD0, 0xD8))):
                end += 1
            _scan(data[at:end], body, tables, restart, components, grids, size, most, progressive)
            at = end
    return grids


def _codes(body: bytes) -> dict[str, int]:
    codes, code, place = {}, 0, 17
    for length in range(1, 17):
        for _ in range(body[length]):
            codes[f"{code:0{length}b}"] = body[place]
            code, place = code + 1, place + 1
        code *= 2
    return codes


def _scan(data, body, tables, restart, components, grids, size, most, progressive):
    names = [component[0] for component in components]
    chosen = [(names.index(body[1 + 2 * n]), body[2 + 2 * n]) for n in range(body[0])]
    first, last, approximation = body[1 + 2 * body[0] :][:3]
    band = (first, last, approximation >> 4, approximation & 15) if progressive else (0, 63, 0, 0)
    order = list(_order(chosen, components, grids, size, most))
    parts = [data]
    if restart:
        parts = []
        for number in range(0, len(order), restart):
            mark = data.find(bytes([0xFF, 0xD0 + number // restart % 8]))
            mark = len(data) if number + restart >= len(order) else mark
            parts.append(data[:mark])
            data = data[mark + 2 :]
    for number, part in enumerate(parts):
        bits, before, run = _Bits(part), dict.fromkeys(range(len(names)), 0), [0]
        for mcu in order[number * restart : (number + 1) * restart] if restart else order:
            for component, slots, row, column in mcu:
                block = grids[component][row, column]
                if not progressive:
                    before[component] += bits.value(bits.symbol(tables[slots >> 4]))
                    block[0] = before[component]
                    _sequential(bits, block, tables[16 | slots & 15])
                elif first == 0 and band[2] == 0:
                    before[component] += bits.value(bits.symbol(tables[slots >> 4]))
                    block[0] = before[component] << band[3]
                elif first == 0:
                    block[0] |= bits.take(1) << band[3]
                elif band[2] == 0:
                    _first(bits, block, tables[16 | slots & 15], band, run)
                else:
                    _refined(bits, block, tables[16 | slots & 15], band, run)
        assert bits.is_done(), "there is something behind the last block"


def _over(number, divisor):
    return -(-number // divisor)


def _order(chosen, components, grids, size, most):
    if len(chosen) == 1:
        component, slots = chosen[0]
        _, v, h = components[component]
        rows = _over(_over(size[0] * v, most[0]), 8)
        columns = _over(_over(size[1] * h, most[1]), 8)
        for row in range(rows):
            for column in range(columns):
                yield [(component, slots, row, column)]
        return
    first = components[chosen[0][0]]
    grid = grids[chosen[0][0]]
    for y in range(grid.shape[0] // first[1]):
        for x in range(grid.shape[1] // first[2]):
            yield [
                (one, slots, y * components[one][1] + j, x * components[one][2] + i)
                for one, slots in chosen
                for j in range(components[one][1])
                for i in range(components[one][2])
            ]


def _sequential(bits, block, codes):
    k = 1
    while k < 64:
        symbol = bits.symbol(codes)
        if symbol == 0:
            return
        k += symbol >> 4
        if symbol & 15:
            block[k] = bits.value(symbol & 15)
        k += 1


def _first(bits, block, codes, band, run):
    if run[0]:
        run[0] -= 1
        return
    k = band[0]
    while k <= band[1]:
        symbol = bits.symbol(codes)
        zeros, size = symbol >> 4, symbol & 15
        if not size and zeros < 15:
            run[0] = (1 << zeros) + bits.take(zeros) - 1
            return
        k += zeros
        if size:
            block[k] = bits.value(size) * (1 << band[3])
        k += 1


def _refined(bits, block, codes, band, run):
    bit = 1 << band[3]

    def correct(k):
        if bits.take(1):
            block[k] += bit if block[k] > 0 else -bit

    k = band[0]
    while k <= band[1] and not run[0]:
        symbol = bits.symbol(codes)
        zeros, size = symbol >> 4, symbol & 15
        if not size and zeros < 15:
            run[0] = (1 << zeros) + bits.take(zeros)
            break
        new = (bit if bits.take(1) else -bit) if size else 0
        while block[k] or zeros:
            if block[k]:
                correct(k)
            else:
                zeros -= 1
            k += 1
        if new:
            block[k] = new
        k += 1
    if run[0]:
        for k in range(k, band[1] + 1):  # noqa: B020
            if block[k]:
                correct(k)
        run[0] -= 1
