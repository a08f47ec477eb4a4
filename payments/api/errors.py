"""What a problem of the checkout is in HTTP. No words here: the checkout speaks to the buyer."""

from http import HTTPStatus

from djkraph.http import ApiProblem
from payments.checkout import PushProblem, Why

STATUS = {
    Why.AMOUNT_MISMATCH: HTTPStatus.BAD_REQUEST,
    Why.ORDER_UNKNOWN: HTTPStatus.BAD_REQUEST,
    Why.ALREADY_PAID: HTTPStatus.CONFLICT,
    Why.JUST_PAID: HTTPStatus.CONFLICT,
    Why.ORDER_REFUNDED: HTTPStatus.CONFLICT,
    Why.ORDER_ENDED: HTTPStatus.CONFLICT,
    Why.PRICE_CHANGED: HTTPStatus.CONFLICT,
    Why.BEING_CHECKED: HTTPStatus.CONFLICT,
    Why.PROMPT_OPEN: HTTPStatus.CONFLICT,
    Why.TOO_MANY_PROMPTS: HTTPStatus.TOO_MANY_REQUESTS,
    Why.PHONE_STOPPED: HTTPStatus.FORBIDDEN,
    Why.DARAJA_REFUSED: HTTPStatus.BAD_GATEWAY,
    Why.DARAJA_UNUSABLE: HTTPStatus.BAD_GATEWAY,
    Why.TOO_MANY_AT_ONCE: HTTPStatus.SERVICE_UNAVAILABLE,
    Why.NOT_ASKED: HTTPStatus.SERVICE_UNAVAILABLE,
    Why.DARAJA_UNREACHABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Why.DARAJA_BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}


def in_http(problem: PushProblem) -> ApiProblem:
    return ApiProblem(str(problem), code=problem.code, status=STATUS[problem.code])
