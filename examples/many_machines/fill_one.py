"""What each engine maps over photos: a file in, a row out. Nothing here knows the engine."""

from pathlib import Path

from regionwise.filling.options import FillOptions
from regionwise.filling.photo_bytes import engine_of, fill_bytes

OPTIONS = FillOptions(model="small")


def fill_one(photo: str, mask: str, results: str) -> dict:
    """Fill a photo on one thread, with a model that is opened once a process."""
    data, row = fill_bytes(
        Path(photo).read_bytes(),
        Path(mask).read_bytes(),
        OPTIONS,
        engine=engine_of(OPTIONS, threads=1),
        key=photo,
    )
    if row.status != "failed":
        (Path(results) / Path(photo).name).write_bytes(data)
    return row.as_row()
