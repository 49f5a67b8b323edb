"""Why a JPEG can't be changed block by block."""

from __future__ import annotations


class SpliceError(ValueError):
    """A JPEG can't be changed block by block; another way may write it."""


class UnsupportedJpegError(SpliceError):
    """The file is sound, as far as it was read, but of a kind that isn't changed block by block."""


class BrokenJpegError(SpliceError):
    """The file is cut short or says impossible things."""
