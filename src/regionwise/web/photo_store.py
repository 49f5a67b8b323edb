"""The photos that pages work on: files as they came, and of each result the pixels that are new.

Everything here is called from the event loop alone, except `DecodedPhotos`.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from regionwise.photos.masks import mask_from_alpha
from regionwise.photos.photo import Photo
from regionwise.web.messages import PhotoInfo, ResultInfo
from regionwise.web.patches import Patch
from regionwise.web.refusals import RefusedError
from regionwise.web.tiles import TILE


@dataclass(frozen=True, eq=False)
class Result:
    """A fill of a stored photo: what is new against the result that it started from."""

    info: ResultInfo
    patches: tuple[Patch, ...]


@dataclass(eq=False)
class KeptPhoto:
    """A photo's file, what is to be known of it, and its results. Result 0 is the photo itself."""

    id: str
    source: bytes
    info: PhotoInfo
    results: list[Result] = field(default_factory=list)
    used: float = 0.0

    @property
    def size(self) -> int:
        """Bytes in memory, decoded pixels aside."""
        return len(self.source) + sum(one.size for r in self.results for one in r.patches)

    def patches_of(self, number: int) -> tuple[Patch, ...]:
        """All patches from the photo to a result, first to last.

        Raises:
            RefusedError: with 404 if there is no such result.
        """
        if number > len(self.results):
            raise RefusedError(404, f"the photo has no result {number}")
        patches: tuple[Patch, ...] = ()
        while number:
            result = self.results[number - 1]
            patches = result.patches + patches
            number = result.info.start
        return patches

    def described(self) -> PhotoInfo:
        """What clients are told."""
        return self.info.model_copy(update={"results": [result.info for result in self.results]})


class PhotoStore:
    """Photos by an id that can't be guessed; forgotten when nobody asks for them any more."""

    def __init__(
        self,
        memory: int,
        idle_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start empty.

        Args:
            memory: bytes of files and results in all.
            idle_seconds: how long a photo is kept that nobody asks for.
            clock: seconds.
        """
        self._memory = memory
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._photos: dict[str, KeptPhoto] = {}

    def add(self, name: str, source: bytes, photo: Photo) -> KeptPhoto:
        """Keep a photo.

        Raises:
            RefusedError: with 507 if the memory is full.
        """
        self._check_room(len(source))
        identity = secrets.token_urlsafe(16)
        info = _describe(identity, name, source, photo)
        stored = KeptPhoto(identity, source, info, used=self._clock())
        self._photos[identity] = stored
        return stored

    def get(self, identity: str) -> KeptPhoto:
        """Find a photo.

        Raises:
            RefusedError: with 404 if there is none.
        """
        stored = self._photos.get(identity)
        if stored is None:
            raise RefusedError(404, "the server does not have this photo any more; send it again")
        stored.used = self._clock()
        return stored

    def add_result(
        self,
        stored: KeptPhoto,
        patches: tuple[Patch, ...],
        *,
        start: int,
        hole_ratio: float,
        seconds: float,
        model: str,
        warnings: list[str],
    ) -> ResultInfo:
        """Keep a fill of a photo.

        Raises:
            RefusedError: with 507 if the memory is full.
        """
        self._check_room(sum(patch.size for patch in patches))
        info = ResultInfo(
            number=len(stored.results) + 1,
            start=start,
            box=_box_of(patches),
            hole_ratio=round(hole_ratio, 6),
            seconds=round(seconds, 3),
            model=model,
            warnings=warnings,
        )
        stored.results.append(Result(info, patches))
        return info

    def remove(self, identity: str) -> None:
        """Forget a photo.

        Raises:
            RefusedError: with 404 if there is none.
        """
        del self._photos[self.get(identity).id]

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(stored.size for stored in self._photos.values())

    def _check_room(self, size: int) -> None:
        if self.size + size > self._memory:
            raise RefusedError(
                507,
                f"the server keeps {self._memory / 1e6:g} MB of photos and results, and is full; "
                "remove photos, or start it with a larger --memory",
            )

    def forget_idle(self) -> list[str]:
        """Forget the photos that nobody asked for in a long time; gives their ids."""
        oldest = self._clock() - self._idle_seconds
        gone = [key for key, one in self._photos.items() if one.used < oldest]
        for key in gone:
            del self._photos[key]
        return gone


def _describe(identity: str, name: str, source: bytes, photo: Photo) -> PhotoInfo:
    return PhotoInfo(
        id=identity,
        name=name,
        format=photo.format or "",
        width=photo.width,
        height=photo.height,
        bits=8 * photo.color.dtype.itemsize,
        bytes=len(source),
        has_alpha=photo.alpha is not None,
        has_hole=photo.alpha is not None and bool(mask_from_alpha(photo).any()),
        tile=TILE,
        results=[],
    )


def _box_of(patches: tuple[Patch, ...]) -> tuple[int, int, int, int]:
    """x, y, width, height of the smallest box round patches; all 0 for none."""
    if not patches:
        return 0, 0, 0, 0
    top = min(patch.top for patch in patches)
    left = min(patch.left for patch in patches)
    bottom = max(patch.top + patch.hole.shape[0] for patch in patches)
    right = max(patch.left + patch.hole.shape[1] for patch in patches)
    return left, top, right - left, bottom - top


class DecodedPhotos:
    """Decoded photos at hand, for worker threads; the one that was used longest ago goes first."""

    def __init__(self, memory: int) -> None:
        """Start empty.

        Args:
            memory: bytes in all; the last one is kept however large it is.
        """
        self._memory = memory
        self._photos: OrderedDict[str, Photo] = OrderedDict()
        self._lock = threading.Lock()  # held for a moment
        self._decoding = threading.Lock()

    def get(self, identity: str, decode: Callable[[], Photo]) -> Photo:
        """The decoded photo; one is decoded at a time."""
        photo = self._find(identity)
        if photo is None:
            with self._decoding:
                photo = self._find(identity)
                if photo is None:
                    photo = decode()
                    self.put(identity, photo)
        return photo

    def _find(self, identity: str) -> Photo | None:
        with self._lock:
            if identity in self._photos:
                self._photos.move_to_end(identity)
            return self._photos.get(identity)

    def put(self, identity: str, photo: Photo) -> None:
        """Have a photo at hand."""
        with self._lock:
            self._photos[identity] = photo
            self._photos.move_to_end(identity)
            while (
                len(self._photos) > 1 and sum(map(_bytes_of, self._photos.values())) > self._memory
            ):
                self._photos.popitem(last=False)

    def forget(self, identity: str) -> None:
        """Let a photo go."""
        with self._lock:
            self._photos.pop(identity, None)


def _bytes_of(photo: Photo) -> int:
    arrays = (photo.color, photo.alpha, photo.native)
    return sum(int(array.nbytes) for array in arrays if array is not None)
