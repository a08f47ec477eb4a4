"""A client that speaks to the simulator plainly, and a shop that receives callbacks."""

import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from payments.daraja import DarajaClient, Initiator, MemoryTokenStore, Merchant
from payments.simulator.accounts import (
    ACCOUNTS,
    CONSUMER_KEY,
    CONSUMER_SECRET,
    INITIATOR,
    INITIATOR_PASSWORD,
    PAYBILL,
)
from payments.simulator.business.api import DEEDS
from payments.simulator.business.credential import certificate
from payments.simulator.business.orders import COMMANDS

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


@contextmanager
def hearing() -> Iterator[Shop]:
    """A shop, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.bodies.append(json.loads(body))
            here.headers.append(dict(self.headers.items()))
            here.paths.append(self.path)
            time.sleep(here.seconds)
            self.send_response(here.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = Busy(("127.0.0.1", 0), Handler)
    here = Shop(url=f"http://127.0.0.1:{server.server_port}/cb/3f9c?x=1")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield here
    server.shutdown()
    server.server_close()


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

    def order(self, what: str, **changes: Any) -> requests.Response:
        """Transaction Status, Reversal or Account Balance, as our initiator."""
        party, type_of_party, kind = {
            "status": ("PartyA", "IdentifierType", "4"),
            "reversal": ("ReceiverParty", "RecieverIdentifierType", "11"),
            "balance": ("PartyA", "IdentifierType", "4"),
        }[what]
        body = {
            "Initiator": INITIATOR,
            "SecurityCredential": credential(),
            "CommandID": COMMANDS[what],
            party: 174379,
            type_of_party: kind,
            "ResultURL": self.callback_url,
            "QueueTimeOutURL": f"{self.callback_url}&late=1",
            "Remarks": "OK",
            **changes,
        }
        path = next(path for path, name in DEEDS.items() if name == what)
        return self.post(path, {name: value for name, value in body.items() if value is not None})

    def pull(self, **changes: Any) -> requests.Response:
        now = datetime.fromisoformat(self.control("GET", "state")["now"])
        body = {
            "ShortCode": "174379",
            "StartDate": f"{now - timedelta(hours=47):%Y-%m-%d %H:%M:%S}",
            "EndDate": f"{now + timedelta(seconds=1):%Y-%m-%d %H:%M:%S}",
            "OffSetValue": "0",
            **changes,
        }
        return self.post("/pulltransactions/v1/query", body)

    def register_pull(self) -> requests.Response:
        body = {
            "ShortCode": "174379",
            "RequestType": "Pull",
            "NominatedNumber": "254722000000",
            "CallBackURL": self.callback_url,
        }
        return self.post("/pulltransactions/v1/register", body)

    def moves(self, kind: str) -> list[dict[str, Any]]:
        return [move for move in self.control("GET", "state")["moves"] if move["kind"] == kind]

    def paid_by_hand(self, amount: int = 450, account: str = "DK7F3K9", phone: str = PAYS) -> str:
        body = {"phone": phone, "amount": amount, "account": account}
        receipt: str = self.control("POST", "pay", body)["receipt"]
        self.idle()
        return receipt

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


def credential(password: str = INITIATOR_PASSWORD) -> str:
    return Initiator(name="", password=password, certificate=certificate()).security_credential()


def daraja(base_url: str) -> DarajaClient:
    return DarajaClient(
        base_url,
        "simulator-consumer-key",
        "simulator-consumer-secret",
        Merchant(short_code=PAYBILL.short_code, passkey=PAYBILL.passkey),
        MemoryTokenStore(),
    )


def password(short_code: str, timestamp: str = TIMESTAMP) -> str:
    account = ACCOUNTS.get(short_code)
    return account.password(timestamp) if account else b64encode(b"of nobody").decode()


StartClient = Callable[..., Client]
