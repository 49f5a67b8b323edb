"""A file is written whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.photo_files import (
    noise,
    one_line,
)
from tests.support.pictures import open_picture

from regionwise import output
from regionwise.errors import OutputError
from regionwise.photos.reading import read_photo
from regionwise.photos.writing import write_photo


class TestWriting:
    def test_suffix_names_the_format(self, tmp_path: Path) -> None:
        photo = read_photo(noise("RGB", 9, 9))
        for suffix, kind in (
            (".JPG", "JPEG"),
            (".png", "PNG"),
            (".tif", "TIFF"),
            (".webp", "WEBP"),
        ):
            path = tmp_path / f"a{suffix}"
            write_photo(photo, path)
            assert open_picture(path).format == kind
            assert path.stat().st_mode & 0o777 == 0o666 & ~current_umask()
        assert len(list(tmp_path.iterdir())) == 4

    def test_existing_file_is_kept_unless_told(self, tmp_path: Path) -> None:
        photo = read_photo(noise("RGB", 9, 9))
        path = tmp_path / "a.png"
        path.write_bytes(b"old")
        path.chmod(0o640)
        with pytest.raises(OutputError, match="`overwrite`"):
            write_photo(photo, path)
        assert path.read_bytes() == b"old"
        write_photo(photo, path, overwrite=True)
        assert open_picture(path).size == (9, 9)
        assert path.stat().st_mode & 0o777 == 0o640

    def test_bad_places(self, tmp_path: Path) -> None:
        photo = read_photo(noise("RGB", 9, 9))
        for path, says in (
            (tmp_path / "none" / "a.png", "not a folder"),
            (tmp_path / "a.psd", "suffix"),
            (tmp_path / "a", "suffix"),
        ):
            with pytest.raises(OutputError, match=says) as error:
                write_photo(photo, path)
            one_line(error)
        (tmp_path / "folder.png").mkdir()
        with pytest.raises(OutputError, match="is a folder"):
            write_photo(photo, tmp_path / "folder.png", overwrite=True)

    def test_read_only_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(output.os, "access", lambda *_: False)  # root may write anywhere
        with pytest.raises(OutputError, match="read-only"):
            write_photo(read_photo(noise("RGB", 9, 9)), tmp_path / "a.png")

    @pytest.mark.parametrize(
        "failure", [OSError(28, "No space left on device"), KeyboardInterrupt()]
    )
    def test_a_failure_while_writing_leaves_what_was_there(
        self, failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: int) -> None:
            raise failure

        path = tmp_path / "a.png"
        path.write_bytes(b"old")
        monkeypatch.setattr(output.os, "fsync", fail)
        with pytest.raises((OutputError, KeyboardInterrupt)) as error:
            write_photo(read_photo(noise("RGB", 9, 9)), path, overwrite=True)
        if isinstance(failure, OSError):
            assert "disk is full" in one_line(error)
        assert path.read_bytes() == b"old"
        assert [each.name for each in tmp_path.iterdir()] == ["a.png"]

    def test_an_interrupted_process_leaves_no_half_file(self, tmp_path: Path) -> None:
        script = (
            "import sys, numpy as np\n"
            "from pathlib import Path\n"
            "from regionwise.output import write_whole\n"
            "print('go', flush=True)\n"
            "while True: write_whole(bytes(4_000_000), Path(sys.argv[1]), overwrite=True)\n"
        )
        path = tmp_path / "a.png"
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            # A shell's background jobs ignore Ctrl-C, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
        process.stdout.close()
        assert {each.name for each in tmp_path.iterdir()} <= {"a.png"}
        if path.exists():
            assert path.stat().st_size == 4_000_000

    def test_a_link_is_followed(self, tmp_path: Path) -> None:
        target = tmp_path / "real.png"
        target.write_bytes(b"old")
        (tmp_path / "link.png").symlink_to(target)
        write_photo(read_photo(noise("RGB", 9, 9)), tmp_path / "link.png", overwrite=True)
        assert (tmp_path / "link.png").is_symlink()
        assert open_picture(target).size == (9, 9)


def current_umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
