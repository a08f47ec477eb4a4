"""The shop as a buyer's page sees it, over real HTTP."""

from typing import Any

import requests


class Shop:
    """A buyer's page: it speaks JSON to the shop and sees nothing else."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()

    def post(self, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        return self.session.post(self.address + path, json=body, timeout=60, **kwargs)

    def push(
        self, phone: str, amount: Any = 1500, reference: str = "CART1732381200000", **more: Any
    ) -> dict[str, Any]:
        headers = more.pop("headers", None)
        body = {"phone": phone, "amount": amount, "accountReference": reference, **more}
        answer: dict[str, Any] = self.post("/stkpush", body, headers=headers).json()
        return answer

    def status(self, poll_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.post("/stkpush/status", {"checkoutRequestId": poll_id}).json()
        return answer

    def order(self, *slugs: str) -> dict[str, Any]:
        answer = self.post("/api/orders", {"items": [{"mix": slug} for slug in slugs]})
        assert answer.status_code == 201, answer.text
        placed: dict[str, Any] = answer.json()
        return placed

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.session.get(self.address + path, timeout=60, **kwargs)
