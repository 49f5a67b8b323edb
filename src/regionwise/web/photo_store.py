"""The photos that pages work on: files as they came, and of each result the pixels that are new.

Everything here is called from the event loop alone, except `DecodedPhotos`.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    client: str
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
        chain = []
        while number:
            result = self.results[number - 1]
            chain.append(result.patches)
            number = result.info.start
        return tuple(patch for patches in reversed(chain) for patch in patches)

    def described(self) -> PhotoInfo:
        """What clients are told."""
        return self.info.model_copy(update={"results": [result.info for result in self.results]})


class Arrival:
    """The bytes of a request, counted while it arrives and is worked on."""

    def __init__(self, store: PhotoStore) -> None:
        self._store = store
        self.size = 0

    def count(self, size: int) -> None:
        """So many bytes more are there.

        Raises:
            RefusedError: with 413 or 429 if there is no room for them.
        """
        self._store.make_room(size)
        self.size += size
        self._store.arriving += size

    def end(self) -> None:
        """They are gone, or kept."""
        self._store.arriving -= self.size
        self.size = 0


class PhotoStore:
    """Photos by an id that can't be guessed; forgotten when nobody asks for them any more.

    Where the memory is full, the photo that was used longest ago goes, of the client that has most
    in it. A page has the file and the masks still, and sends them again.
    """

    def __init__(
        self,
        memory: int,
        idle_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        on_forget: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start empty.

        Args:
            memory: bytes of files, results and requests in all.
            idle_seconds: how long a photo is kept that nobody asks for.
            clock: seconds.
            on_forget: is told the id of each photo that goes.
        """
        self._memory = memory
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._on_forget = on_forget
        self._photos: dict[str, KeptPhoto] = {}
        self.arriving = 0

    @contextmanager
    def arrival(self) -> Iterator[Arrival]:
        """Count a request's bytes."""
        arrival = Arrival(self)
        try:
            yield arrival
        finally:
            arrival.end()

    def add(self, name: str, source: bytes, photo: Photo, client: str = "") -> KeptPhoto:
        """Keep a photo.

        Raises:
            RefusedError: with 413 or 429 if there is no room for it.
        """
        self.make_room(len(source))
        identity = secrets.token_urlsafe(16)
        info = _describe(identity, name, source, photo)
        stored = KeptPhoto(identity, source, info, client, used=self._clock())
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
            RefusedError: with 404 if the photo went meanwhile, 413 or 429 if there is no room.
        """
        self.get(stored.id)
        self.make_room(sum(patch.size for patch in patches), keep=stored.id)
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
        self._forget(self.get(identity).id)

    def _forget(self, identity: str) -> None:
        del self._photos[identity]
        self._on_forget(identity)

    @property
    def size(self) -> int:
        """Bytes in memory of what is kept."""
        return sum(stored.size for stored in self._photos.values())

    def make_room(self, size: int, keep: str = "") -> None:
        """Forget photos until so many bytes more fit; all but one.

        Raises:
            RefusedError: with 413 if they never will, 429 if they don't now.
        """
        if size > self._memory:
            raise RefusedError(413, "this is more than the server's memory for photos holds")
        while self.size + self.arriving + size > self._memory:
            oldest = self._most_dispensable(keep)
            if oldest is None:
                raise RefusedError(
                    429, "the server's memory is full; try again in a moment", retry_after=5
                )
            self._forget(oldest)

    def _most_dispensable(self, keep: str) -> str | None:
        sizes: Counter[str] = Counter()
        for one in self._photos.values():
            sizes[one.client] += one.size
        others = [one for one in self._photos.values() if one.id != keep]
        if not others:
            return None
        return max(others, key=lambda one: (sizes[one.client], -one.used)).id

    def forget_idle(self) -> list[str]:
        """Forget the photos that nobody asked for in a long time; gives their ids."""
        oldest = self._clock() - self._idle_seconds
        gone = [key for key, one in self._photos.items() if one.used < oldest]
        for key in gone:
            self._forget(key)
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
