"""What an XMP packet promises beside the picture: gain maps, videos, depth; and its taking back.

A packet that announces a part which is not in the file makes viewers show the wrong thing or
nothing, so whoever leaves a part out takes its promise back.

Sources: Adobe, Gain Map 1.0; Android, Ultra HDR image format 1.1 and Motion photo format 1.0;
Google, Dynamic depth 1.0; Adobe, XMP specification part 3 (extended XMP).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """A kind of part, and the names in XMP that speak of it.

    Attributes:
        part: what to call it.
        names: (namespace, pattern of names) each.
        item: its semantic in a GContainer directory.
    """

    part: str
    names: tuple[tuple[bytes, bytes], ...]
    item: bytes = b""


GAIN_MAP, VIDEO, DEPTH, REST = "an HDR gain map", "a video", "a depth map", "a second XMP packet"
_ANY = rb"[A-Za-z]\w*"
PROMISES = (
    Promise(
        GAIN_MAP,
        (
            (b"http://ns.adobe.com/hdr-gain-map/1.0/", _ANY),
            (b"http://ns.apple.com/HDRGainMap/1.0/", _ANY),
        ),
        b"GainMap",
    ),
    Promise(
        VIDEO,
        ((b"http://ns.google.com/photos/1.0/camera/", rb"(?:MotionPhoto|MicroVideo)\w*"),),
        b"MotionPhoto",
    ),
    Promise(
        DEPTH,
        (
            (b"http://ns.google.com/photos/1.0/depthmap/", _ANY),
            (b"http://ns.google.com/photos/1.0/image/", _ANY),
            (b"http://ns.google.com/photos/dd/1.0/device/", _ANY),
        ),
        b"Depth",
    ),
    Promise(REST, ((b"http://ns.adobe.com/xmp/note/", b"HasExtendedXMP"),)),
)
_CONTAINER = b"http://ns.google.com/photos/1.0/container/"
_ITEM = b"http://ns.google.com/photos/1.0/container/item/"


def promised(xmp: bytes) -> list[str]:
    """The parts that a packet speaks of."""
    return [
        promise.part
        for promise in PROMISES
        if any(_pattern(xmp, uri, names).search(xmp) for uri, names in promise.names)
        or (promise.item and _item(xmp, promise.item))
    ]


def taken_back(xmp: bytes, kept: Collection[str] = ()) -> bytes:
    """The packet without its promises of parts that are not kept."""
    for promise in PROMISES:
        if promise.part in kept:
            continue
        for uri, names in promise.names:
            xmp = _pattern(xmp, uri, names).sub(b"", xmp)
        if promise.item:
            for found in reversed(_items(xmp)):
                if _semantic(xmp, found.group()) == promise.item:
                    xmp = xmp[: found.start()] + xmp[found.end() :]
    semantics = {_semantic(xmp, found.group()) for found in _items(xmp)}
    if semantics <= {b"Primary", b""}:
        xmp = _pattern(xmp, _CONTAINER, b"Directory").sub(b"", xmp)
    return xmp


def with_length(xmp: bytes, item: bytes, length: int) -> bytes:
    """The packet with the length of a part in its GContainer directory set anew."""
    for found in reversed(_items(xmp)):
        if _semantic(xmp, found.group()) == item:
            new = re.sub(
                rb"(:Length(?:=[\"']|>)\s*)\d+", rb"\g<1>%d" % length, found.group(), count=1
            )
            xmp = xmp[: found.start()] + new + xmp[found.end() :]
    return xmp


def _prefixes(xmp: bytes, uri: bytes) -> bytes:
    """A pattern of the prefixes that stand for a namespace."""
    found = re.findall(rb"xmlns:([\w.-]+)\s*=\s*[\"']" + re.escape(uri) + rb"[\"']", xmp)
    return b"|".join(map(re.escape, dict.fromkeys(found))) or b"(?!)"


def _pattern(xmp: bytes, uri: bytes, names: bytes) -> re.Pattern[bytes]:
    """Attributes and elements of a namespace, by their names."""
    name = rb"(?:" + _prefixes(xmp, uri) + rb"):(?:" + names + rb")\b"
    return re.compile(
        rb"\s+" + name + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')"
        rb"|<" + name + rb"[^>]*/>"
        rb"|<(?P<element>" + name + rb")(?:\s[^>]*)?>.*?</(?P=element)\s*>",
        re.DOTALL,
    )


def _items(xmp: bytes) -> list[re.Match[bytes]]:
    """The entries of a GContainer directory, each with its list element."""
    if _CONTAINER not in xmp:
        return []
    return list(
        re.finditer(rb"<rdf:li\b(?:(?!</rdf:li).)*?:Semantic.*?</rdf:li\s*>", xmp, re.DOTALL)
    )


def _item(xmp: bytes, semantic: bytes) -> bool:
    return any(_semantic(xmp, found.group()) == semantic for found in _items(xmp))


def _semantic(xmp: bytes, entry: bytes) -> bytes:
    found = re.search(rb":Semantic(?:\s*=\s*[\"']|>)\s*(\w+)", entry)
    return found.group(1) if found else b""
