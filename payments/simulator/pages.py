"""What a person opens in a browser: the start page, the phone, and the statement's file. Decides nothing."""

import html
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from payments.simulator.accounts import ACCOUNTS, PAYBILL
from payments.simulator.bank import Bank
from payments.simulator.business.credential import certificate
from payments.simulator.checks import MSISDN
from payments.simulator.control import switch_text
from payments.simulator.faults import FaultBoard
from payments.simulator.incoming import Request
from payments.simulator.manual import credentials, deeds, endings, faults
from payments.simulator.replies import Reply
from payments.simulator.schedule import Schedule
from payments.simulator.statement import newer_csv, statement_csv

FOLDER = Path(__file__).parent / "static"
PAGE_TYPE = "text/html; charset=utf-8"
CSV_TYPE = "text/csv; charset=utf-8"
FILES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "/static/simulator.css": ("simulator.css", "text/css; charset=utf-8"),
        "/static/phone.js": ("phone.js", "text/javascript; charset=utf-8"),
    }
)
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
)


class Pages:
    def __init__(self, *, bank: Bank, schedule: Schedule, faults: FaultBoard, base_url: str) -> None:
        self._bank = bank
        self._schedule = schedule
        self._faults = faults
        self._base_url = base_url

    def answer(self, request: Request) -> Reply:
        if request.method not in ("GET", "HEAD"):
            return _page("405", status=HTTPStatus.METHOD_NOT_ALLOWED)
        path = request.path.rstrip("/") or "/"
        if path == "/":
            return _page(self._start())
        if path == "/phone" or MSISDN.fullmatch(path.removeprefix("/phone/")):
            return _page(_read("phone.html"))
        if path == "/statement.csv":
            return self._statement(request)
        if path == "/certificate.pem":
            return Reply(body=certificate(), content_type="application/x-pem-file", headers=HEADERS)
        if path in FILES:
            name, content_type = FILES[path]
            return Reply(body=_read(name).encode(), content_type=content_type, headers=HEADERS)
        return _page("There is nothing here.", status=HTTPStatus.NOT_FOUND)

    def _statement(self, request: Request) -> Reply:
        """Of the merchant named by `short_code`; else of the one that was asked to be paid first."""
        transactions = self._bank.transactions()
        asked = transactions[0].account if transactions else PAYBILL
        account = ACCOUNTS.get(request.query.get("short_code", asked.short_code))
        if account is None:
            return _page("There is no such short code here.", status=HTTPStatus.NOT_FOUND)
        moves, now = self._bank.moves(account.short_code), self._schedule.now()
        if request.query.get("layout") == "newer":
            name, text = newer_csv(moves, account, now=now)
        else:
            name, text = "statement.csv", statement_csv(moves, account, now=now)
        saved_as = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Reply(body=text.encode(), content_type=CSV_TYPE, headers={**HEADERS, **saved_as})

    def _start(self) -> str:
        on = [switch_text(switch) for switch in self._faults.listed()] or ["none"]
        return _read("start.html").format(
            base_url=html.escape(self._base_url),
            credentials=_terms(credentials()),
            endings=_terms(endings()),
            faults_on="".join(f"<li>{html.escape(text)}</li>" for text in on),
            faults=_terms(faults()),
            deeds=_terms(deeds()),
        )


def _terms(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in pairs)


def _page(text: str, status: int = 200) -> Reply:
    return Reply(status=status, body=text.encode(), content_type=PAGE_TYPE, headers=HEADERS)


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
