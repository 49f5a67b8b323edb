"""Systems that come as several files, one for each of their networks.

Their cards name the parts and their released files (`NetworkCard.parts`). The parts are read into
one dictionary whose keys begin with the part's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from regionwise.errors import CheckpointError


def joined_parts(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """One dictionary, each key with its part before it and without that of several GPUs."""
    return {
        f"{part}.{key.removeprefix('module.')}": value
        for part, weights in parts.items()
        for key, value in weights.items()
    }


class MissingPartError(CheckpointError):
    """Some of the files of one network are not there."""

    def __init__(self, files: Mapping[str, str], missing: Sequence[str]) -> None:
        whole, lacking = " and ".join(files.values()), " and ".join(missing)
        super().__init__(f"this network comes as {whole}; put {lacking} beside it under this name")
        self.files = files


def check_parts(weights: Mapping[str, Any], files: Mapping[str, str]) -> None:
    """See that each part is there.

    Raises:
        MissingPartError: naming the files of those that are not.
    """
    missing = [
        file
        for part, file in files.items()
        if not any(key.startswith(f"{part}.") for key in weights)
    ]
    if missing:
        raise MissingPartError(files, missing)
