"""Fill all files of a folder, one after another, under a limit of memory; used by the fuzz test."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

from regionwise.engines.classical_engine import MembraneEngine
from regionwise.filling.folder import fill_job
from regionwise.filling.folder_jobs import Job
from regionwise.filling.options import FillOptions
from regionwise.filling.results import FileResults
from regionwise.photos.photo_source import PhotoSource

_MEMORY = 3 << 30


def run(folder: Path, log: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    warnings.simplefilter("ignore")
    engine, options = MembraneEngine(), FillOptions(box=(1, 1, 5, 4))
    output = folder / "out"
    with log.open("w") as file:
        for photo in sorted(one for one in folder.iterdir() if one.name[:6].isdigit()):
            file.write(json.dumps({"at": photo.name}) + "\n")
            file.flush()
            started = time.monotonic()
            source = PhotoSource(photo, photo.name)
            job = Job(source, None, output / photo.name)
            # As a mask every third file is read too.
            if int(photo.name[:6]) % 3 == 0:
                job = replace(job, mask=source)
                outcome = fill_job(job, engine, FillOptions(resize_mask=True), FileResults())
            else:
                outcome = fill_job(job, engine, options, FileResults())
            made = [one.name for one in output.iterdir()] if output.exists() else []
            wanted = [] if outcome.status == "failed" else [Path(outcome.output).name]
            row = {
                "photo": photo.name,
                "status": outcome.status,
                "error": outcome.error,
                "seconds": round(time.monotonic() - started, 3),
                "left": sorted(set(made) ^ set(wanted)),
            }
            for name in made:
                (output / name).unlink()
            file.write(json.dumps(row) + "\n")
            file.flush()


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
