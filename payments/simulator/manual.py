"""The manual, drawn from the tables: for --help as text, for the start page as pairs. Says nothing they don't."""

from payments.simulator.accounts import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    INITIATOR,
    INITIATOR_PASSWORD,
    PAYBILL,
    TILL,
)
from payments.simulator.endings import ENDINGS, PROMPT_SECONDS, TEST_LINE, Ending, RefusedAtOnce
from payments.simulator.faults import FAULTS, Fault

Pairs = list[tuple[str, str]]


def credentials() -> Pairs:
    return [
        ("consumer key", CONSUMER_KEY),
        ("consumer secret", CONSUMER_SECRET),
        ("paybill", PAYBILL.short_code),
        ("till", f"{TILL.party_b}, under store number {TILL.short_code}"),
        ("passkey", "Safaricom's public sandbox passkey, for both"),
        ("initiator", INITIATOR),
        ("his password", INITIATOR_PASSWORD),
        ("certificate", "GET /certificate.pem"),
    ]


def endings() -> Pairs:
    return [
        *((ending.digits, ending.sentence + _after(ending)) for ending in ENDINGS.values()),
        (TEST_LINE, "Safaricom's public test line never answers (1037), after 26 s"),
        ("else", f"waits for a person at /phone, and times out (1037) after {PROMPT_SECONDS:g} s"),
    ]


def faults() -> Pairs:
    return [(fault.name + _values(fault), fault.sentence) for fault in FAULTS.values()]


def deeds() -> Pairs:
    """What people do beside a prompt; JSON in, JSON out."""
    return [
        (
            "POST /control/pay",
            "{phone, amount, account, short_code?, pin?}: pay by hand, as at the phone's menu",
        ),
        ("POST /control/reverse", "{receipt, amount?}: the customer has a payment taken back"),
        ("POST /control/sweep", "{short_code?, amount?}: the till's money goes to the shop's bank"),
        ("DELETE /control/c2b", "?short_code=: the portal forgets the C2B addresses"),
        ("GET /control/state", "everything: prompts, payments, what moved, initiators' orders"),
        ("GET /statement.csv", "?short_code=&layout=older|newer: the portal's account statement"),
    ]


def manual() -> str:
    return "\n".join(
        [
            "credentials:",
            *_lines(credentials(), 16),
            "",
            "how a payment ends, by the last two digits of the phone (times at --speed real):",
            *_lines(endings(), 4),
            "",
            "what people do beside a prompt:",
            *_lines(deeds(), 24),
            "",
            "faults (--fault NAME[=VALUE], or POST /control/faults while it runs):",
            *_lines(faults(), 30),
        ]
    )


def _lines(pairs: Pairs, width: int) -> list[str]:
    return [f"  {name:{width}}  {text}" for name, text in pairs]


def _after(ending: Ending | RefusedAtOnce) -> str:
    return f", after {ending.seconds:g} s" if isinstance(ending, Ending) else ""


def _values(fault: Fault) -> str:
    if fault.value is not True:
        return f"[={fault.value:g}]"
    return "".join(f"[={word}]" for word in fault.words)
