"""A client that speaks to the simulator plainly, and a shop that receives callbacks."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any

import requests

from payments.simulator.accounts import ACCOUNTS, CONSUMER_KEY, CONSUMER_SECRET

TIMESTAMP = "20261123180000"
PAYS = "254700000000"
PERSON = "254700000055"


@dataclass
class Shop:
    """Where callbacks arrive. `status` is what it answers, after `seconds`."""

    url: str
    status: int = 200
    seconds: float = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def callbacks(self) -> list[dict[str, Any]]:
        return [body["Body"]["stkCallback"] for body in self.bodies]

    def items(self, which: int = 0) -> dict[str, Any]:
        return {i["Name"]: i.get("Value") for i in self.callbacks[which]["CallbackMetadata"]["Item"]}


class Busy(ThreadingHTTPServer):
    """A shop at which two hundred callbacks may knock at once."""

    request_queue_size = 256


class Client:
    """Sends what it is told to, right or wrong."""

    def __init__(self, base_url: str, callback_url: str) -> None:
        self.base_url = base_url
        self.callback_url = callback_url
        self.session = requests.Session()
        self._token: str | None = None

    def oauth(
        self, key: str = CONSUMER_KEY, secret: str = CONSUMER_SECRET, **options: Any
    ) -> requests.Response:
        options.setdefault("params", {"grant_type": "client_credentials"})
        return self.session.get(
            f"{self.base_url}/oauth/v1/generate", auth=(key, secret), timeout=10, **options
        )

    @property
    def token(self) -> str:
        if self._token is None:
            self._token = self.oauth().json()["access_token"]
        return self._token

    def push_body(self, phone: str = PAYS, **changes: Any) -> dict[str, Any]:
        code = str(changes.get("BusinessShortCode", 174379))
        body = {
            "BusinessShortCode": 174379,
            "Password": password(code),
            "Timestamp": TIMESTAMP,
            "TransactionType": "CustomerPayBillOnline",
            "Amount": 450,
            "PartyA": phone,
            "PartyB": "174379",
            "PhoneNumber": phone,
            "CallBackURL": self.callback_url,
            "AccountReference": "DK7F3K9",
            "TransactionDesc": "DJ mixes",
            **changes,
        }
        return {name: value for name, value in body.items() if value is not None}

    def push(self, phone: str = PAYS, **changes: Any) -> requests.Response:
        return self.post("/mpesa/stkpush/v1/processrequest", self.push_body(phone, **changes))

    def pushed(self, phone: str = PAYS, **changes: Any) -> str:
        answer = self.push(phone, **changes)
        assert answer.status_code == 200, answer.text
        return answer.json()["CheckoutRequestID"]

    def query(self, checkout_request_id: str, **changes: Any) -> requests.Response:
        body = {
            "BusinessShortCode": "174379",
            "Password": password("174379"),
            "Timestamp": TIMESTAMP,
            "CheckoutRequestID": checkout_request_id,
            **changes,
        }
        return self.post("/mpesa/stkpushquery/v1/query", body)

    def post(self, path: str, body: object, **headers: str) -> requests.Response:
        bearer = {"Authorization": f"Bearer {self.token}", **headers}
        return self.session.post(self.base_url + path, json=body, headers=bearer, timeout=10)

    def control(self, method: str, name: str, body: object = None) -> Any:
        answer = self.session.request(method, f"{self.base_url}/control/{name}", json=body, timeout=30)
        assert answer.status_code < 400, answer.text
        return answer.json()

    def fault(self, name: str, value: object = True, **more: object) -> None:
        self.control("POST", "faults", {"fault": name, "value": value, **more})

    def advance(self, seconds: float) -> None:
        assert self.control("POST", "clock", {"advance": seconds})["fired"]
        self.idle()

    def idle(self) -> None:
        assert self.control("GET", "wait-idle?timeout=10") == {"idle": True}

    def act(self, checkout_request_id: str, action: str) -> Any:
        answer = self.control("POST", f"prompts/{checkout_request_id}", {"action": action})
        self.idle()
        return answer

    def transaction(self, checkout_request_id: str) -> dict[str, Any]:
        found = self.control("GET", "state")["transactions"]
        return next(t for t in found if t["checkout_request_id"] == checkout_request_id)


def password(short_code: str, timestamp: str = TIMESTAMP) -> str:
    account = ACCOUNTS.get(short_code)
    return account.password(timestamp) if account else b64encode(b"of nobody").decode()


StartClient = Callable[..., Client]
