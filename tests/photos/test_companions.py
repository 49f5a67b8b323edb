"""What lies beside the main picture: kept where it is filled too, else left out, told, and no
longer promised."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.photo_files import exif_of, noise, saved, smooth

import regionwise
from regionwise.errors import RegionwiseWarning
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.filling.photo_bytes import fill_bytes
from regionwise.photos.companions import join_jpeg, split_jpeg
from regionwise.photos.reading import read_photo
from regionwise.photos.xmp_promises import promised, taken_back, with_length

SIZE = (96, 128)
HOLE = np.zeros(SIZE, bool)
HOLE[32:64, 48:80] = True
XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
VIDEO = b"\0\0\0\x18ftypmp42" + bytes(range(200))


def packet(attributes: bytes = b"", elements: bytes = b"") -> bytes:
    spaces = b"".join(
        b' xmlns:%s="http://ns.%s/"' % (prefix, uri)
        for prefix, uri in (
            (b"hdrgm", b"adobe.com/hdr-gain-map/1.0"),
            (b"Container", b"google.com/photos/1.0/container"),
            (b"Item", b"google.com/photos/1.0/container/item"),
            (b"GCamera", b"google.com/photos/1.0/camera"),
            (b"xmpNote", b"adobe.com/xmp/note"),
            (b"dc", b"example.org/dc"),
        )
    )
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/'
        b'1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""' + spaces + attributes + b">"
        + elements + b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )  # fmt: skip


def directory(*items: tuple[bytes, int]) -> bytes:
    listed = b"".join(
        b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="%s"'
        b' Item:Mime="image/jpeg" Item:Length="%d"/></rdf:li>' % item
        for item in items
    )
    return b"<Container:Directory><rdf:Seq>" + listed + b"</rdf:Seq></Container:Directory>"


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def ultra_hdr(orientation: int = 1, video: bytes = b"") -> bytes:
    stored = smooth(*SIZE)
    gain = saved(Image.fromarray(stored[::2, ::2, 0]), "JPEG", quality=90)
    gain = gain[:2] + segment(0xE1, XMP_MARK + packet(b' hdrgm:Version="1.0"')) + gain[2:]
    items = [(b"Primary", 0), (b"GainMap", len(gain))]
    attributes = b' hdrgm:Version="1.0" dc:title="mine"'
    if video:
        items.append((b"MotionPhoto", len(video)))
        attributes += b' GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1"'
    main = saved(Image.fromarray(stored), "JPEG", quality=90, exif=exif_of(orientation))
    xmp = XMP_MARK + packet(attributes, directory(*items))
    return main[:2] + segment(0xE1, xmp) + main[2:] + gain + video


def fill(data: bytes, hole: np.ndarray = HOLE, **options: Any) -> tuple[bytes, FillOutcome]:
    mask = saved(Image.fromarray(hole * np.uint8(255)), "PNG")
    after, row = fill_bytes(data, mask, FillOptions(model="membrane", **options))
    assert row.status == "filled", row.error
    return after, row


def pixels(jpeg: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image).astype(int)


class TestGainMap:
    @pytest.mark.parametrize("orientation", [1, 6])
    def test_is_filled_in_the_same_hole_and_kept(self, orientation: int) -> None:
        data = ultra_hdr(orientation)
        upright = read_photo(data)
        hole = np.zeros((upright.height, upright.width), bool)
        hole[16:48, 40:72] = True
        after, row = fill(data, hole)
        assert "gain map is filled too" in row.warnings[0]
        old, new = split_jpeg(data).pictures[0], split_jpeg(after).pictures[0]
        moved = np.abs(pixels(new) - pixels(old)) > 12
        stored_hole = np.rot90(hole, 1 if orientation == 6 else 0)
        inside = stored_hole[::2, ::2]
        assert moved[inside].mean() > 0.1
        far = np.ones_like(inside)
        rows, columns = np.nonzero(inside)
        far[
            max(rows.min() - 17, 0) : rows.max() + 18,
            max(columns.min() - 17, 0) : columns.max() + 18,
        ] = False
        assert not moved[far].any()

    def test_its_index_and_its_length_are_true(self) -> None:
        after, _ = fill(ultra_hdr())
        parts = split_jpeg(after)
        gain = parts.gain_map
        assert gain is not None
        assert (
            b'Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="%d"' % len(gain) in after
        )
        start = after.index(b"MPF\0") + 4
        size, offset = struct.unpack_from(">II", after, start + 50 + 16 + 4)
        assert after[start + offset : start + offset + size] == gain
        assert struct.unpack_from(">I", after, start + 50 + 4)[0] == start + offset
        assert after.count(b"MPF\0") == 1
        assert parts.main + gain == after
        assert b'dc:title="mine"' in after

    def test_pillow_finds_both_pictures_where_it_looks_for_them(self) -> None:
        main, gain = (saved(Image.fromarray(noise("RGB", 24, 32, n)), "JPEG") for n in (0, 1))
        joined = join_jpeg(main, split_jpeg(main + gain), gain)
        with Image.open(io.BytesIO(joined)) as image:
            assert (image.format, image.n_frames) == ("MPO", 2)
            image.seek(1)
            assert np.array_equal(np.asarray(image), pixels(gain))

    def test_an_empty_mask_gives_the_file_itself(self) -> None:
        data = ultra_hdr(video=VIDEO)
        mask = saved(Image.new("L", SIZE[::-1]), "PNG")
        assert fill_bytes(data, mask, FillOptions(model="membrane"))[0] == data


class TestVideo:
    def test_is_left_out_told_and_no_longer_promised(self) -> None:
        after, row = fill(ultra_hdr(video=VIDEO))
        assert any("a video, which the result lacks" in line for line in row.warnings)
        assert VIDEO not in after
        assert b"MotionPhoto" not in after
        assert b'Semantic="GainMap"' in after

    def test_is_kept_where_asked(self) -> None:
        after, row = fill(ultra_hdr(video=VIDEO), keep_video=True)
        assert after.endswith(VIDEO)
        assert b'GCamera:MotionPhoto="1"' in after
        assert any("kept and not filled" in line for line in row.warnings)

    def test_alone(self) -> None:
        main = saved(Image.fromarray(smooth(*SIZE)), "JPEG")
        xmp = packet(b' GCamera:MicroVideo="1" GCamera:MicroVideoOffset="224" dc:title="mine"')
        data = main[:2] + segment(0xE1, XMP_MARK + xmp) + main[2:] + VIDEO
        after, row = fill(data)
        assert b"MicroVideo" not in after
        assert b'dc:title="mine"' in after
        assert "a video" in row.warnings[0]
        after, _ = fill(data, keep_video=True)
        assert b'MicroVideoOffset="224"' in after
        assert after.endswith(VIDEO)


def test_other_pictures_are_told() -> None:
    main, other = (saved(Image.fromarray(smooth(*SIZE, n)), "JPEG") for n in (0, 1))
    after, row = fill(main + other)
    assert "another picture, which the result lacks" in row.warnings[0]
    assert len(split_jpeg(after).pictures) == 0


def test_python_tells_it_too() -> None:
    with pytest.warns(RegionwiseWarning, match="gain map"):
        regionwise.fill(ultra_hdr(), HOLE, "membrane")


class TestSplit:
    @pytest.mark.parametrize("cut", [2, 3, 50, 400])
    def test_a_cut_file_stays_whole(self, cut: int) -> None:
        data = saved(Image.fromarray(smooth(*SIZE)), "JPEG")
        assert split_jpeg(data[:-cut]).main == data[:-cut]

    def test_progressive_with_many_scans_and_restarts(self) -> None:
        picture = Image.fromarray(noise("RGB", *SIZE))
        for options in ({"progressive": True}, {"restart_marker_blocks": 3}):
            data = saved(picture, "JPEG", **options)
            parts = split_jpeg(data + data + b"trailer")
            assert (parts.main, parts.pictures, parts.rest) == (data, (data,), b"trailer")


class TestPromises:
    WHOLE = packet(
        b' hdrgm:Version="1.0" GCamera:MotionPhoto="1" GCamera:Special="stays"'
        b" xmpNote:HasExtendedXMP='AB'",
        b"<hdrgm:GainMapMax><rdf:Seq><rdf:li>2</rdf:li></rdf:Seq></hdrgm:GainMapMax>"
        + directory((b"Primary", 0), (b"GainMap", 7), (b"MotionPhoto", 9))
        + b"<dc:creator>me</dc:creator>",
    )

    def test_are_found(self) -> None:
        parts = ["an HDR gain map", "a video", "a second XMP packet"]
        assert promised(self.WHOLE) == parts
        assert promised(packet(b' dc:title="mine"')) == []

    def test_are_taken_back(self) -> None:
        left = taken_back(self.WHOLE)
        assert promised(left) == []
        assert b"Directory" not in left
        assert b'GCamera:Special="stays"' in left
        assert b"<dc:creator>me</dc:creator>" in left
        from xml.etree import ElementTree

        ElementTree.fromstring(left)
        ElementTree.fromstring(taken_back(self.WHOLE, ["an HDR gain map"]))

    def test_are_kept_where_the_part_is(self) -> None:
        left = taken_back(self.WHOLE, ["an HDR gain map"])
        assert promised(left) == ["an HDR gain map"]
        assert left.count(b"<rdf:li rdf") == 2
        assert b'Item:Length="1234"' in with_length(left, b"GainMap", 1234)

    def test_what_promises_nothing_stays_byte_for_byte(self) -> None:
        said = packet(b' dc:title="mine"', directory((b"Primary", 0))[:0] + b"<dc:a/>")
        assert taken_back(said) == said

    @pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
    def test_in_every_format(self, kind: str) -> None:
        how = {"lossless": True} if kind == "WEBP" else {}
        image = Image.fromarray(smooth(*SIZE))
        if kind == "PNG":
            from PIL import PngImagePlugin

            info = PngImagePlugin.PngInfo()
            info.add_itxt("XML:com.adobe.xmp", self.WHOLE.decode())
            data = saved(image, kind, pnginfo=info)
        elif kind == "TIFF":
            data = saved(image, kind, tiffinfo={700: self.WHOLE})
        else:
            data = saved(image, kind, xmp=self.WHOLE, **how)
        after, row = fill(data)
        assert b"MotionPhoto" not in after
        assert b"hdrgm:Version" not in after
        assert b"<dc:creator>me</dc:creator>" in after
        if kind != "TIFF":
            assert any("which the result lacks" in line for line in row.warnings)


class TestTiff:
    def test_tifffile_s_shape_note_goes(self) -> None:
        import tifffile

        buffer = io.BytesIO()
        planes = np.moveaxis(smooth(*SIZE), -1, 0)
        tifffile.imwrite(
            buffer, planes, photometric="rgb", planarconfig="separate", metadata={"a": 1}
        )
        after, _ = fill(buffer.getvalue())
        with tifffile.TiffFile(io.BytesIO(after)) as file:
            note = file.pages[0].tags.get(270)
            assert note is None or "shape" not in note.value
            assert np.array_equal(file.asarray()[~HOLE], smooth(*SIZE)[~HOLE])

    def test_a_description_of_one_s_own_stays(self) -> None:
        data = saved(Image.fromarray(smooth(*SIZE)), "TIFF", tiffinfo={270: '{"shape" of a cloud'})
        after, _ = fill(data)
        assert b'{"shape" of a cloud' in after

    def test_layers_and_smaller_copies_are_told(self) -> None:
        import tifffile

        buffer = io.BytesIO()
        with tifffile.TiffWriter(buffer) as writer:
            writer.write(
                smooth(*SIZE), photometric="rgb", metadata=None,
                extratags=[(37724, 7, 9, b"Adobe Ph\0", True)],
            )  # fmt: skip
            writer.write(smooth(*SIZE)[::4, ::4], photometric="rgb", metadata=None, subfiletype=1)
        after, row = fill(buffer.getvalue())
        assert "layers and a smaller copy, which the result lacks" in row.warnings[0]
        assert b"Adobe Ph" not in after
