"""What an evaluation leaves in its folder when all pictures are filled."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import regionwise
from regionwise.evaluation.contact_sheet import Sample, contact_sheet, find_samples
from regionwise.evaluation.crop_pages import crop_pages
from regionwise.evaluation.feature_files import Key, distances
from regionwise.evaluation.feature_sums import distance_of_sums
from regionwise.evaluation.metrics.metric import Score
from regionwise.evaluation.plan import OwnSize
from regionwise.evaluation.report import html_report
from regionwise.evaluation.rows import Row
from regionwise.evaluation.run import Evaluation
from regionwise.evaluation.settings import scores_of, weights_checksum
from regionwise.evaluation.tables import Table, make_tables
from regionwise.evaluation.writers import to_csv, to_data, to_latex, to_markdown
from regionwise.output import whole_file, write_whole

_SHOWN = 14
"""Samples on the contact sheet and in the report, at most; spread over all that were kept."""

_LIBRARIES = ("numpy", "Pillow", "scipy", "onnxruntime", "torch", "opencv-python-headless")


def tables_of(evaluation: Evaluation, rows: Sequence[Row]) -> list[Table]:
    """The tables of an evaluation's results, the Fréchet distance last."""
    models = list(evaluation.models)
    distance = None
    if evaluation.features is not None:
        metric = Score("frechet", evaluation.features.name, "lower", digits=2)

        def take(keys: Sequence[Key]) -> float:
            found = distance_of_sums if evaluation.sums else distances
            return found(evaluation.folder / "features", keys)

        distance = (metric, take)
    return make_tables(rows, evaluation.plan, models, scores_of(evaluation), distance)


def errors_of(rows: Sequence[Row]) -> list[str]:
    """What went wrong, a line each; what failed in all models at once is said once."""
    lines = [
        row.error if not row.mask else f"{row.model}: {row.photo}, {row.set}: {row.error}"
        for row in rows
        if row.error
    ]
    return sorted(set(lines))


def write_summary(
    evaluation: Evaluation, rows: Sequence[Row], command: str
) -> tuple[list[Table], list[str]]:
    """Write tables, contact sheet, report and the record of how they were made.

    Returns:
        The tables, and what went wrong.
    """
    tables, errors = tables_of(evaluation, rows), errors_of(rows)
    record = _record(evaluation, rows, errors, command)
    folder = evaluation.folder
    way = way_of(evaluation)
    texts = {
        "table.md": f"{way}\n\n{to_markdown(tables)}",
        "table.tex": f"% {way}\n{to_latex(tables)}",
        "table.csv": to_csv(tables),
    }
    data = {"record": record, "tables": to_data(tables)}
    texts["evaluation.json"] = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    kept = find_samples(folder, list(evaluation.models))
    samples = kept[:: -(-len(kept) // _SHOWN) or 1]
    if any(isinstance(one.size, OwnSize) for one in evaluation.plan.sets):
        _write_pages(folder / "sheets", kept)
    elif samples:
        with whole_file(folder / "contact_sheet.png") as file:
            contact_sheet(samples).save(file, "PNG")
    texts["report.html"] = html_report(evaluation.plan.title, record, tables, samples, errors)
    for name, text in texts.items():
        write_whole(text, folder / name, overwrite=True)
    return tables, errors


def way_of(evaluation: Evaluation) -> str:
    """In which way holes were filled, and what that leaves out of what a user gets, in a line."""
    options = evaluation.options
    if options.raw:
        return "Measured: the models' raw answers, known pixels too."
    detailed = [name for name, one in evaluation.models.items() if one.traits.detail != "never"]
    if evaluation.through == "fill":
        line = "Filled as users do it (fill): in windows, feathered"
        if options.large != "auto":
            return f"{line}, `--large {options.large}`."
        if detailed:
            line = f"{line}; {', '.join(detailed)} with the photo's own detail"
        return f"{line}."
    line = "Filled by the models alone (network): the whole picture at once, nothing feathered"
    if not detailed:
        return f"{line}."
    return (
        f"{line}; {', '.join(detailed)} with texture, without the photo's own detail that users "
        "get (`--through fill`)."
    )


def _write_pages(folder: Path, samples: Sequence[Sample]) -> None:
    """The pages of a contact sheet; those of an earlier call go."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("page-*.jpg"):
        old.unlink()
    for number, page in enumerate(crop_pages(samples), start=1):
        with whole_file(folder / f"page-{number:02d}.jpg") as file:
            page.save(file, "JPEG", quality=92, subsampling=0)


def _record(
    evaluation: Evaluation, rows: Sequence[Row], errors: Sequence[str], command: str
) -> dict[str, Any]:
    """All that is needed to do it again, and what it took."""
    seconds = {
        model: statistics.median(times)
        for model in evaluation.models
        if (times := [row.seconds for row in rows if row.model == model and not row.error])
    }
    processes = sorted((evaluation.folder / "processes").glob("*.json"))
    return {
        "command": command,
        "regionwise": regionwise.__version__,
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "protocol": evaluation.plan.name,
        "protocol source": evaluation.plan.source,
        "protocol sha256": evaluation.plan.sha256,
        "photos": len(evaluation.photos),
        "photo names": [photo.name for photo in evaluation.photos],
        "filled": way_of(evaluation),
        "pictures": len({row.key[:2] for row in rows}),
        "models sha256": {
            name: weights_checksum(engine) for name, engine in evaluation.models.items()
        },
        "median seconds per picture": seconds,
        "processes": {file.stem: json.loads(file.read_text()) for file in processes},
        "intervals": "95 %, percentile bootstrap over photos, 2000 resamples, seed 0",
        "notes": list(evaluation.plan.notes),
        "errors": list(errors),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
