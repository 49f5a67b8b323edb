"""What there is to do in a folder: each picture, its mask, and where its result goes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regionwise.errors import MaskError, OutputError, PhotoError
from regionwise.filling.mask_folder import MaskFolder, plain_names, walk
from regionwise.filling.shard import Shard
from regionwise.photos.formats import (
    FOREIGN_SUFFIXES,
    FORMATS,
    HEAD,
    READABLE,
    Format,
    format_of_bytes,
    format_of_name,
    is_picture_name,
    what_it_is,
)

# Of files that are never pictures, so that they need not be opened to know it.
_NO_PICTURES = frozenset(
    (".avi", ".cls", ".csv", ".db", ".doc", ".docx", ".gz", ".htm", ".html", ".ini", ".json",
     ".jsonl", ".log", ".md", ".mkv", ".mov", ".mp3", ".mp4", ".npy", ".npz", ".parquet", ".pdf",
     ".py", ".tar", ".tsv", ".txt", ".wav", ".xml", ".xmp", ".yaml", ".yml", ".zip")
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A photo to fill, its mask, and where the result goes.

    `mask` is a file, a folder in which it lies under the photo's name, or None for a box or the
    photo's transparent pixels. `relative` is the photo's path within its folder. Where `named` is
    on, the user chose the output's name, and with it the format; else the format is the photo's.
    """

    photo: Path
    relative: Path
    mask: Path | MaskFolder | None
    output: Path
    named: bool = False

    def output_as(self, kind: Format) -> Path:
        """Where a result of that format goes: a name that says another gets its suffix too."""
        if self.named or format_of_name(self.output) == kind:
            return self.output
        return self.output.with_name(self.output.name + kind.suffixes[0])

    @property
    def key(self) -> str:
        """What the photo is known by in reports."""
        return self.relative.as_posix()

    def find_mask(self) -> Path | None:
        """The file of its mask, if it has one.

        Raises:
            MaskError: if the folder of masks has none for it.
        """
        return self.mask.find(self.relative) if isinstance(self.mask, MaskFolder) else self.mask


def find_jobs(
    photos: Path, masks: Path | None, output: Path, shard: Shard | None = None
) -> list[Job]:
    """Pair the pictures of a folder, sub-folders included, with their masks.

    What looks like a picture and can't be read is a job too, which will fail and be told. Hidden
    files are left out, and what lies in the folders of masks and results where these lie inside.

    Args:
        photos: a folder.
        masks: a folder, a file that serves all photos, or None.
        output: a folder; need not exist.
        shard: leaves out the photos of all other parts; may leave none.

    Raises:
        PhotoError: if no photo is there.
        MaskError: if `masks` does not exist.
        OutputError: if the results would replace the photos.
    """
    home = photos.resolve()
    if output.resolve() == home:
        raise OutputError(f"{output} holds the photos themselves; give another folder by `output`")
    together = masks is not None and masks.resolve() == home
    apart = _Apart({place.resolve() for place in (masks, output) if place} - {home})
    found = sorted(photo.relative_to(photos) for photo in _pictures(photos) if not apart.has(photo))
    mask = None if masks is None else find_masks(masks, only_marked=together, photos=found)
    if together and isinstance(mask, MaskFolder):
        names = {name for photo in found for name in plain_names(photo)}
        found = [photo for photo in found if not mask.is_mask_of(photo, names)]
    if not found:
        raise PhotoError(f"{photos} holds no photo to fill; {READABLE} are read")
    if shard is not None:
        found = [relative for relative in found if shard.has(relative.as_posix())]
    return [Job(photos / relative, relative, mask, output / relative) for relative in found]


class _Apart:
    """The folders of masks and of results, and what lies in them; each folder is asked once."""

    def __init__(self, folders: set[Path]) -> None:
        self._folders = folders
        self._names = {str(folder) for folder in folders}
        self._known: dict[Path, tuple[str, bool]] = {}

    def has(self, photo: Path) -> bool:
        """Whether a file lies in one of them, or is one."""
        if not self._folders:
            return False
        if photo.is_symlink():
            # Unlike resolve() it bears a link to itself.
            return self._lies_in(Path(os.path.realpath(photo)))
        if photo.parent not in self._known:
            parent = Path(os.path.realpath(photo.parent))
            self._known[photo.parent] = (str(parent), self._lies_in(parent))
        parent_name, lies_in = self._known[photo.parent]
        return lies_in or os.path.join(parent_name, photo.name) in self._names

    def _lies_in(self, place: Path) -> bool:
        return place in self._folders or bool(self._folders.intersection(place.parents))


def find_masks(
    masks: Path, *, only_marked: bool = False, photos: list[Path] | None = None
) -> Path | MaskFolder:
    """A file of a mask as it is, a folder as `MaskFolder`.

    Raises:
        MaskError: if there is no such file or folder.
    """
    if masks.is_dir():
        return MaskFolder(masks, only_marked=only_marked, photos=photos or ())
    if not masks.exists():
        raise MaskError(f"there is no mask or folder of masks {masks}; check the name")
    return masks


def _pictures(folder: Path) -> Iterator[Path]:
    """Files that are pictures by their name, or else by their first bytes."""
    for file in walk(folder):
        suffix = file.suffix.lower()
        known = is_picture_name(file.name) or suffix in FOREIGN_SUFFIXES
        if known or (suffix not in _NO_PICTURES and _is_picture(file)):
            yield file


def _is_picture(file: Path) -> bool:
    try:
        if not file.is_file():
            return False
        with file.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError:
        return False
    if format_of_bytes(head):
        return len(head) >= 16 and (head[:2] != b"BM" or head[6:10] == bytes(4))
    said = what_it_is(head)
    return not said.startswith(("not a picture", "a video", "a PDF"))


class Listing:
    """Which results are there, by listing each folder once and not by a question for each photo."""

    def __init__(self) -> None:
        self._names: dict[Path, frozenset[str]] = {}

    def has_result(self, job: Job) -> bool:
        """Whether the job's result was there when its folder was listed."""
        names = self._of(job.output.parent)
        if job.output.name in names:
            return True
        renamed = not job.named and any(job.output.name + one in names for one in _FIRST_SUFFIXES)
        kind = format_of_file(job.photo) if renamed else None
        return kind is not None and job.output_as(kind).name in names

    def _of(self, folder: Path) -> frozenset[str]:
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(folder))
            except OSError:
                self._names[folder] = frozenset()
        return self._names[folder]


_FIRST_SUFFIXES = tuple(one.suffixes[0] for one in FORMATS)


def format_of_file(file: Path) -> Format | None:
    """The format of a file by its first bytes; None if it is no picture or can't be read."""
    try:
        with file.open("rb") as stream:
            return format_of_bytes(stream.read(HEAD))
    except OSError:
        return None
