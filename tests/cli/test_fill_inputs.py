"""Photos, masks and paths as people have them, through the command and through folder runs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tests.support.photo_files import file_of, noise, saved, smooth
from tests.support.pictures import open_picture

import regionwise
from regionwise.cli import main
from regionwise.errors import RegionwiseError
from regionwise.photos.formats import FORMATS
from regionwise.photos.reading import read_photo

SIZE = (40, 60)
READY = [one for one in FORMATS if one.lacks is None]


def fill(*arguments: object) -> int:
    return main(["fill", *map(str, arguments), "--model", "membrane"])


def picture(kind: str) -> bytes:
    if kind in ("JXL", "JPEG2000"):
        import imagecodecs

        encode = {"JXL": imagecodecs.jpegxl_encode, "JPEG2000": imagecodecs.jpeg2k_encode}[kind]
        return bytes(encode(smooth(*SIZE), 0))
    if kind == "HEIF":
        return regionwise_bytes(smooth(*SIZE), kind)
    image = Image.fromarray(smooth(*SIZE))
    return saved(image.quantize(64) if kind == "GIF" else image, kind)


def mask_file(file: Path, *, value: int = 255) -> Path:
    pixels = np.zeros(SIZE, np.uint8)
    pixels[10:20, 20:30] = value
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file, "PNG")
    return file


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    file.write_bytes(picture("PNG"))
    return file


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    return mask_file(tmp_path / "mask.png")


def changed(before: Path | bytes, after: Path) -> np.ndarray:
    first, second = read_photo(before).color, read_photo(after).color
    return np.asarray((first != second).any(axis=2))


class TestFormats:
    def test_every_suffix_is_filled_in_a_folder(self, tmp_path: Path, mask: Path) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        for one in READY:
            for suffix in one.suffixes:
                (photos / f"a{suffix}").write_bytes(picture(one.name))
                (photos / f"B{suffix.upper()}").write_bytes(picture(one.name))
        assert fill(photos, mask, "-o", tmp_path / "out") == 0
        names = {file.name for file in photos.iterdir()}
        assert {file.name for file in (tmp_path / "out").iterdir()} == names
        hole = read_photo(mask).color[..., 0] > 0
        for name in names:
            if read_photo(photos / name).format != "JPEG":
                assert np.array_equal(changed(photos / name, tmp_path / "out" / name), hole), name

    @pytest.mark.parametrize("one", READY, ids=lambda one: one.name)
    def test_each_is_read_and_written_and_may_be_the_mask(
        self, one: SimpleNamespace, tmp_path: Path
    ) -> None:
        file = tmp_path / f"photo{one.suffixes[0]}"
        file.write_bytes(picture(one.name))
        white = np.zeros((*SIZE, 3), np.uint8)
        white[8:24, 16:32] = 255
        mask = tmp_path / f"mask{one.suffixes[0]}"
        mask.write_bytes(regionwise_bytes(white, one.name))
        assert fill(file, mask) == 0
        output = tmp_path / f"photo_filled{one.suffixes[0]}"
        assert read_photo(output).format == one.name
        if one.name != "JPEG":
            assert np.array_equal(changed(file, output), white[..., 0] > 0)

    def test_what_can_t_be_read_is_named_and_counted(
        self, tmp_path: Path, mask: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        (photos / "good.jpg").write_bytes(picture("JPEG"))
        (photos / "layers.psd").write_bytes(b"8BPS\0\1" + bytes(60))
        (photos / "raw.cr3").write_bytes(b"\0\0\0\x18ftypcrx \0\0\0\1" + bytes(60))
        (photos / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
        (photos / "photoshop without a suffix").write_bytes(b"8BPS\0\1" + bytes(60))
        (photos / "notes.txt").write_text("no photo")
        (photos / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(60))
        (photos / "README").write_text("no photo")
        assert fill(photos, mask, "--json") == 1
        told = capsys.readouterr()
        report = json.loads(told.out)
        assert (report["filled"], report["failed"]) == (1, 4)
        failed = {Path(one["photo"]).name: one for one in report["photos"] if "error" in one}
        assert set(failed) == {
            "layers.psd", "raw.cr3", "drawing.svg", "photoshop without a suffix",
        }  # fmt: skip
        assert "Photoshop" in failed["layers.psd"]["error"]
        assert "raw file" in failed["raw.cr3"]["error"]
        for name in failed:
            assert name in told.err

    def test_a_picture_without_a_suffix_is_filled(self, tmp_path: Path, mask: Path) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        (photos / "IMG_1").write_bytes(picture("JPEG"))
        assert fill(photos, mask) == 0
        assert (tmp_path / "photos_filled" / "IMG_1.jpg").is_file()
        assert fill(photos / "IMG_1", mask) == 0
        assert (photos / "IMG_1_filled.jpg").is_file()

    def test_heic_without_its_package_names_it(
        self, tmp_path: Path, mask: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        if any(one.name == "HEIF" for one in READY):
            pytest.skip("pillow-heif is here")
        file = tmp_path / "a.heic"
        file.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60))
        assert fill(file, mask) == 2
        assert 'pip install "regionwise[heic]"' in capsys.readouterr().err

    def test_an_unreadable_photo_is_told_before_its_output(
        self, tmp_path: Path, mask: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "a.psd"
        file.write_bytes(b"8BPS\0\1" + bytes(60))
        for output in ([], ["-o", tmp_path / "new.xyz"]):
            assert fill(file, mask, *output) == 2
            assert "a Photoshop picture" in capsys.readouterr().err
        file = tmp_path / "cut.png"
        file.write_bytes(picture("PNG")[:300])
        for output in (tmp_path / "no_folder" / "a.png", tmp_path / "new.xyz", mask):
            assert fill(file, mask, "-o", output) == 2
            assert "is broken or cut short" in capsys.readouterr().err

    def test_a_mask_that_covers_all_is_refused(
        self, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Image.new("L", SIZE[::-1], 255).save(tmp_path / "white.png")
        assert fill(photo, tmp_path / "white.png") == 2
        assert "covers all of the photo" in capsys.readouterr().err
        assert not photo.with_name("photo_filled.png").exists()


def regionwise_bytes(pixels: np.ndarray, kind: str) -> bytes:
    from regionwise.photos.writing import encode_photo

    return encode_photo(read_photo(pixels), kind)


class TestNamesThatLie:
    def test_the_content_counts(
        self, tmp_path: Path, mask: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "lies.jpg"
        file.write_bytes(picture("PNG"))
        assert fill(file, mask) == 0
        assert "lies.jpg: it holds PNG data, though its name says JPEG" in capsys.readouterr().err
        output = tmp_path / "lies_filled.png"
        assert output.read_bytes().startswith(b"\x89PNG")
        assert np.array_equal(changed(file, output), read_photo(mask).color[..., 0] > 0)
        assert fill(file, mask, "-o", tmp_path / "chosen.jpg") == 0
        assert (tmp_path / "chosen.jpg").read_bytes().startswith(b"\xff\xd8")

    def test_in_a_folder_too_and_beside_a_namesake(
        self, tmp_path: Path, mask: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        (photos / "a.jpg").write_bytes(picture("PNG"))
        (photos / "a.png").write_bytes(picture("PNG"))
        assert fill(photos, mask) == 0
        out = tmp_path / "photos_filled"
        assert {file.name for file in out.iterdir()} == {"a.jpg.png", "a.png"}
        assert "a.jpg: it holds PNG data" in capsys.readouterr().err
        assert fill(photos, mask, "--json") == 0
        assert json.loads(capsys.readouterr().out)["skipped"] == 2


class TestUnchanged:
    def test_an_empty_mask_is_a_status_of_its_own(
        self, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        empty = mask_file(tmp_path / "empty.png", value=0)
        assert fill(photo, empty, "--json") == 0
        told = capsys.readouterr()
        assert json.loads(told.out)["status"] == "unchanged"
        assert "all of its 2,400 pixels are black" in told.err
        assert (tmp_path / "photo_filled.png").read_bytes() == photo.read_bytes()
        assert fill(photo, empty, "-q", "--overwrite") == 0
        assert "unchanged" in capsys.readouterr().err

    def test_it_is_counted_in_a_folder_and_survives_quiet(
        self, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        for name in ("a", "b"):
            (photos / f"{name}.png").write_bytes(photo.read_bytes())
        mask_file(tmp_path / "masks" / "a.png")
        mask_file(tmp_path / "masks" / "b.png", value=0)
        arguments = [photos, "--masks", tmp_path / "masks"]
        assert fill(*arguments, "-o", tmp_path / "1") == 0
        assert "1 filled, 1 unchanged" in capsys.readouterr().out
        assert fill(*arguments, "-o", tmp_path / "2", "-q") == 0
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.count("\n") == 1
        assert "b.png" in told.err
        assert fill(*arguments, "-o", tmp_path / "3", "--json") == 0
        report = json.loads(capsys.readouterr().out)
        assert [one["status"] for one in report["photos"]] == ["filled", "unchanged"]
        assert report["unchanged"] == 1


class TestBoxes:
    def boxes(self, *boxes: tuple[int, int, int, int]) -> np.ndarray:
        mask = np.zeros(SIZE, bool)
        for x, y, width, height in boxes:
            mask[y : y + height, x : x + width] = True
        return mask

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (["1,2,3,4"], [(1, 2, 3, 4)]),
            (["1,2,3,4", "30,10,5,6"], [(1, 2, 3, 4), (30, 10, 5, 6)]),
            (["1,2,3,4;30,10,5,6"], [(1, 2, 3, 4), (30, 10, 5, 6)]),
            (["-10,-8,4,5"], [(50, 32, 4, 5)]),
            (["-10,3,40,5", "0,-1,60,1"], [(50, 3, 10, 5), (0, 39, 60, 1)]),
        ],
    )
    def test_all_of_them_are_filled(
        self, given: list[str], expected: list[tuple[int, int, int, int]], photo: Path
    ) -> None:
        options = [word for box in given for word in ("--box", box)]
        assert fill(photo, *options) == 0
        hole = self.boxes(*expected)
        assert np.array_equal(changed(photo, photo.with_name("photo_filled.png")), hole)
        pixels = read_photo(photo).color
        filled = regionwise.fill(pixels, model="membrane", box=given)
        assert np.array_equal((filled != pixels).any(axis=2), hole)
        filled = regionwise.fill(pixels, model="membrane", box=expected)
        assert np.array_equal((filled != pixels).any(axis=2), hole)

    def test_one_of_several_outside_is_one_line(self) -> None:
        with pytest.raises(RegionwiseError, match="100,100,5,5 has no pixel"):
            regionwise.fill(np.zeros((9, 9)), model="membrane", box=["1,1,2,2", "100,100,5,5"])

    @pytest.mark.parametrize("option", [["--grow", "1"], ["--seed", "3"], ["-o", "a.png"]])
    def test_other_options_given_twice_are_refused(
        self, option: list[str], photo: Path, mask: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert fill(photo, mask, *option, *option) == 2
        assert "is given 2 times" in capsys.readouterr().err
        assert not photo.with_name("photo_filled.png").exists()

    def test_of_every_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["export", "a.pt", "-o", "a", "-o", "b"]) == 2
        assert "given 2 times" in capsys.readouterr().err
        assert main(["masks", "count", "--histogram", "a", "--histogram", "b", "x"]) == 2

    def test_shrink_leaves_a_border(self, photo: Path, mask: Path) -> None:
        assert fill(photo, mask, "--shrink", "2") == 0
        expected = self.boxes((22, 12, 6, 6))
        assert np.array_equal(changed(photo, photo.with_name("photo_filled.png")), expected)


class TestNames:
    @pytest.mark.parametrize(
        ("photo", "mask"),
        [
            (unicodedata.normalize("NFD", "café.png"), unicodedata.normalize("NFC", "café.png")),
            (unicodedata.normalize("NFC", "café.png"), unicodedata.normalize("NFD", "café.png")),
            ("IMG_1.PNG", "img_1.png"),
            ("a.png", "a.png.png"),
            ("a.png", "mask_a.png"),
            ("a.png", "a_mask001.png"),
            ("a.png", "a-mask.png"),
            ("a.png", "A_MASK.PNG"),
            ("sub/a.png", "sub/mask_a.png"),
        ],
    )
    def test_what_is_unambiguous_is_paired(self, photo: str, mask: str, tmp_path: Path) -> None:
        photos, masks = tmp_path / "photos", tmp_path / "masks"
        (photos / photo).parent.mkdir(parents=True)
        (photos / photo).write_bytes(picture("PNG"))
        mask_file(masks / mask)
        mask_file(masks / "other.png")
        assert fill(photos, "--masks", masks) == 0

    def test_one_photo_finds_its_mask_in_a_folder_too(self, photo: Path, tmp_path: Path) -> None:
        mask_file(tmp_path / "masks" / "mask_photo.png")
        assert fill(photo, tmp_path / "masks") == 0
        assert fill(photo, "--masks", tmp_path / "masks", "--overwrite") == 0

    @pytest.mark.parametrize(
        ("masks", "says"),
        [
            (["mask_a.png", "a-mask.png"], "several masks"),
            (["a_mask001.png", "a_mask002.png"], "several masks"),
            (["elsewhere/a.png"], "near it are elsewhere/a.png"),
            (["a_matte.png"], "near it are a_matte.png"),
            (["ab.png", "2 a.png"], "near it are 2 a.png\n"),
            (["photo_on_the_beech.png"], "near it are photo_on_the_beech.png"),
        ],
    )
    def test_what_is_not_is_named(
        self, masks: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        name = "photo_on_the_beach.png" if "photo" in masks[0] else "a.png"
        (photos / name).write_bytes(picture("PNG"))
        for mask in masks:
            mask_file(tmp_path / "masks" / mask)
        assert fill(photos, "--masks", tmp_path / "masks") == 1
        assert says in capsys.readouterr().err

    def test_another_photo_s_own_mask_is_not_taken(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        for name in ("A.png", "a.jpg"):
            (photos / name).write_bytes(picture("PNG" if "png" in name else "JPEG"))
        mask_file(tmp_path / "masks" / "a.png")
        assert fill(photos, "--masks", tmp_path / "masks") == 1
        assert "A.png: there is no mask" in capsys.readouterr().err

    def test_marked_masks_beside_their_photos_are_no_photos(self, tmp_path: Path) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        for name in ("a.png", "b.png", "mask_party.png"):
            (photos / name).write_bytes(picture("PNG"))
        mask_file(photos / "mask_a.png")
        mask_file(photos / "b_mask001.png")
        assert fill(photos, "--masks", photos, "-o", tmp_path / "out") == 1
        assert {file.name for file in (tmp_path / "out").iterdir()} == {"a.png", "b.png"}


class TestPipesAndPaths:
    def run(self, *arguments: object, data: bytes, folder: Path) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "regionwise", "fill", *map(str, arguments)]
        return subprocess.run(
            [*command, "--model", "membrane"],
            input=data,
            capture_output=True,
            cwd=folder,
            check=False,
        )

    @pytest.mark.parametrize("output", [["-o", "-"], []])
    def test_a_photo_through_a_pipe(self, output: list[str], photo: Path, mask: Path) -> None:
        done = self.run("-", mask, *output, data=photo.read_bytes(), folder=photo.parent)
        assert done.returncode == 0, done.stderr
        after = photo.with_name("after.png")
        after.write_bytes(done.stdout)
        assert np.array_equal(changed(photo, after), read_photo(mask).color[..., 0] > 0)
        assert b"standard input" in done.stderr

    def test_a_mask_through_a_pipe(self, photo: Path, mask: Path) -> None:
        done = self.run(photo, "-", data=mask.read_bytes(), folder=photo.parent)
        assert done.returncode == 0, done.stderr
        assert photo.with_name("photo_filled.png").is_file()

    def test_an_empty_pipe_and_two_are_one_line(self, photo: Path) -> None:
        for arguments in (["-", photo], ["-", "-"], ["-", photo, "-o", "-", "--json"]):
            done = self.run(*arguments, data=b"", folder=photo.parent)
            assert done.returncode == 2
            assert done.stderr.count(b"\n") == 1, done.stderr

    def test_a_name_with_a_dash_is_hinted(
        self,
        photo: Path,
        mask: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(photo.parent)
        Path("-dash.png").write_bytes(photo.read_bytes())
        monkeypatch.setattr(sys, "argv", ["regionwise", "fill", "-dash.png", str(mask)])
        assert fill("-dash.png", mask) == 2
        assert "write ./-dash.png" in capsys.readouterr().err
        assert fill("./-dash.png", mask) == 0
        assert Path("-dash_filled.png").is_file()

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
    def test_a_full_pipe_is_one_line(self, photo: Path, mask: Path) -> None:
        command = [sys.executable, "-m", "regionwise", "fill", photo, mask, "-o", "-"]
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*command, "--model=membrane"], stdout=full, stderr=subprocess.PIPE, check=False
            )
        assert done.returncode == 2
        assert b"standard output can't be written (No space" in done.stderr

    @pytest.mark.parametrize("address", ["http://a.org/p.png", "https://a.org/p.png", "ftp://a/p"])
    def test_the_web_is_refused_as_such(
        self, address: str, photo: Path, mask: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for arguments in ([address, mask], [photo, address], [photo, mask, "-o", address]):
            assert fill(*arguments) == 2
            assert "is on the web" in capsys.readouterr().err
        with pytest.raises(RegionwiseError, match="is on the web"):
            regionwise.fill(address, np.ones((3, 3)))

    def test_addresses_that_fsspec_knows(self, photo: Path, mask: Path) -> None:
        fsspec = pytest.importorskip("fsspec")
        store = fsspec.filesystem("memory")
        store.pipe("/bucket/p.png", photo.read_bytes())
        store.pipe("/bucket/m.png", mask.read_bytes())
        assert fill("memory://bucket/p.png", "memory://bucket/m.png") == 0
        after = store.cat("/bucket/p_filled.png")
        assert np.array_equal(
            (read_photo(after).color != read_photo(photo).color).any(axis=2),
            read_photo(mask).color[..., 0] > 0,
        )
        assert fill("memory://bucket/p.png", "memory://bucket/m.png") == 2  # it exists
        assert fill("memory://bucket/none.png", mask) == 2
        image = regionwise.fill("memory://bucket/p.png", "memory://bucket/m.png", "membrane")
        assert np.array_equal(np.asarray(image), np.asarray(open_picture(io.BytesIO(after))))
        store.rm("/bucket", recursive=True)
        assert fill(photo.as_uri(), mask.as_uri()) == 0  # file:///…
        assert photo.with_name("photo_filled.png").is_file()


class TestAdvice:
    def test_python_names_options_and_the_command_line_flags(
        self, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        small = tmp_path / "small.png"
        Image.new("L", (7, 7), 255).save(small)
        with pytest.raises(RegionwiseError) as error:
            regionwise.fill(photo, small, "membrane")
        assert "`resize_mask`" in str(error.value)
        assert "--" not in str(error.value)
        assert fill(photo, small) == 2
        assert "--resize-mask" in capsys.readouterr().err

    def test_no_message_of_the_core_names_a_flag(self) -> None:
        source = Path(regionwise.__file__).parent
        for room in ("photos", "filling", "engines", "classical", "output.py"):
            place = source / room
            for file in [place] if place.is_file() else place.rglob("*.py"):
                lines = file.read_text().splitlines()
                named = [line for line in lines if '"' in line and " --" in line.partition("#")[0]]
                assert not [line for line in named if "raise" in line or 'f"' in line], file


@pytest.mark.skipif(os.name == "nt", reason="POSIX names")
def test_sixteen_bits_stay_sixteen_bits_in_every_deep_format(tmp_path: Path, mask: Path) -> None:
    deep = file_of("PNG", "RGB16", noise("RGB16", *SIZE), 1)
    for one in READY:
        if one.deep and one.name != "AVIF":
            photo = tmp_path / f"deep{one.suffixes[0]}"
            from regionwise.photos.writing import encode_photo

            photo.write_bytes(encode_photo(read_photo(deep), one.name))
            assert read_photo(photo).color.dtype == np.uint16, one.name
            assert fill(photo, mask) == 0
            after = tmp_path / f"deep_filled{one.suffixes[0]}"
            assert np.array_equal(changed(photo, after), read_photo(mask).color[..., 0] > 0)
