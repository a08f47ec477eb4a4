"""What came of a storm, read from Safaricom's own books, from the tables and from what the tabs heard; and which
promise was not kept."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import requests

from tests.support.races.storm.buyers import Does, Told
from tests.support.races.storm.weather import QUESTIONS_A_MINUTE, Storm

LONGEST = 30.0  # seconds that a tab may wait for its answer, whatever happens: then a buyer thinks it broken
LATER = 8.0  # seconds after the hanging began: by then the first who waited for a token have been told
SHORT_CODE = "174379"
DONE = ("applied", "repeated")

Row = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """`table`: what was done and what came of it. `broken`: each promise that was not kept, in words."""

    table: list[Row]
    broken: list[str]

    def lines(self) -> Iterator[str]:
        yield "| what | how many |"
        yield "|---|---|"
        for what, how_many in self.table:
            yield f"| {what} | {how_many} |"


def findings(storm: Storm) -> Findings:
    """Reads all of it once the storm is over."""
    parts = [
        part(storm)
        for part in (
            _prompts,
            _words,
            _pages,
            _callbacks,
            _restarts,
            _payments,
            _questions,
            _book,
            _left_over,
        )
    ]
    table = [row for rows, _ in parts for row in rows]
    return Findings(table=table, broken=[each for _, broken in parts for each in broken])


Part = tuple[list[Row], list[str]]


def _prompts(storm: Storm) -> Part:
    theirs = storm.safaricom.state()
    rang = Counter(each["phone"] for each in theirs["transactions"])
    per_buyer = Counter(rang[buyer.phone] for buyer in storm.buyers)
    pushes = theirs["counters"]["push"]
    presses = sum(len(buyer.presses) for buyer in storm.buyers)
    table = [
        ("buyers, each in two tabs", f"{len(storm.buyers)}"),
        ("presses", f"{presses}"),
        ("prompts on a phone, by Safaricom's own list", _counted(per_buyer, "{1} buyers with {0}")),
        ("pushes that reached Safaricom", f"{pushes}"),
    ]
    return table, [
        *_unless(
            max(per_buyer) <= 1, f"{sum(n > 1 for n in rang.values())} phones were asked more than once"
        ),
        *_unless(per_buyer[0] == 0, f"{per_buyer[0]} buyers pressed and pressed, and were never asked"),
        *_unless(
            pushes == rang.total(), f"{pushes} pushes reached Safaricom and only {rang.total()} prompts rang"
        ),
    ]


def _words(storm: Storm) -> Part:
    presses = [told for buyer in storm.buyers for told in buyer.presses]
    began, ended = storm.hung
    hanging = [told for told in presses if began <= told.at < ended and told.status != 200]
    first = [told for told in hanging if told.at <= began + LATER]
    again = [told for told in hanging if told.at > began + LATER]
    wordless = [told for told in presses if not told.in_words]
    codes = Counter(f"{told.status} {told.body.get('code') or told.body.get('prompt')}" for told in presses)
    longest = max(told.took for told in presses)
    table = [
        ("the token's address hung", f"{ended - began:.0f} s"),
        ("presses told in words", f"{len(presses) - len(wordless)} of {len(presses)}"),
        ("what they were told", _counted(codes, "{1} × {0}")),
        ("refused in words meanwhile: in its first seconds; later", f"{_times(first)}; {_times(again)}"),
        ("longest that a press waited", f"{longest:.1f} s"),
    ]
    return table, [
        *_unless(not wordless, f"{len(wordless)} presses had no words: {_statuses(wordless)}"),
        *_unless(longest <= LONGEST, f"a press waited {longest:.0f} s for its answer"),
    ]


def _pages(storm: Storm) -> Part:
    polls = [told for buyer in storm.buyers for told in buyer.polls]
    bad = [told for told in polls if told.status != 200]
    longest = max((told.took for told in polls), default=0.0)
    wronged = [
        buyer
        for buyer in storm.buyers
        if buyer.does is Does.PAYS and buyer.answered_at is not None
        for told in buyer.polls
        if told.at > buyer.answered_at and told.body.get("status") == "failed"
    ]
    told = Counter(str(told.body.get("status")) for told in polls)
    table = [
        ("status polls", f"{len(polls)}: {_counted(told, '{1} × {0}')}; {longest:.1f} s at most"),
        ("polls answered 5xx, or not at all", f"{len(bad)}"),
    ]
    return table, [
        *_unless(not bad, f"{len(bad)} polls were not answered 200: {_statuses(bad)}"),
        *_unless(longest <= LONGEST, f"a poll waited {longest:.0f} s for its answer"),
        *_unless(not wronged, f'{len(wronged)} polls said "failed" to a buyer who had paid'),
    ]


def _callbacks(storm: Storm) -> Part:
    sent = [each for t in storm.safaricom.state()["transactions"] for each in t["deliveries"]]
    accepted = sum(each["status"] == 200 for each in sent)
    rows = storm.rows.all(
        "SELECT verdict, count(*) AS number, count(spool_id) AS spooled FROM payments_callbackdelivery GROUP BY 1"
    )
    verdicts = {row["verdict"]: row["number"] for row in rows}
    stored, spooled = sum(verdicts.values()), sum(row["spooled"] for row in rows)
    others = {verdict: number for verdict, number in verdicts.items() if verdict not in (*DONE, "received")}
    refused = Counter(each["status"] or each["trouble"] for each in sent if each["status"] != 200)
    waiting = verdicts.get("received", 0)
    table = [
        ("callbacks sent", f"{len(sent)}"),
        ("callbacks answered Accepted", f"{accepted}"),
        ("callbacks kept", f"{stored}, {spooled} of them on disk until PostgreSQL was back"),
        (
            "applied; repeated, to no effect; waiting",
            f"{verdicts.get('applied', 0)}; {verdicts.get('repeated', 0)}; {waiting}",
        ),
    ]
    return table, [
        *_unless(len(sent) >= storm.size.callbacks, f"only {len(sent)} callbacks were sent"),
        *_unless(not refused, f"callbacks were not accepted: {_counted(refused, '{1} × {0}')}"),
        *_unless(stored >= accepted, f"{accepted - stored} callbacks were accepted and are not kept"),
        *_unless(waiting == 0, f"{waiting} callbacks were never applied"),
        *_unless(not others, f"callbacks were doubted: {others}"),
    ]


def _restarts(storm: Storm) -> Part:
    away = ", ".join(f"{seconds:.1f} s" for seconds in storm.blackouts)
    table = [
        (
            "PostgreSQL lost its power",
            f"{len(storm.blackouts)} times; from then until a page was served: {away}",
        )
    ]
    return table, [*_unless(len(storm.blackouts) == storm.size.restarts, "PostgreSQL was not restarted")]


def _payments(storm: Storm) -> Part:
    attempts = storm.rows.attempts()
    states = Counter(each["state"] for each in attempts)
    never_asked = sum(each["state"] == "failed" and each["checkout_request_id"] is None for each in attempts)
    live = sum(states[state] for state in ("created", "pending", "unknown"))
    of = {each["checkout_request_id"]: each for each in attempts if each["checkout_request_id"]}
    theirs = storm.safaricom.state()["transactions"]
    paid = [each for each in theirs if each["state"] == "paid"]
    lost = [each for each in paid if not _is_paid_once(of.get(each["checkout_request_id"]))]
    others = [each["receipt"] for each in of.values() if each["receipt"] not in _receipts(paid)]
    too_much = states["completed"] - len(paid)
    table = [
        (
            "payments by state",
            f"{_counted(states, '{1} {0}')} ({never_asked} of the failed: a press that was refused)",
        ),
        ("paid at Safaricom; paid once in the ledger", f"{len(paid)}; {len(paid) - len(lost)}"),
    ]
    return table, [
        *_unless(not lost, f"{len(lost)} buyers paid at Safaricom and not, or not once, in the ledger"),
        *_unless(too_much <= 0, f"{too_much} payments more are completed than Safaricom was paid"),
        *_unless(not others, f"receipts that Safaricom never made: {others}"),
        *_unless(live == 0, f"{live} payments are still open"),
    ]


def _receipts(paid: Iterable[dict[str, Any]]) -> set[str | None]:
    """And none: it is awaited, where only a question told of the money."""
    return {None, *(each["receipt"] for each in paid)}


def _is_paid_once(attempt: dict[str, Any] | None) -> bool:
    if attempt is None:
        return False
    told = (attempt["state"], attempt["order_state"], attempt["confirmed"], attempt["pays_order"])
    return told == ("completed", "paid", 1, True)


def _questions(storm: Storm) -> Part:
    asked = storm.safaricom.count("query")
    allowed = int(storm.took / 60 * QUESTIONS_A_MINUTE) + 1
    table = [
        (
            "questions asked by six processes on two clocks",
            f"{asked} of {allowed} that the budget allows in {storm.took:.0f} s",
        )
    ]
    return table, [*_unless(asked <= allowed, f"{asked} questions were asked, and {allowed} were allowed")]


def _book(storm: Storm) -> Part:
    storm.desk.run("seal_ledger")
    code, said = storm.desk.run("verify_ledger")
    _, told = storm.desk.run("balance", "--json")
    book = json.loads(told)
    ours = book["short_codes"].get(SHORT_CODE, {}).get("closing", 0)
    owed = sum(book[name] for name in ("orders", "unclaimed", "refunds_due", "kept"))
    theirs = sum(t["amount"] for t in storm.safaricom.state()["transactions"] if t["state"] == "paid")
    table = [
        ("verify_ledger's exit code", f"{code}"),
        ("M-PESA by the book; in Safaricom's bank", f"KES {ours:,.2f}; KES {theirs:,.2f}"),
        ("of it the orders'; owed otherwise", f"KES {book['orders']:,.2f}; KES {owed - book['orders']:,.2f}"),
    ]
    return table, [
        *_unless(code == 0, f"verify_ledger: {said}"),
        *_unless(ours == theirs, f"the book says KES {ours}, Safaricom's bank holds KES {theirs}"),
        *_unless(owed == ours, f"of KES {ours} only KES {owed} have their place in the book"),
    ]


def _left_over(storm: Storm) -> Part:
    spooled = storm.waits_in_spools()
    health = [requests.get(f"{host.address}/health/ready", timeout=30).json() for host in storm.hosts]
    troubles = [f"host {n}: {told['trouble']}" for n, told in enumerate(health, start=1) if "trouble" in told]
    table = [
        ("files left in the spools", f"{len(spooled)}"),
        ("troubles that /health/ready tells", ", ".join(troubles) or "none"),
    ]
    return table, [
        *_unless(not spooled, f"still on disk: {', '.join(spooled)}"),
        *_unless(not troubles, f"/health/ready tells of troubles: {', '.join(troubles)}"),
    ]


def _unless(kept: bool, sentence: str) -> list[str]:
    return [] if kept else [sentence]


def _counted(counter: Counter[Any], words: str) -> str:
    return (
        ", ".join(words.format(each, number) for each, number in sorted(counter.items(), key=str)) or "none"
    )


def _statuses(told: list[Told]) -> str:
    return _counted(Counter(each.status or "no answer" for each in told), "{1} × {0}")


def _times(told: list[Told]) -> str:
    if not told:
        return "nobody"
    took = [each.took for each in told]
    return f"{len(told)} in {median(took):.1f} s in the middle, {max(took):.1f} s at most"
