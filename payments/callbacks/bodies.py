"""From the bytes at our callback address to text: packed or not, with a byte order mark or without. Pure; knows no
callback, and never fails: what is no text is kept as bytes."""

import codecs
import re
import zlib
from dataclasses import dataclass

KEPT_BYTES = 16_384  # a real callback has under 1 kB

_GZIP = b"\x1f\x8b"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PHONES = re.compile(rb"\d{9,}")


@dataclass(frozen=True, kw_only=True)
class Body:
    """`as_bytes`: what came, where `text` doesn't say all of it; digits that could be a phone are zeros there too."""

    text: str
    as_bytes: bytes | None = None


def read_body(body: bytes, *, content_encoding: str = "") -> Body:
    """Its first KEPT_BYTES, unpacked, as text without a byte order mark."""
    plain = _unpacked(body, content_encoding)
    text = None if plain is None else _decoded(plain[:KEPT_BYTES], cut=len(plain) > KEPT_BYTES)
    if text is not None and "\x00" not in text:  # no database keeps a NUL in a text
        return Body(text=text)
    seen = text if text is not None else body[:KEPT_BYTES].decode(errors="replace")
    return Body(text=seen.replace("\x00", "\ufffd"), as_bytes=_blanked(body[:KEPT_BYTES]))


def _unpacked(body: bytes, content_encoding: str) -> bytes | None:
    """Never more than is kept, however much a small body unpacks to. None: it is packed, and damaged."""
    if body.startswith(_GZIP):
        return _inflated(body, zlib.MAX_WBITS | 16)
    if "deflate" in content_encoding.casefold():
        return _inflated(body, zlib.MAX_WBITS) or _inflated(body, -zlib.MAX_WBITS) or body
    return body  # also where a proxy unpacked it and left the header


def _inflated(body: bytes, window: int) -> bytes | None:
    unpacking = zlib.decompressobj(window)
    try:
        plain = unpacking.decompress(body, KEPT_BYTES + 1)
    except zlib.error:
        return None
    return plain if unpacking.eof or len(plain) > KEPT_BYTES else None


def _decoded(plain: bytes, *, cut: bool) -> str | None:
    """None: it is no text. `cut`: its last letter may be half a one."""
    mark, encoding = next((each for each in _MARKS if plain.startswith(each[0])), (b"", "utf-8"))
    try:
        return codecs.getincrementaldecoder(encoding)().decode(plain[len(mark) :], final=not cut)
    except UnicodeDecodeError:
        return None


def _blanked(body: bytes) -> bytes:
    return _PHONES.sub(_zeros, body)


def _zeros(run: re.Match[bytes]) -> bytes:
    return run[0][:1] + b"0" * (len(run[0]) - 1)
