"""The tests' handle on the simulated Safaricom: its control plane in words."""

from typing import Any

import requests

PAYS = "254712345600"  # pays by itself
WAITS = "254712345678"  # not listed: waits for a person


class Simulated:
    def __init__(self, address: str) -> None:
        self.address = address
        self._session = requests.Session()

    def _post(self, path: str, body: Any = None) -> Any:
        answer = self._session.post(f"{self.address}/control/{path}", json=body or {}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def reset(self) -> None:
        self._post("reset")

    def state(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._session.get(f"{self.address}/control/state", timeout=30).json()
        return answer

    def count(self, endpoint: str) -> int:
        """How often oauth, push, query or callback was used."""
        return int(self.state()["counters"].get(endpoint, 0))

    def fault(self, name: str, value: Any = True, **more: Any) -> None:
        self._post("faults", {"fault": name, "value": value, **more})

    def no_faults(self) -> None:
        self._session.delete(f"{self.address}/control/faults", timeout=30).raise_for_status()

    def advance(self, seconds: float) -> None:
        self._post("clock", {"advance": seconds})

    def settle(self) -> None:
        """Waits until every callback that is due has been delivered."""
        self._session.get(
            f"{self.address}/control/wait-idle", params={"timeout": 20}, timeout=30
        ).raise_for_status()

    def prompts(self, phone: str = "") -> list[dict[str, Any]]:
        found = self._session.get(
            f"{self.address}/control/prompts", params={"phone": phone}, timeout=30
        ).json()
        return list(found["prompts"] if isinstance(found, dict) else found)

    def answer(self, checkout_request_id: str, action: str) -> None:
        """pay | cancel | wrong_pin | insufficient, as a person at the phone does."""
        self._post(f"prompts/{checkout_request_id}", {"action": action})
        self.settle()

    def redeliver(self, checkout_request_id: str) -> None:
        self._post(f"redeliver/{checkout_request_id}")
        self.settle()

    def expire_tokens(self) -> None:
        self._post("expire-tokens")
