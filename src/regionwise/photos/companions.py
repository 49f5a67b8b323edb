"""What lies in a file beside its main picture: gain maps, previews, videos, layers.

JPEGs follow one another in one file, listed by an MPF segment (CIPA DC-007) and, for Android, by a
GContainer directory in XMP. A gain map, which brightens the picture on HDR screens, is a picture of
the same scene: it is filled in the same hole and put back. All else would still show what was
filled: it is left out and told.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass

from regionwise.photos.containers import jxl
from regionwise.photos.photo import Photo
from regionwise.photos.tiff_directory import NEW_SUBFILE_TYPE, DirectoryReader
from regionwise.photos.xmp_promises import GAIN_MAP, VIDEO, promised, taken_back, with_length

_APP1, _APP2, _START_OF_SCAN = 0xE1, 0xE2, 0xDA
_XMP, _MPF = b"http://ns.adobe.com/xap/1.0/\0", b"MPF\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_GAIN_MAP_XMP = b"http://ns.adobe.com/hdr-gain-map/1.0/"
_APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"
# In entropy-coded data a 0xFF is followed by 0, by more of its kind or by a restart marker.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SUB_DIRECTORIES, _LAYERS = 330, 37724


@dataclass(frozen=True)
class JpegParts:
    """A JPEG file in parts: the main picture, the pictures behind it, and what is no picture."""

    main: bytes
    pictures: tuple[bytes, ...] = ()
    rest: bytes = b""

    @property
    def gain_map(self) -> bytes | None:
        """The picture behind the main one that is its gain map."""
        return next((one for one in self.pictures if _is_gain_map(one)), None)

    @property
    def video(self) -> bytes:
        """A motion photo's video, with all behind it."""
        at = self.rest.find(b"ftyp")
        return self.rest[at - 4 :] if at >= 4 else b""


def split_jpeg(data: bytes) -> JpegParts:
    """Take a JPEG file apart; what can't be followed stays with the main picture."""
    pictures = []
    at = 0
    while data[at : at + 3] == b"\xff\xd8\xff":
        end = _end_of(data, at)
        if end is None:
            break
        pictures.append(data[at:end])
        at = end
        following = data.find(b"\xff\xd8\xff", at, at + 4096)
        if following >= 0 and not data[at:following].strip(b"\0"):
            at = following
    if not pictures:
        return JpegParts(data)
    return JpegParts(pictures[0], tuple(pictures[1:]), data[at:])


def _end_of(data: bytes, at: int) -> int | None:
    """Where the JPEG that begins at `at` ends; None if it doesn't."""
    at += 2
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:
            at += 1
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            found = _MARKER.search(data, at)
            if found is None:
                return None
            at = found.start()
    return None


def _segments(jpeg: bytes) -> list[tuple[int, int, bytes]]:
    """Marker, place and payload of each segment before the first scan."""
    found = []
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != _START_OF_SCAN:
        if jpeg[at + 1] == 0xFF:
            at += 1
            continue
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        found.append((jpeg[at + 1], at, jpeg[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


def _is_gain_map(jpeg: bytes) -> bool:
    marks = (_GAIN_MAP_XMP, _ISO_GAIN_MAP, _APPLE_GAIN_MAP)
    payloads = [payload for marker, _, payload in _segments(jpeg) if marker in (_APP1, _APP2)]
    return any(mark in payload for payload in payloads for mark in marks)


def _xmp_of(jpeg: bytes) -> bytes:
    for marker, _, payload in _segments(jpeg):
        if marker == _APP1 and payload.startswith(_XMP):
            return payload[len(_XMP) :]
    return b""


def join_jpeg(
    main: bytes, original: JpegParts, gain_map: bytes | None, *, keep_video: bool = False
) -> bytes:
    """Put a filled JPEG and its filled gain map (and the video) together again.

    Args:
        main: the main picture, encoded anew.
        original: the file that it was made from.
        gain_map: encoded anew; None leaves it out.
        keep_video: put the video behind it, which is not filled.
    """
    video = original.video if keep_video else b""
    kept = ([GAIN_MAP] if gain_map is not None else []) + ([VIDEO] if video else [])
    if not kept:
        return main
    xmp = taken_back(_xmp_of(original.main), kept)
    if gain_map is not None:
        xmp = with_length(xmp, b"GainMap", len(gain_map))
    head, body = main[:2], main[2:]
    segments = _segments(main)
    for marker, at, payload in segments:
        if marker == _APP1 and payload.startswith(_XMP):
            whole = 4 + len(payload)
            head, body = main[:at], main[at + whole :]
            break
    else:
        for marker, at, payload in segments:
            if 0xE0 <= marker <= 0xE1:
                head, body = main[: at + 4 + len(payload)], main[at + 4 + len(payload) :]
    new = head + (_segment(_APP1, _XMP + xmp) if xmp else b"")
    if gain_map is None:
        return new + body + video
    index = len(_segment(_APP2, _mpf(0, 0, 0)))
    size = len(new) + index + len(body)
    start = len(new) + 4 + len(_MPF)  # places count from behind the segment's mark
    mpf = _segment(_APP2, _mpf(size, len(gain_map), size - start))
    return new + mpf + body + gain_map + video


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


def _mpf(size: int, second_size: int, second_place: int) -> bytes:
    """An index of two pictures (CIPA DC-007, section 5)."""
    entries = 8 + 2 + 3 * 12 + 4
    return b"".join(
        (
            _MPF,
            struct.pack(">2sHIH", b"MM", 42, 8, 3),
            struct.pack(">HHI4s", 0xB000, 7, 4, b"0100"),
            struct.pack(">HHII", 0xB001, 4, 1, 2),
            struct.pack(">HHII", 0xB002, 7, 32, entries),
            struct.pack(">I", 0),
            struct.pack(">IIIHH", 0x20030000, size, 0, 0, 0),
            struct.pack(">IIIHH", 0, second_size, second_place, 0, 0),
        )
    )


def beside(photo: Photo) -> list[str]:
    """What a photo's file holds beside the picture, by name, and a filled one will lack."""
    if photo.source is None:
        return []
    read = {"JPEG": _beside_jpeg, "TIFF": _beside_tiff}.get(photo.format or "", _beside_other)
    return list(dict.fromkeys(read(photo.source, photo)))


def _beside_jpeg(data: bytes, photo: Photo) -> list[str]:
    parts = split_jpeg(data)
    found = []
    others = len(parts.pictures) - (parts.gain_map is not None)
    if parts.gain_map is not None:
        found.append(GAIN_MAP)
    if others:
        found.append("another picture" if others == 1 else f"{others} other pictures")
    if parts.video:
        found.append(VIDEO)
    if any(payload.startswith(_EXTENDED_XMP) for _, _, payload in _segments(parts.main)):
        found.append("a second XMP packet")
    return found


def _beside_tiff(data: bytes, photo: Photo) -> list[str]:
    found = []
    try:
        reader = DirectoryReader(data)
        for directory in (reader.read(place) for place in reader.chain()):
            if next(iter(directory.numbers(NEW_SUBFILE_TYPE)), 0) & 1:
                found.append("a smaller copy")
            if _SUB_DIRECTORIES in directory.entries:
                found.append("pictures below it")
            if _LAYERS in directory.entries:
                found.append("layers")
    except (ValueError, struct.error):
        pass
    return found


def _beside_other(data: bytes, photo: Photo) -> list[str]:
    found = []
    if photo.format in ("AVIF", "HEIF") and b"tmap" in data[:4096]:
        found.append(GAIN_MAP)
    if photo.format == "HEIF":
        found += _beside_heic(data)
    if photo.format == "JXL" and jxl.has_profile(data):
        found.append("a colour profile")
    xmp = photo.info.get("xmp") or photo.info.get("XML:com.adobe.xmp") or b""
    found += promised(xmp.encode() if isinstance(xmp, str) else xmp)
    return found


def _beside_heic(data: bytes) -> list[str]:
    import pillow_heif

    file = pillow_heif.open_heif(io.BytesIO(data))
    others = len(file) - 1
    found = ["another picture" if others == 1 else f"{others} other pictures"] if others else []
    return found + (["a depth map"] if file.info.get("depth_images") else [])


def told(lost: list[str]) -> str | None:
    """A line for the user of what a result lacks."""
    if not lost:
        return None
    return f"beside the picture its file holds {' and '.join(lost)}, which the result lacks"
