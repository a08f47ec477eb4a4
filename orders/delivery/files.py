"""A file on disk as an answer: whole, a piece of it, or a word that it did not change. Python leaves early: the door
sends the bytes (`piece_of_file`), or the proxy in front does, where DOWNLOADS_BY_PROXY says so."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from orders.delivery.ranges import OutOfFile, Piece, names, piece_asked_for

AT_ONCE = 262_144  # bytes that Python reads, where it has to


class PieceOfFile(StreamingHttpResponse):
    """Bytes of a file. Whoever serves it may send `piece_of_file` (path, start, end) in Python's place."""

    def __init__(self, path: str, piece: Piece, **how: object) -> None:
        super().__init__(_read(path, piece), **how)
        self.piece_of_file = (path, piece.start, piece.end)
        self.headers["Content-Length"] = str(piece.end - piece.start)


def _read(path: str, piece: Piece) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        file.seek(piece.start)
        left = piece.end - piece.start
        while left and (read := file.read(min(AT_ONCE, left))):
            left -= len(read)
            yield read


def answer(
    request: HttpRequest, file: FieldFile, *, size: int, etag: str, kind: str, name: str = ""
) -> HttpResponseBase:
    """`etag` without quotes; `kind` is its content type; with a `name` it is saved, without one it is played."""
    told = {"ETag": f'"{etag}"', "Accept-Ranges": "bytes", "Content-Type": kind}
    if name:
        told["Content-Disposition"] = str(content_disposition_header(as_attachment=True, filename=name))
    given = _given(request, file.path, size=size, tag=told["ETag"])
    for header, value in told.items():
        given.headers[header] = value
    if settings.DOWNLOADS_BY_PROXY and given.status_code in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return _by_proxy(given, file.name or "")
    return given


def _given(request: HttpRequest, path: str, *, size: int, tag: str) -> HttpResponseBase:
    if names(request.headers.get("If-None-Match", ""), tag, weakly=True):
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED)
    try:
        piece = _piece(request, size=size, tag=tag)
    except OutOfFile:
        refused = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        refused.headers["Content-Range"] = f"bytes */{size}"
        return refused
    if piece is None:
        return PieceOfFile(path, Piece(0, size))
    part = PieceOfFile(path, piece, status=HTTPStatus.PARTIAL_CONTENT)
    part.headers["Content-Range"] = f"bytes {piece.start}-{piece.end - 1}/{size}"
    return part


def _piece(request: HttpRequest, *, size: int, tag: str) -> Piece | None:
    asked = request.headers.get("Range", "")
    if not asked or request.method != "GET":
        return None
    only_if = request.headers.get("If-Range", "")  # a date, too, is of a file that we don't know by dates
    if only_if and only_if.strip() != tag:
        return None
    return piece_asked_for(asked, size=size)


def _by_proxy(given: HttpResponseBase, name: str) -> HttpResponse:
    """nginx reads the file and minds the range itself."""
    handed = HttpResponse(b"")
    for header in ("ETag", "Content-Type", "Content-Disposition"):
        if header in given.headers:
            handed.headers[header] = given.headers[header]
    handed.headers["X-Accel-Redirect"] = f"{settings.DOWNLOADS_BY_PROXY.rstrip('/')}/{quote(name)}"
    return handed
