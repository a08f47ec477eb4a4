"""The one shape of every answer of the JSON endpoints: parser in, problem out. No domain word here."""

import json
import logging
from http import HTTPStatus
from typing import Any, Protocol

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 65_536
SERVER_TROUBLE = "Something went wrong on our side. Nothing was lost; please try again in a moment."


class ApiProblem(exceptions.APIException):
    """A refusal that the buyer's page shows: a sentence to act on, and a word for programs."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message, code)
        self.status_code = status


class BodyTooLarge(ApiProblem):
    def __init__(self) -> None:
        super().__init__(
            "The request is too large.", code="too_large", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        )


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_capped(stream: Readable, limit: int = MAX_BODY_BYTES) -> bytes:
    """The whole body, or BodyTooLarge as soon as it passes the limit."""
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge
    return body


class CappedJSONParser(BaseParser):
    """Strict JSON (an object; no NaN, no Infinity), capped; anything else is a ParseError in words."""

    media_type = JSONParser.media_type

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ARG002
        try:
            told = json.loads(read_capped(stream).decode(), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as bad:
            raise exceptions.ParseError("The request is not readable JSON.") from bad
        if not isinstance(told, dict):
            raise exceptions.ParseError("The request must be a JSON object.")
        return told


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


class AlwaysJSON(BaseContentNegotiation):
    """Whatever the Accept header says, the answer is JSON: a page that asks for */* or text gets an answer too."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        sent = (request.content_type or "").split(";")[0].strip().lower()
        return next((p for p in parsers if p.media_type in (sent, "*/*")), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002
        renderers: Any,
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def problem(message: str, *, code: str, errors: Any = None) -> dict[str, Any]:
    """The body of every refusal."""
    body: dict[str, Any] = {"success": False, "message": message, "code": code}
    if errors:
        body["errors"] = errors
    return body


def answer_in_words(error: Exception, _context: dict[str, Any]) -> Response:
    """DRF's exception handler: every error of these endpoints leaves as the documented JSON."""
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing at this address.")
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        error = exceptions.ParseError("The request can't be understood.")
    if not isinstance(error, exceptions.APIException):
        log.error("An endpoint failed", exc_info=error)
        return Response(problem(SERVER_TROUBLE, code="server_error"), status=500)
    headers: dict[str, str] = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    if allow := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = allow
    return Response(_body_of(error), status=error.status_code, headers=headers)


def _body_of(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        errors = _field_errors(error.detail)
        return problem(_first_sentence(errors), code="invalid", errors=errors)
    words = {
        exceptions.MethodNotAllowed: "This address does not answer that method.",
        exceptions.UnsupportedMediaType: "Send the request as JSON (Content-Type: application/json).",
        exceptions.Throttled: "Too many requests from your network. Please wait a minute and try again.",
    }
    message = words.get(type(error), str(error.detail))
    return problem(message, code=_code_of(error))


def _code_of(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else "invalid"


def _field_errors(detail: Any, path: str = "") -> dict[str, list[str]]:
    """{field: [sentence, …]}, nested fields by dotted path: `items.0.mix`."""
    if isinstance(detail, dict):
        pairs = [(str(key), value) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(part, dict | list) for part in detail):
        pairs = [(str(index), value) for index, value in enumerate(detail)]
    else:
        return {path or "request": [str(part) for part in (detail if isinstance(detail, list) else [detail])]}
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        name = path if key == "non_field_errors" else f"{path}.{key}".lstrip(".")
        if value:
            found.update(_field_errors(value, name))
    return found


def _first_sentence(errors: dict[str, list[str]]) -> str:
    field, sentences = next(iter(errors.items()))
    return sentences[0] if field in ("request", "phone", "amount") else f"{field}: {sentences[0]}"
