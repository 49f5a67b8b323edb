"""What the server allows, and whom."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from regionwise.engines.engine import Device

MEGA = 1_000_000


@dataclass(frozen=True)
class ServerSettings:
    """Limits and doors of the server.

    Attributes:
        host: the address that it listens on.
        allowed_hosts: names besides localhost by which it may be called.
        token: what a client must show, or None.
        model: what the name `default` stands for: a name of `list_models()`, or a file.
        device: auto, cpu or cuda.
        max_bytes: the largest request, and so the largest photo file.
        max_pixels: the largest photo.
        fill_seconds: the longest that one fill may run.
        upload_seconds: the longest that a request may take to arrive.
        workers: photos worked on at a time. The engine runs one batch at a time whatever this is.
        waiting: how many more requests may wait; beyond them a client is told to come back later.
        arriving: bodies that may arrive at a time.
        arriving_each: of these, of one client.
        memory: bytes of photo files and results that are kept for the page, and of what arrives.
        decoded_memory: bytes of decoded photos kept at hand; one is kept however large it is.
        output_dir: a folder that pages may save results in, or None.
        segmenter: a file with a SAM-class network for selecting, or None for the classical way.
        idle_seconds: a photo that nobody asked for so long is forgotten.
    """

    host: str = "127.0.0.1"
    allowed_hosts: frozenset[str] = frozenset()
    token: str | None = None
    model: str | os.PathLike[str] = "default"
    device: Device = "auto"
    max_bytes: int = 200 * MEGA
    max_pixels: int = 100 * MEGA
    fill_seconds: float = 300
    upload_seconds: float = 120
    workers: int = 2
    waiting: int = 64
    arriving: int = 64
    arriving_each: int = 16
    memory: int = 1000 * MEGA
    decoded_memory: int = 500 * MEGA
    output_dir: Path | None = None
    segmenter: Path | None = None
    idle_seconds: float = 3 * 3600

    @property
    def is_local(self) -> bool:
        """Whether only this computer can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
