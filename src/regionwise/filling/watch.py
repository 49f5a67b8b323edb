"""Fill what is put into a folder, as long as one likes: for those who work in another program.

The folder is looked at again and again (which every file system bears, those of a network too). A
file that is still being written is left until it and its mask have stayed as they are from one look
to the next; what can't be read even so is told once, and tried again when it has changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

from regionwise.errors import MaskError, PhotoError
from regionwise.filling.folder_jobs import Job, Listing, find_jobs
from regionwise.filling.mask_folder import MaskFolder
from regionwise.filling.outcome import FillOutcome

_State = tuple[tuple[int, int], ...]
"""Size and time of a photo, and of its mask where it has one."""


def watch_folder(
    photos: Path,
    masks: Path | None,
    output: Path,
    fill: Callable[[Job], FillOutcome],
    *,
    every: float = 1.0,
    stop: threading.Event | None = None,
) -> Generator[FillOutcome, None, None]:
    """Fill each photo of a folder that is new or has changed, until `stop` is set.

    A photo is filled anew, and its result replaced, when it or its mask has changed since. What was
    filled before, by another run, is left alone unless it is older than the photo or the mask.

    Args:
        photos: a folder, with its sub-folders.
        masks: see `find_jobs`. If None a photo's mask is the file `NAME_mask` beside it; if there
            is none either, its transparent pixels, or the box of the options, are filled.
        output: a folder.
        fill: fills a job and replaces its result; what goes wrong is told in the outcome.
        every: seconds between two looks.
        stop: ends it, at once or after the photo that is being filled.

    Yields:
        An outcome for each try.

    Raises:
        RegionwiseError: if there is no such folder of masks, or `output` is that of the photos.
    """
    stop = stop or threading.Event()
    done: dict[str, _State] = {}
    seen: dict[str, _State] = {}
    first = True
    while not stop.is_set():
        before, seen = seen, {}
        for job in _jobs(photos, masks, output):
            state = _state(job)
            if state is None or done.get(job.key) == state:
                continue
            if first and _is_newer(job, state):
                done[job.key] = state
                continue
            seen[job.key] = state
            if before.get(job.key) != state:
                continue
            done[job.key] = state
            yield fill(job)
            if stop.is_set():
                return
        first = False
        stop.wait(every)


def _jobs(photos: Path, masks: Path | None, output: Path) -> list[Job]:
    """What is there now, each with the file of its mask; photos that still wait for it left out."""
    try:
        found = find_jobs(photos, masks or photos, output)
    except PhotoError:  # none is there yet
        return []
    ready = []
    for job in found:
        try:
            ready.append(replace(job, mask=job.find_mask()))
        except MaskError:
            if masks is None:
                ready.append(replace(job, mask=None))
    return ready


def _state(job: Job) -> _State | None:
    """None where a file has gone since the folder was listed, or is empty as yet."""
    assert not isinstance(job.mask, MaskFolder)
    files = [job.photo] if job.mask is None else [job.photo, job.mask]
    try:
        told = [file.stat() for file in files]
    except OSError:
        return None
    if not all(one.st_size for one in told):
        return None
    return tuple((one.st_size, one.st_mtime_ns) for one in told)


def _is_newer(job: Job, state: _State) -> bool:
    """Whether a result is there that was made of these files."""
    if not Listing().has_result(job):
        return False
    written = [file.stat().st_mtime_ns for file in (job.output, *_renamed(job)) if file.exists()]
    return bool(written) and max(written) >= max(time for _, time in state)


def _renamed(job: Job) -> list[Path]:
    """Results that bear another suffix behind the name, as the format of the photo wanted."""
    return list(job.output.parent.glob(f"{job.output.name}.*"))
