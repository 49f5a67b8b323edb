"""A folder that other programs write to."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from regionwise.cli.watch import watch
from regionwise.engines.zoo import load_model
from regionwise.errors import MaskError, OutputError, RegionwiseError
from regionwise.filling.options import FillOptions
from regionwise.filling.watch import watch_folder


def photo(seed=0, size=(40, 48)):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8))


def erased(seed=0):
    picture = photo(seed).convert("RGBA")
    picture.paste((0, 0, 0, 0), (10, 10, 20, 20))
    return picture


def hole():
    mask = Image.new("L", (48, 40))
    mask.paste(255, (10, 10, 20, 20))
    return mask


class Watched:
    """A folder, its results, and what was told; watched by a thread."""

    def __init__(self, home):
        self.home, self.results = home / "in", home / "out"
        self.home.mkdir()
        self.told = []
        self.stop = threading.Event()
        self.thread = None

    def start(self, masks=None, **options):
        def run():
            engine = load_model("membrane")
            chosen = FillOptions(**options)
            watch(self.home, masks, self.results, engine, chosen, self.told.append, stop=self.stop)

        self.thread = threading.Thread(target=run)
        self.thread.start()
        return self

    def wait(self, count, seconds=20):
        """Until so much was told; then for a while, that nothing more is."""
        end = time.monotonic() + seconds
        while len(self.told) < count and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)
        assert len(self.told) == count, self.told
        return self.told[-1] if count else None

    def end(self):
        self.stop.set()
        if self.thread:
            self.thread.join(20)
            assert not self.thread.is_alive()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    import regionwise.cli.watch as module

    def quickly(*arguments, **more):
        return watch_folder(*arguments, every=0.05, **more)

    monkeypatch.setattr(module, "watch_folder", quickly)
    watched = Watched(tmp_path)
    yield watched
    watched.end()


def test_what_is_erased_is_filled_and_again_when_it_changes(folder):
    folder.start()
    erased(0).save(folder.home / "a.png")
    assert folder.wait(1).status == "filled"
    first = np.asarray(Image.open(folder.results / "a.png"))
    assert (first[..., 3] == 255).all()
    erased(1).save(folder.home / "a.png")
    assert folder.wait(2).status == "filled"
    assert (np.asarray(Image.open(folder.results / "a.png")) != first).any()


def test_a_mask_beside_the_photo(folder):
    folder.start()
    hole().save(folder.home / "a_mask.png")
    photo().save(folder.home / "a.png")
    assert folder.wait(1).status == "filled"
    assert [file.name for file in folder.results.iterdir()] == ["a.png"]


def test_a_mask_that_comes_later(folder):
    folder.start()
    photo().save(folder.home / "a.png")
    outcome = folder.wait(1)  # no hole so far, which is told once
    assert outcome.status == "failed"
    hole().save(folder.home / "a_mask.png")
    assert folder.wait(2).status == "filled"


def test_a_folder_of_masks_is_waited_for(folder, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    folder.start(masks)
    photo().save(folder.home / "a.png")
    folder.wait(0, seconds=0.3)
    hole().save(masks / "a.png")
    assert folder.wait(1).status == "filled"


def test_a_file_that_is_being_written_is_left_until_it_is_whole(folder, tmp_path):
    folder.start()
    erased().save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    with open(folder.home / "a.png", "wb") as file:
        for start in range(0, len(data), len(data) // 20):
            file.write(data[start : start + len(data) // 20])
            file.flush()
            time.sleep(0.02)  # less than from one look to the next
    assert folder.wait(1).status == "filled"


def test_half_a_file_is_told_once_and_filled_when_it_is_whole(folder, tmp_path):
    folder.start()
    erased().save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    (folder.home / "a.png").write_bytes(data[: len(data) // 2])
    assert folder.wait(1).status == "failed"
    assert not (folder.results / "a.png").exists()
    (folder.home / "a.png").write_bytes(data)
    assert folder.wait(2).status == "filled"


def test_what_is_done_is_not_done_again(folder):
    erased().save(folder.home / "a.png")
    erased().save(folder.home / "b.png")
    folder.results.mkdir()
    erased().save(folder.results / "a.png")
    erased().save(folder.results / "b.png")
    os.utime(folder.results / "b.png", (1, 1))  # older than its photo
    folder.start()
    outcome = folder.wait(1)
    assert outcome.key == "b.png"


def test_a_photo_that_goes_away_is_no_trouble(folder):
    folder.start()
    erased().save(folder.home / "a.png")
    (folder.home / "a.png").unlink()
    erased().save(folder.home / "b.png")
    assert folder.wait(1).key == "b.png"


def test_mistakes_are_told(tmp_path):
    engine, options = load_model("membrane"), FillOptions()
    (tmp_path / "in").mkdir()
    with pytest.raises(RegionwiseError, match="is none"):
        watch(tmp_path / "no", None, tmp_path / "out", engine, options, print)
    with pytest.raises(MaskError, match="there is no mask"):
        watch(tmp_path / "in", tmp_path / "no", tmp_path / "out", engine, options, print)
    with pytest.raises(OutputError, match="holds the photos"):
        watch(tmp_path / "in", None, tmp_path / "in", engine, options, print)


@pytest.mark.skipif(os.name == "nt", reason="no signals")
def test_the_command_ends_well_by_ctrl_c(tmp_path):
    (tmp_path / "in").mkdir()
    erased().save(tmp_path / "in" / "a.png")
    command = [sys.executable, "-m", "regionwise", "fill", "in", "--watch", "--model", "membrane"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert "is watched" in process.stdout.readline()
    assert "filled 5.2% of" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process.stdout.close()
    assert (tmp_path / "in_filled" / "a.png").is_file()


def test_what_does_not_go_with_it_is_told(tmp_path, capsys):
    from regionwise.cli import main

    (tmp_path / "in").mkdir()
    assert main(["fill", str(tmp_path / "in"), "--watch", "--workers", "2"]) == 2
    assert "--watch goes without" in capsys.readouterr().err
