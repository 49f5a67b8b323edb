"""Pictures as tests read them."""

from __future__ import annotations

import os
from typing import BinaryIO

from PIL import Image


def open_picture(source: str | os.PathLike[str] | BinaryIO) -> Image.Image:
    """A picture with all its pixels read, and its file closed."""
    with Image.open(source) as image:
        image.load()
        return image
