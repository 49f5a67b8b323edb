"""How long work tells how far it is, and is stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

ReportProgress: TypeAlias = Callable[[float], None]
"""Is told, many times, the share of the work that is done, 0 to 1; what it raises ends the work."""
