"""A part of the photos of a large job, for a process or a machine of its own."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass

from regionwise.errors import RegionwiseError


@dataclass(frozen=True)
class Shard:
    """Part `number`, from 1 on, of `count`."""

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}-of-{self.count}"

    def has(self, key: str) -> bool:
        """Whether a photo of that name is in this part, whatever other photos there are."""
        return zlib.crc32(os.fsencode(key)) % self.count == self.number - 1

    def positions(self, total: int) -> range:
        """Which of `total` photos in a fixed order are in this part: every `count`-th."""
        return range(self.number - 1, total, self.count)


def parse_shard(text: str) -> Shard:
    """Read "I/N", as 1/8 for the first of eight.

    Raises:
        RegionwiseError: if it is anything else.
    """
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal()) or not (
        1 <= int(number) <= int(count)
    ):
        raise RegionwiseError(f"the shard {text!r} is not I/N; give 1/8 for the first of eight")
    return Shard(int(number), int(count))
