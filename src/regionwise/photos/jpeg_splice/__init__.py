"""New pixels in a JPEG file, with all other blocks as they were."""

from __future__ import annotations

from regionwise.photos.jpeg_splice.errors import BrokenJpegError, SpliceError, UnsupportedJpegError
from regionwise.photos.jpeg_splice.planes import Hole, SamplePatch
from regionwise.photos.jpeg_splice.splice import Splicer, spliced

__all__ = [
    "BrokenJpegError",
    "Hole",
    "SamplePatch",
    "SpliceError",
    "Splicer",
    "UnsupportedJpegError",
    "spliced",
]
