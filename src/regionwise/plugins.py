"""Networks, losses and holes that other packages bring, by entry points.

| group | an entry point is |
|---|---|
| `regionwise.networks` | a package with `card.py` and `network.py`, as in `regionwise.models` |
| `regionwise.losses` | a function of answer, truth, mask and keyword arguments |
| `regionwise.holes` | a family: a function of size, random generator and ratio |

A package is read when its name is asked for; that of a network when networks are listed.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from regionwise.errors import RegionwiseError

NETWORKS = "regionwise.networks"
LOSSES = "regionwise.losses"
HOLES = "regionwise.holes"


@cache
def plugins(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name; nothing is imported."""
    return {point.name: point for point in sorted(entry_points(group=group))}


def load_plugin(group: str, name: str) -> Any:
    """What an entry point names.

    Raises:
        RegionwiseError: if there is no such one, or it can't be imported.
    """
    found = plugins(group)
    if name not in found:
        there = ", ".join(found) or "none"
        raise RegionwiseError(f"no package brings {name!r} as {group}; there are: {there}")
    try:
        return found[name].load()
    except Exception as error:  # another's code
        said = " ".join(str(error).split())[:160]
        raise RegionwiseError(f"{group}: {found[name].value} can't be imported ({said})") from error
