"""Masks in a folder, found by the names that people and their tools give them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import PurePath, PurePosixPath

from regionwise.errors import MaskError
from regionwise.filling.picture_listing import list_pictures
from regionwise.photos.formats import SUFFIXES
from regionwise.photos.photo_index import PhotoIndex
from regionwise.photos.photo_source import PhotoSource
from regionwise.photos.stored_files import Place

MARK = "_mask"
_RANKS = {suffix: rank for rank, suffix in enumerate(SUFFIXES)}
# mask_a and mask-a; a_mask001 (LaMa's), a-mask, a.mask, a mask
_BEFORE = re.compile(r"^masks?[-_. ](?P<name>.+)$")
_BEHIND = re.compile(r"^(?P<name>.+?)[-_. ]mask[-_ ]?\d*$")


class MaskFolder:
    """Masks in a folder, by name and in the same sub-folder.

    The mask of `a.jpg` is `a_mask.png` or `a.png`. If neither is there it may also be named in
    another case or Unicode form, or be `a.jpg.png`, `mask_a.png`, `a-mask.png` or `a_mask001.png`,
    as long as there is only one such file.
    """

    def __init__(
        self, folder: Place, *, only_marked: bool = False, photos: Iterable[PurePath] = ()
    ) -> None:
        """Look through the folder.

        Args:
            folder: is searched with all its sub-folders; a tar, or the address of one or the other.
            only_marked: take what is marked as a mask alone, as the photos themselves lie there.
            photos: paths of the photos in their folder: a mask that bears the exact name of one
                is never taken for another.
        """
        self.folder = folder
        self._only_marked = only_marked
        self.masks = PhotoIndex.of(list_pictures(folder, named_alone=True))
        self._files: dict[str, int] = {}
        self._alike: dict[str, list[int]] = defaultdict(list)
        named = [PurePosixPath(self.masks.name(k)) for k in range(len(self.masks))]
        order = sorted(range(len(named)), key=lambda k: (_RANKS[named[k].suffix.lower()], named[k]))
        for number in order:
            self._files.setdefault(named[number].with_suffix("").as_posix(), number)
            for name in _names(named[number], only_marked=only_marked):
                self._alike[name].append(number)
        self._taken = {
            self._files[name]
            for photo in photos
            for name in self._exact_names(photo)
            if name in self._files
        }

    def find(self, photo: PurePath) -> PhotoSource:
        """The mask of a photo, given by its path within the folder of photos.

        Raises:
            MaskError: if there is none, or more than one that is as near.
        """
        return self.masks[self.find_number(photo)]

    def find_number(self, photo: PurePath) -> int:
        """As `find`, the number of the mask in `masks`.

        Raises:
            MaskError: if there is none, or more than one that is as near.
        """
        names = self._exact_names(photo)
        for name in names:
            if name in self._files:
                return self._files[name]
        for key in (_plain(photo.as_posix()), _plain(photo.with_suffix("").as_posix())):
            near = [file for file in self._alike.get(key, ()) if file not in self._taken]
            if near:
                return self._only(near)
        wanted = " or ".join(f"{name}.png" for name in names)
        raise MaskError(
            f"there is no mask for it in {self.folder}; it may be named {wanted}"
            f"{self._near_misses(photo)}"
        )

    def is_mask_of(self, file: PurePath, photos: set[str]) -> bool:
        """Whether a file beside the photos is marked as a mask of one of them.

        `photos` are plain names, see `plain_names`.
        """
        if file.stem.endswith(MARK):
            return True
        names = _marked(_plain(file.with_suffix("").as_posix()))
        return any(name in photos for name in names)

    def _exact_names(self, photo: PurePath) -> list[str]:
        marked = photo.with_name(photo.stem + MARK).as_posix()
        return [marked] if self._only_marked else [marked, photo.with_suffix("").as_posix()]

    def _only(self, near: list[int]) -> int:
        """The one mask; those of one name in several formats count as one, the first."""
        files = [PurePosixPath(self.masks.name(number)) for number in near]
        if len({file.with_suffix("") for file in files}) == 1:
            return near[0]
        several = ", ".join(sorted(file.name for file in files)[:4])
        raise MaskError(f"several masks in {self.folder} may be its own ({several}); rename one")

    def _near_misses(self, photo: PurePath) -> str:
        """What is there that may have been meant."""
        stem = photo.with_suffix("").name
        elsewhere = [
            name
            for name in self._files
            if PurePath(name).name in (stem, stem + MARK) and PurePath(name).parent != photo.parent
        ]
        here = {
            PurePath(name).name: name
            for name in self._files
            if PurePath(name).parent == photo.parent
        }
        longer = [here[name] for name in sorted(here) if _speaks_of(name, stem)]
        alike = [here[name] for name in get_close_matches(stem, here, 2, cutoff=0.75)]
        close = list(dict.fromkeys(longer + alike))
        near = [self.masks.name(self._files[name]) for name in (elsewhere + close)]
        return f"; near it are {', '.join(near[:3])}" if near else ""


def _speaks_of(name: str, stem: str) -> bool:
    """Whether a name is a photo's with something before or behind it, as a_matte of a."""
    before, found, behind = _plain(name).partition(_plain(stem))
    return bool(found) and not before[-1:].isalnum() and not behind[:1].isalnum()


def plain_names(photo: PurePath) -> tuple[str, str]:
    """A photo's name without and with its suffix, in one case and Unicode form."""
    return _plain(photo.with_suffix("").as_posix()), _plain(photo.as_posix())


def _plain(name: str) -> str:
    """In one Unicode form and one case."""
    return unicodedata.normalize("NFC", name).casefold()


def _marked(plain: str) -> list[str]:
    """The names of photos, in their folder, that a mask's name speaks of by a mark."""
    folder, slash, name = plain.rpartition("/")
    found = [match.group("name") for mark in (_BEFORE, _BEHIND) if (match := mark.match(name))]
    return [folder + slash + one for one in found]


def _names(inside: PurePath, *, only_marked: bool) -> list[str]:
    """The plain names of the photos that a mask may belong to.

    `a.jpg.png` belongs to `a.jpg`, that is to a name with its suffix.
    """
    name = _plain(inside.with_suffix("").as_posix())
    names = _marked(name)
    if not only_marked:
        names.append(name)
    return list(dict.fromkeys(names))
