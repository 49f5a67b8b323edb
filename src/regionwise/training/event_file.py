"""TensorBoard's file of events, written record by record.

TensorBoard's own writer hands records to a thread, and waits for it forever once it has died of a
full disk.
"""

from __future__ import annotations

import os
import socket
import time
from io import BytesIO
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.record_writer import RecordWriter


class EventFile:
    """A new file of events in a folder.

    Args:
        folder: of the run, which may have older files.
        step: what older files say of this step and of later ones is forgotten.
    """

    def __init__(self, folder: Path, step: int) -> None:
        seconds, rest = divmod(time.time_ns(), 10**9)  # files are read in the order of their names
        name = f"events.out.tfevents.{seconds:010d}.{socket.gethostname()}.{os.getpid()}.{rest:09d}"
        self._file = (folder / name).open("xb", buffering=0)
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        session = SessionLog(status=SessionLog.START)
        self._write(Event(wall_time=time.time(), step=step, session_log=session))

    def add(self, summary: Any, step: int) -> bool:
        """Write a summary of a step; False if there is no room, and the file as it was before."""
        return self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def _write(self, event: Any) -> bool:
        record = BytesIO()
        RecordWriter(record).write(event.SerializeToString())
        end = self._file.tell()
        try:
            if self._file.write(record.getvalue()) == len(record.getvalue()):
                return True
        except OSError:
            pass
        self._file.truncate(end)
        self._file.seek(end)
        return False

    def close(self) -> None:
        """Close the file."""
        self._file.close()
