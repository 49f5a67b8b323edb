"""What there is to do in a folder: each picture, its mask, and where its result goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import overload

import numpy as np
from numpy.typing import NDArray

from regionwise.errors import MaskError, OutputError, PhotoError, RegionwiseError
from regionwise.filling.mask_folder import MaskFolder, plain_names
from regionwise.filling.picture_listing import TAR, Entry, list_pictures
from regionwise.filling.shard import Shard
from regionwise.photos.formats import (
    FORMATS,
    HEAD,
    READABLE,
    Format,
    format_of_bytes,
    format_of_name,
)
from regionwise.photos.photo_index import PhotoIndex
from regionwise.photos.photo_source import PhotoSource
from regionwise.photos.stored_files import (
    Place,
    address_exists,
    address_of,
    is_address,
    is_address_folder,
    names_in,
    within,
)


@dataclass(frozen=True)
class Job:
    """A photo to fill, its mask, and where the result goes.

    The photo's name is its path within its folder. `mask` is a picture, a folder in which it lies
    under the photo's name, or None for a box or the photo's transparent pixels. Where `named` is
    on, the user chose the output's name, and with it the format; else the format is the photo's.
    """

    photo: PhotoSource
    mask: PhotoSource | MaskFolder | None
    output: Place
    named: bool = False

    @property
    def relative(self) -> PurePosixPath:
        """The photo's path within its folder."""
        return PurePosixPath(self.photo.name)

    def output_as(self, kind: Format) -> Place:
        """Where a result of that format goes: a name that says another gets its suffix too."""
        if self.named or format_of_name(PurePosixPath(self.output)) == kind:
            return self.output
        return _with_suffix(self.output, kind.suffixes[0])

    @property
    def key(self) -> str:
        """What the photo is known by in reports."""
        return self.photo.name

    def find_mask(self) -> PhotoSource | None:
        """Its mask, if it has one.

        Raises:
            MaskError: if the folder of masks has none for it.
        """
        if isinstance(self.mask, MaskFolder):
            return self.mask.find(self.relative)
        return self.mask

    def with_own_mask(self) -> Job:
        """The job with its mask's own file, not all of the folder's: small enough to be sent.

        Raises:
            MaskError: as `find_mask`.
        """
        return replace(self, mask=self.find_mask())


def _with_suffix(place: Place, suffix: str) -> Place:
    return place + suffix if isinstance(place, str) else place.with_name(place.name + suffix)


@dataclass(frozen=True)
class MaskColumn:
    """The mask of each photo of a folder, by number; -1 for none."""

    masks: PhotoIndex
    numbers: NDArray[np.int64]


class Jobs(Sequence[Job]):
    """The jobs of a folder, made one by one: millions of them take no room but their names."""

    def __init__(
        self,
        photos: PhotoIndex,
        mask: PhotoSource | MaskFolder | MaskColumn | None,
        output: Place,
        *,
        ending: str = "",
    ) -> None:
        """Take photos.

        Args:
            photos: with the names of the results.
            mask: of all of them.
            output: the folder of the results.
            ending: is put before the suffix of each result's name.
        """
        self.photos, self.mask, self.output, self._ending = photos, mask, output, ending

    def with_ending(self, ending: str) -> Jobs:
        """The same with another end of the results' names."""
        return Jobs(self.photos, self.mask, self.output, ending=ending)

    def with_masks(self, masks: MaskColumn) -> Jobs:
        """The same with masks that are found already."""
        return Jobs(self.photos, masks, self.output, ending=self._ending)

    def __len__(self) -> int:
        return len(self.photos)

    @overload
    def __getitem__(self, number: int) -> Job: ...
    @overload
    def __getitem__(self, number: slice) -> list[Job]: ...
    def __getitem__(self, number: int | slice) -> Job | list[Job]:
        """A job, or some of them."""
        if isinstance(number, slice):
            return [self[one] for one in range(len(self))[number]]
        photo = self.photos[number]
        name = PurePosixPath(photo.name)
        if self._ending:
            name = name.with_name(name.stem + self._ending + name.suffix)
        return Job(photo, self._mask_of(number), within(self.output, str(name)))

    def _mask_of(self, number: int) -> PhotoSource | MaskFolder | None:
        if isinstance(self.mask, MaskColumn):
            found = int(self.mask.numbers[number])
            return None if found < 0 else self.mask.masks[found]
        return self.mask

    def __iter__(self) -> Iterator[Job]:
        return (self[number] for number in range(len(self)))


def is_home_of_photos(place: str) -> bool:
    """Whether a place holds photos and is none: a folder, a folder's address, a tar.

    Raises:
        PhotoError: if a store can't be asked.
    """
    if not is_address(place):
        path = Path(place)
        return path.is_dir() or (place.endswith(TAR) and path.is_file())
    if place.endswith(TAR) or place.endswith("/"):
        return True
    return format_of_name(PurePosixPath(place)) is None and is_address_folder(place)


def find_jobs(
    photos: Place, masks: Place | None, output: Place, shard: Shard | None = None
) -> Jobs:
    """Pair the pictures of a folder, sub-folders included, with their masks.

    What looks like a picture and can't be read is a job too, which will fail and be told. Hidden
    files are left out, and what lies in the folders of masks and results where these lie inside.

    Args:
        photos: a folder or tar, or the address of one; see `list_pictures`.
        masks: likewise, or a picture that serves all photos, or None.
        output: a folder or its address; need not exist.
        shard: leaves out the photos of all other parts; may leave none.

    Raises:
        PhotoError: if no photo is there.
        MaskError: if `masks` does not exist.
        OutputError: if the results would replace the photos.
    """
    if _is_same(photos, output):
        raise OutputError(f"{output} holds the photos themselves; give another folder by `output`")
    together = masks is not None and _is_same(masks, photos)
    apart = [output] if masks is None or together else [output, masks]
    found = list_pictures(photos, apart=apart)
    names = [PurePosixPath(name) for _, name, _, _ in found] if masks is not None else []
    mask = None if masks is None else find_masks(masks, only_marked=together, photos=names)
    if together and isinstance(mask, MaskFolder):
        plain = {name for photo in names for name in plain_names(photo)}
        found = [one for one in found if not mask.is_mask_of(PurePosixPath(one[1]), plain)]
    if not found:
        raise PhotoError(f"{photos} holds no photo to fill; {READABLE} are read")
    if shard is not None:
        found = [one for one in found if shard.has(one[1])]
    return Jobs(PhotoIndex.of(_freed(found)), mask, output)


def _freed(entries: list[Entry]) -> Iterator[Entry]:
    """Entries from the first on, each given back to memory when it has been used."""
    entries.reverse()
    while entries:
        yield entries.pop()


def _is_same(first: Place, second: Place) -> bool:
    if is_address(first) or is_address(second):
        return address_of(first) == address_of(second)
    return Path(first).resolve() == Path(second).resolve()


def find_masks(
    masks: Place, *, only_marked: bool = False, photos: Sequence[PurePosixPath] = ()
) -> PhotoSource | MaskFolder:
    """A picture of a mask as it is, a folder or tar as `MaskFolder`.

    Raises:
        MaskError: if there is no such file or folder.
    """
    there = address_exists(masks) if is_address(masks) else Path(masks).exists()
    if not there:
        raise MaskError(f"there is no mask or folder of masks {masks}; check the name")
    if is_home_of_photos(str(masks)):
        return MaskFolder(masks, only_marked=only_marked, photos=photos)
    return PhotoSource(masks, PurePosixPath(masks).name)


class Listing:
    """Which results are there, by listing each folder once and not by a question for each photo."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}

    def has_result(self, job: Job) -> bool:
        """Whether the job's result was there when its folder was listed."""
        folder, _, name = str(job.output).rpartition("/")
        names = self._of(folder or ".")
        if name in names:
            return True
        renamed = not job.named and any(name + one in names for one in _FIRST_SUFFIXES)
        kind = format_of_photo(job.photo) if renamed else None
        return kind is not None and PurePosixPath(job.output_as(kind)).name in names

    def _of(self, folder: str) -> frozenset[str]:
        if folder not in self._names:
            self._names[folder] = names_in(folder)
        return self._names[folder]


_FIRST_SUFFIXES = tuple(one.suffixes[0] for one in FORMATS)


def format_of_photo(photo: PhotoSource) -> Format | None:
    """The format of a photo by its first bytes; None if it is no picture or can't be read."""
    length = min(photo.length, HEAD) if photo.is_part else HEAD
    try:
        return format_of_bytes(replace(photo, length=length).read())
    except (OSError, RegionwiseError):
        return None
