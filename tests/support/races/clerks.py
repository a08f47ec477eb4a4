"""Staff at the desks of the town's machines, over real HTTP."""

from typing import Any

import requests

from tests.support.races.machines import Machine
from tests.support.races.town import Town

PASSWORD = "a-long-passphrase"
HIRE = (
    "from django.contrib.auth.models import User;"
    "[User.objects.create_superuser(name, password={password!r}) for name in {names!r}]"
)


class Clerk:
    """Somebody who is logged in at the desk of one machine."""

    def __init__(self, machine: Machine, name: str) -> None:
        self._admin = f"{machine.address}/admin"
        self._browser = requests.Session()
        self._browser.get(f"{self._admin}/login/", timeout=30).raise_for_status()
        self._post("login/", login=name, password=PASSWORD, next="/admin/password_change/")
        assert "sessionid" in self._browser.cookies

    def does(self, action: str, attempt_id: int, **told: Any) -> None:
        self._post(f"payments/mpesatransaction/{attempt_id}/{action}/", **told)

    def _post(self, path: str, **told: Any) -> None:
        told["csrfmiddlewaretoken"] = self._browser.cookies["csrftoken"]
        answer = self._browser.post(f"{self._admin}/{path}", data=told, timeout=30)
        assert answer.status_code == 200, answer.text


def clerks(town: Town, *names: str) -> list[Clerk]:
    """They sit at both machines by turns."""
    code, said = town.desks[0].run("shell", "-c", HIRE.format(password=PASSWORD, names=names))
    assert code == 0, said
    return [Clerk(town.machine(n), name) for n, name in enumerate(names)]
