"""Why the server says no, with the status of HTTP that says so."""

from __future__ import annotations

from regionwise.errors import RegionwiseError

CLIENT_GONE = 499
"""What logs show for a client that did not wait; it never sees it."""


class RefusedError(RegionwiseError):
    """A request that can't be served.

    Attributes:
        status: of HTTP.
        retry_after: seconds after which it may be tried again, or None.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class StoppedError(RegionwiseError):
    """A fill that was stopped: nobody waits for it any more, or the server ends."""
