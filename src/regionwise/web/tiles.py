"""Parts of a photo for the screen: squares at powers of two of its scale.

A page never holds a photo of 50 megapixels, but the tiles that its screen shows. They are copies
for the eye, in 8 bits; what is downloaded is made from the photo itself.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from regionwise.arrays import Pixels
from regionwise.photos.photo import Photo
from regionwise.photos.raster import to_eight_bits
from regionwise.web.patches import Patch
from regionwise.web.refusals import RefusedError

TILE = 512
_QUALITY = 93
_MAX_LEVEL = 12


def render_tile(
    photo: Photo, patches: Sequence[Patch], level: int, column: int, row: int
) -> tuple[bytes, str]:
    """Draw a tile.

    Args:
        photo: without the patches.
        patches: laid over it in their order.
        level: a pixel of the tile is 2^level × 2^level pixels of the photo.
        column: counts tiles from the left.
        row: counts tiles from the top.

    Returns:
        A file and its media type: JPEG, or PNG for a photo with alpha.

    Raises:
        RefusedError: with 404 if the photo has no such tile.
    """
    side = TILE << min(level, _MAX_LEVEL)
    top, left = row * side, column * side
    if level > _MAX_LEVEL or top >= photo.height or left >= photo.width:
        raise RefusedError(404, "the photo has no such tile")
    place = np.s_[top : top + side, left : left + side]
    samples = photo.color[place]
    alpha = None if photo.alpha is None else photo.alpha[place]
    near = [patch for patch in patches if _meets(patch, top, left, samples.shape)]
    if near:
        samples = samples.copy()
        alpha = None if alpha is None else alpha.copy()
    for patch in near:
        _lay(patch, top, left, samples, alpha)
    return _encoded(samples, alpha, level, _profile(photo))


def _meets(patch: Patch, top: int, left: int, shape: tuple[int, ...]) -> bool:
    height, width = patch.hole.shape
    return (
        patch.top < top + shape[0]
        and top < patch.top + height
        and patch.left < left + shape[1]
        and left < patch.left + width
    )


def _lay(patch: Patch, top: int, left: int, samples: Pixels, alpha: Pixels | None) -> None:
    height, width = patch.hole.shape
    first_row, first_column = max(top, patch.top), max(left, patch.left)
    last_row = min(top + samples.shape[0], patch.top + height)
    last_column = min(left + samples.shape[1], patch.left + width)
    theirs = np.s_[
        first_row - patch.top : last_row - patch.top,
        first_column - patch.left : last_column - patch.left,
    ]
    ours = np.s_[first_row - top : last_row - top, first_column - left : last_column - left]
    hole = patch.hole[theirs]
    np.copyto(samples[ours], patch.color[theirs], where=hole[..., None])
    if alpha is not None:
        alpha[ours][hole] = np.iinfo(alpha.dtype).max


def _encoded(
    samples: Pixels, alpha: Pixels | None, level: int, profile: bytes | None
) -> tuple[bytes, str]:
    file = io.BytesIO()
    if alpha is None:
        image = Image.fromarray(np.ascontiguousarray(to_eight_bits(samples))).reduce(1 << level)
        image.save(file, "JPEG", quality=_QUALITY, subsampling=0, icc_profile=profile)
        return file.getvalue(), "image/jpeg"
    image = Image.fromarray(np.dstack([to_eight_bits(samples), to_eight_bits(alpha)]))
    if level:  # colours weighted by their opacity, or transparent ones would bleed
        image = image.convert("RGBa").reduce(1 << level).convert("RGBA")
    image.save(file, "PNG", compress_level=1, icc_profile=profile)
    return file.getvalue(), "image/png"


def _profile(photo: Photo) -> bytes | None:
    """The photo's colour profile where it speaks of RGB, which is what a tile holds."""
    profile = photo.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile[16:20] == b"RGB " else None
