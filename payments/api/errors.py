"""What a problem of the checkout is in HTTP. No words here: the checkout speaks to the buyer."""

from http import HTTPStatus

from djkraph.http import ApiProblem
from payments.checkout import PushProblem

STATUS = {
    "amount_mismatch": HTTPStatus.BAD_REQUEST,
    "order_unknown": HTTPStatus.BAD_REQUEST,
    "already_paid": HTTPStatus.CONFLICT,
    "just_paid": HTTPStatus.CONFLICT,
    "order_ended": HTTPStatus.CONFLICT,
    "price_changed": HTTPStatus.CONFLICT,
    "being_checked": HTTPStatus.CONFLICT,
    "prompt_open": HTTPStatus.CONFLICT,
    "key_reused": HTTPStatus.CONFLICT,
    "too_many_prompts": HTTPStatus.TOO_MANY_REQUESTS,
    "daraja_refused": HTTPStatus.BAD_GATEWAY,
    "daraja_unusable": HTTPStatus.BAD_GATEWAY,
    "too_many_at_once": HTTPStatus.SERVICE_UNAVAILABLE,
    "not_asked": HTTPStatus.SERVICE_UNAVAILABLE,
    "daraja_unreachable": HTTPStatus.SERVICE_UNAVAILABLE,
    "daraja_busy": HTTPStatus.SERVICE_UNAVAILABLE,
}


def in_http(problem: PushProblem) -> ApiProblem:
    return ApiProblem(str(problem), code=problem.code, status=STATUS[problem.code])
