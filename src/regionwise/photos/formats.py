"""The formats of photos, once: what each is called, how it is known, and what it can hold.

Reading and writing, folder runs, lists of training photos, stored masks, the API and the messages
are all made from `FORMATS`. A format that is added here, with its module in
`regionwise.photos.containers`, is there everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

from regionwise.errors import OutputError

if TYPE_CHECKING:
    from regionwise.photos.containers import Container


@dataclass(frozen=True)
class Format:
    """A format that is read and written.

    Attributes:
        name: as `Photo.format` has it, Pillow's name.
        title: for people.
        suffixes: lower case, the usual one first.
        modes: Pillow's modes that it can hold.
        media_type: for HTTP.
        module: of `regionwise.photos.containers`.
        deep: whether it holds 16 bits a sample.
        lossless: whether a mask in it has exact values.
        needs: the package that reads and writes it, beside those that are always there.
        extra: of regionwise, which brings that package.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    modes: tuple[str, ...]
    media_type: str
    module: str
    deep: bool = False
    lossless: bool = True
    needs: str = ""
    extra: str = ""

    @property
    def lacks(self) -> str | None:
        """What to tell of a package that it needs and that is not installed, else None."""
        if not self.needs or find_spec(self.needs) is not None:
            return None
        return (
            f"{self.title} needs {self.needs.replace('_', '-')}, which is not installed: "
            f'pip install "regionwise[{self.extra}]", or convert the picture to PNG'
        )

    def container(self) -> Container:
        """What reads and writes it."""
        return cast("Container", import_module(f"regionwise.photos.containers.{self.module}"))


_ALPHA = ("1", "L", "LA", "P", "RGB", "RGBA")

FORMATS = (
    Format("PNG", "PNG", (".png", ".apng"), _ALPHA, "image/png", "png", deep=True),
    Format("TIFF", "TIFF", (".tif", ".tiff"), (*_ALPHA, "CMYK"), "image/tiff", "tiff", deep=True),
    Format("BMP", "BMP", (".bmp", ".dib"), ("1", "L", "P", "RGB", "RGBA"), "image/bmp", "bmp"),
    Format("GIF", "GIF", (".gif",), ("1", "L", "P", "RGB", "RGBA"), "image/gif", "gif"),
    Format("WEBP", "WebP", (".webp",), ("RGB", "RGBA"), "image/webp", "webp", lossless=False),
    Format(
        "JPEG",
        "JPEG",
        (".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".mpo"),
        ("L", "RGB", "CMYK"),
        "image/jpeg",
        "jpeg",
        lossless=False,
    ),
    Format(
        "AVIF",
        "AVIF",
        (".avif",),
        ("RGB", "RGBA"),
        "image/avif",
        "avif",
        deep=True,
        lossless=False,
    ),
    Format(
        "HEIF",
        "HEIC",
        (".heic", ".heif", ".hif"),
        ("RGB", "RGBA"),
        "image/heic",
        "heic",
        deep=True,
        lossless=False,
        needs="pillow_heif",
        extra="heic",
    ),
    Format(
        "JPEG2000",
        "JPEG 2000",
        (".jp2", ".j2k", ".jpx", ".j2c", ".jpf"),
        ("L", "LA", "RGB", "RGBA"),
        "image/jp2",
        "jp2",
        deep=True,
        lossless=False,
    ),
    Format(
        "JXL",
        "JPEG XL",
        (".jxl",),
        ("L", "LA", "RGB", "RGBA"),
        "image/jxl",
        "jxl",
        deep=True,
        lossless=False,
    ),
)
"""What is read and written; among masks of one name the format that comes first counts."""

BY_NAME = {one.name: one for one in FORMATS}
_BY_SUFFIX = {suffix: one for one in FORMATS for suffix in one.suffixes}
SUFFIXES = tuple(_BY_SUFFIX)
"""All suffixes of pictures that are read, in the order in which they count for masks."""

READABLE = ", ".join(one.title for one in FORMATS[:-1]) + f" and {FORMATS[-1].title}"

_RAW = "a camera's raw file; develop it to TIFF, PNG or JPEG first"
_RAW_SUFFIXES = (
    ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos",
    ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw",
    ".x3f",
)  # fmt: skip
_OTHER_SUFFIXES = (
    ".bpg", ".clip", ".dds", ".eps", ".exr", ".flif", ".hdr", ".ico", ".icns", ".j2p", ".jng",
    ".jph", ".jps", ".jxr", ".kra", ".mng", ".ora", ".pam", ".pbm", ".pcx", ".pfm", ".pgm", ".pict",
    ".png8", ".pnm", ".ppm", ".psb", ".psd", ".qoi", ".ras", ".sgi", ".svg", ".tga", ".wdp", ".wmf",
    ".xbm", ".xcf", ".xpm",
)  # fmt: skip
FOREIGN_SUFFIXES = (*_RAW_SUFFIXES, *_OTHER_SUFFIXES)
"""Of pictures that are not read: a folder run names them."""

# What the first bytes say of pictures that are not read.
_FOREIGN = (
    (b"8BPS", "a Photoshop picture"),
    (b"gimp xcf", "a GIMP picture"),
    (b"qoif", "a QOI picture"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"DDS ", "a DDS texture"),
    (b"\0\0\1\0", "an icon"),
    (b"%PDF", "a PDF"),
    (b"<svg", "an SVG drawing"),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIRO", _RAW),
    (b"IIU\0", _RAW),
)
_FIRST_BYTES = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"BM", "BMP"), (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"), (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"), (b"\xff\x0a", "JXL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
)  # fmt: skip
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1"}
HEAD = 64
"""So many first bytes tell a format."""


def format_of_bytes(data: bytes) -> Format | None:
    """The format by a file's first bytes (`HEAD` of them do), whatever its name says."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return BY_NAME["WEBP"]
    if data[8:10] == b"CR" and data.startswith(b"II*\0"):
        return None
    for start, name in _FIRST_BYTES:
        if data.startswith(start):
            return BY_NAME[name]
    if data[4:8] == b"ftyp":
        return _of_brands(data)
    return None


def _of_brands(data: bytes) -> Format | None:
    """Of an ISO base media file by its brands (ISO/IEC 14496-12, section 4.3)."""
    end = min(int.from_bytes(data[:4], "big"), HEAD)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))]
    for known, name in ((_AVIF_BRANDS, "AVIF"), (_HEIF_BRANDS, "HEIF")):
        if brands[0] in known and brands[0] != b"mif1":
            return BY_NAME[name]
    if brands[0] == b"mif1":
        return BY_NAME["AVIF" if _AVIF_BRANDS & set(brands) else "HEIF"]
    return None


def what_it_is(data: bytes) -> str:
    """What a file is that is not one of ours, as far as its first bytes tell."""
    if data[8:10] == b"CR" and data.startswith(b"II*\0"):
        return _RAW
    if data[4:8] == b"ftyp":
        return _RAW if data[8:12] == b"crx " else "a video"
    for start, title in _FOREIGN:
        if data.startswith(start):
            return title
    return "not a picture that regionwise knows"


def format_of_name(path: PurePath) -> Format | None:
    """The format that a file's name says, or None."""
    return _BY_SUFFIX.get(path.suffix.lower())


def is_picture_name(name: str) -> bool:
    """Whether a file's name has a suffix of a picture that is read."""
    return PurePath(name).suffix.lower() in _BY_SUFFIX


def format_of_path(path: PurePath) -> Format:
    """The format that a name asks for when it is written.

    Raises:
        OutputError: if the suffix is not one of ours, or what the format needs is not installed.
    """
    wanted = format_of_name(path)
    if wanted is None:
        raise OutputError(
            f"{path} has no suffix that is written; give one of {', '.join(sorted(SUFFIXES))}"
        )
    if wanted.lacks:
        raise OutputError(f"{path} can't be written: {wanted.lacks}")
    return wanted


def disagreement(path: PurePath, actual: str | None) -> str | None:
    """What to tell of a file whose name says another format than it holds; None if they agree."""
    named = format_of_name(path)
    if actual is None or named is None or named.name == actual:
        return None
    return f"it holds {BY_NAME[actual].title} data, though its name says {named.title}"
