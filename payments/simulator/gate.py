"""What every endpoint asks of a request before its own checks: method, token, JSON; and its errors. No sockets."""

from payments.simulator import replies
from payments.simulator.bank import Bank
from payments.simulator.checks import BadFieldError, read_json
from payments.simulator.faults import FaultBoard, FaultValue
from payments.simulator.incoming import Request
from payments.simulator.replies import RefusalError, Reply
from payments.simulator.schedule import Schedule


class Gate:
    def __init__(self, *, bank: Bank, schedule: Schedule, faults: FaultBoard) -> None:
        self._bank = bank
        self._schedule = schedule
        self._faults = faults

    def canned(self, names: tuple[str, ...], phone: str | None) -> tuple[Reply, FaultValue] | None:
        """The answer of the first of these faults that is on, and its value."""
        for name in names:
            value = self._faults.take(name, phone)
            if value is not None:
                return replies.CANNED[name], value
        return None

    def check_token(
        self, request: Request, *, code: str = replies.INVALID_TOKEN, status: int = 404, methods: str = "POST"
    ) -> None:
        """`code` and `status`: what this endpoint says of a token that is no good (daraja.md 1)."""
        if request.method == "GET" and "GET" not in methods:
            raise RefusalError(self.error(404, replies.NO_HEADER, "Invalid Authentication Header"))
        if request.method not in methods.split():
            raise RefusalError(self.error(405, replies.BAD_METHOD, f"{request.method} Method Not Allowed"))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._bank.is_token(token.strip(), self._schedule.now()):
            return
        if self._faults.take("token_401") is not None:
            status = 401
        words = "Invalid Access Token"
        if code == replies.TOKEN_ECHOED:
            words = f"Error Occurred - {words} - {token.strip()}"
        raise RefusalError(self.error(status, code, words))

    def fields(self, request: Request, *, first: str) -> dict[str, object]:
        """`first`: the field that Daraja names where the content type is wrong."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != replies.JSON_TYPE:
            raise BadFieldError(first)
        fields = read_json(request.body)
        if fields is None:
            raise RefusalError(self.error(400, replies.BAD_PAYLOAD, "Invalid Request Payload"))
        return dict(fields)

    def error(self, status: int, code: str, message: str) -> Reply:
        return replies.error(status, code, message, self._bank.request_id())
