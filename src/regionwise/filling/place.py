"""One photo from anywhere to anywhere: a file, an address that fsspec knows, or a pipe."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath

from regionwise.classical.progress import ReportProgress
from regionwise.engines.engine import Engine
from regionwise.errors import MaskError, OutputError, PhotoError
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.filling.photo_bytes import filled_bytes
from regionwise.output import check_output, write_whole
from regionwise.photos.formats import Format, disagreement, format_of_name, format_of_path
from regionwise.photos.frames import read_frames
from regionwise.photos.reading import bytes_of, known_format
from regionwise.photos.stored_files import check_address, is_address, write_address

PIPE = "-"
"""Standard input, or standard output."""


def fill_place(
    photo: str,
    mask: str | None,
    output: str | None,
    engine: Engine,
    options: FillOptions,
    *,
    ending: str = "",
    overwrite: bool = False,
    progress: ReportProgress | None = None,
) -> FillOutcome:
    """Fill one photo and write the result, whole or not at all.

    Args:
        photo: a file, an address, or "-".
        mask: likewise, or None.
        output: likewise; a folder takes a file of the photo's name; by default PHOTO_filled, with
            the suffix of what the photo's file holds.
        engine: a model.
        options: how to find the hole and to fill it.
        ending: is put before the output's suffix.
        overwrite: replace what is there.
        progress: called with the share that is done.

    Raises:
        RegionwiseError: with one line that names the file.
    """
    started = time.perf_counter()
    data = read_place(photo)
    kind = known_format(data, file_name(photo))
    target = _with_ending(output_of(photo, output, kind), ending)
    try:
        check_place(target, overwrite=overwrite)
        wanted = kind if target == PIPE else format_of_path(PurePosixPath(target))
    except OutputError:
        read_frames(data, file_name(photo))  # what can't be read is told first
        raise
    result, outcome = filled_bytes(
        data,
        None if mask is None else read_mask_place(mask),
        options,
        engine,
        output_format=wanted.name,
        name=file_name(photo),
        mask_name=None if mask is None else file_name(mask),
        progress=progress,
    )
    write_place(result, target, overwrite=overwrite)
    return replace(
        with_lie(outcome, PurePosixPath(photo), kind),
        seconds=time.perf_counter() - started,
        key=PurePosixPath(photo).name,
        photo=photo,
        output=target,
    )


def with_lie(outcome: FillOutcome, photo: PurePosixPath, kind: Format) -> FillOutcome:
    """The row, with a line if the photo's name says another format than its content is of."""
    lies = disagreement(photo, kind.name)
    return replace(outcome, warnings=(lies, *outcome.warnings)) if lies else outcome


def file_name(place: str) -> str:
    """What to call a place in messages."""
    return "standard input" if place == PIPE else place


def output_of(photo: str, output: str | None, kind: Format) -> str:
    """Where the result goes: what was said, or beside the photo by the format of its content."""
    if output is None and photo == PIPE:
        return PIPE
    source = PurePosixPath(photo)
    suffix = source.suffix if format_of_name(source) == kind else kind.suffixes[0]
    stem = "photo" if photo == PIPE else source.stem if format_of_name(source) else source.name
    if output is None:
        name = f"{stem}_filled{suffix}"
        return _beside(photo, name)
    if output != PIPE and not is_address(output) and Path(output).is_dir():
        return str(Path(output) / f"{stem}{suffix}")
    return output


def _beside(photo: str, name: str) -> str:
    if is_address(photo):
        return photo[: photo.rindex("/") + 1] + name
    return str(Path(photo).with_name(name))


def _with_ending(place: str, ending: str) -> str:
    if not ending:
        return place
    if place == PIPE:
        raise OutputError("several answers can't go to standard output; give a file by `output`")
    path = PurePosixPath(place)
    return _beside(place, path.stem + ending + path.suffix)


def read_place(place: str) -> bytes:
    """All bytes of a file, an address or standard input.

    Raises:
        PhotoError: if it can't be read.
    """
    if place == PIPE:
        return bytes_of(sys.stdin.buffer, file_name(place))
    if not is_address(place) and not Path(place).exists():
        raise PhotoError(f"{place} does not exist; check the name")
    return bytes_of(place, place)


def read_mask_place(place: str) -> bytes:
    """As `read_place`.

    Raises:
        MaskError: if it can't be read.
    """
    try:
        return read_place(place)
    except PhotoError as error:
        raise MaskError(f"the mask can't be used: {error}") from error


def check_place(place: str, *, overwrite: bool) -> None:
    """Find out early that a result can't be written.

    Raises:
        OutputError: if it can't.
    """
    if place == PIPE:
        if sys.stdout.isatty():
            raise OutputError("a picture on the screen is no use; send it on with > or |")
    elif is_address(place):
        check_address(place, overwrite=overwrite)
    else:
        check_output(Path(place), overwrite=overwrite)


def write_place(data: bytes, place: str, *, overwrite: bool) -> None:
    """Write a result.

    Raises:
        OutputError: if it can't be written.
    """
    if place == PIPE:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                f"standard output can't be written ({error.strerror or error})"
            ) from error
    elif is_address(place):
        write_address(data, place, overwrite=overwrite)
    else:
        write_whole(data, Path(place), overwrite=overwrite)
