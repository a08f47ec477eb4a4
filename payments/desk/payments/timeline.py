"""What happened to one payment, event by event, in words: what, by whom, what Safaricom said, what that means. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from payments.daraja import lookup
from payments.desk.words import Entry, kes, lowered
from payments.models import PaymentEvent
from payments.phones import blank_phones

Source = PaymentEvent.Source
Facts = Mapping[str, Any]


def entries(events: Iterable[PaymentEvent]) -> list[Entry]:
    return [entry(event) for event in events]


def entry(event: PaymentEvent) -> Entry:
    """Any event, also of a kind this table does not know yet: it is shown by its name rather than left out."""
    kind = event.kind.removesuffix("_again")
    tone, title, meaning = KINDS.get(kind, ("info", kind.replace("_", " ").capitalize() + ".", ""))
    facts = event.facts
    told = title(facts) if callable(title) else title
    if event.kind.endswith("_again"):
        told = f"Said once more: {lowered(told)}"
    return Entry(
        at=event.at,
        title=told,
        tone=tone,
        who=_who(event),
        words=blank_phones(_words(facts)),
        meaning=meaning(facts) if callable(meaning) else meaning,
    )


def _who(event: PaymentEvent) -> str:
    by, second = event.facts.get("by", ""), event.facts.get("confirmed_by", "")
    if by and event.source == Source.STATEMENT:
        return _whose_file(by, second)
    if by:
        return f"{by}, confirmed by {second}" if second else str(by)
    return {
        Source.PUSH: "Our request to Safaricom",
        Source.CALLBACK: "Safaricom's callback",
        Source.QUERY: "Safaricom, asked by us",
        Source.CLOCK: "The shop's clock",
        Source.STATEMENT: "The M-PESA statement",
    }.get(Source(event.source), "Staff")


def _whose_file(by: str, second: str) -> str:
    believed = f", believed by {second}" if second else ""
    return f"The M-PESA statement, uploaded by {by}{believed}"


def _words(facts: Facts) -> str:
    parts = [str(facts[name]) for name in ("description", "text", "reason") if facts.get(name)]
    if facts.get("evidence"):
        parts.append(f"Evidence: {facts['evidence']}")
    if facts.get("code"):
        parts.append(f"(Safaricom's code {facts['code']})")
    return " ".join(parts)


def _amount(facts: Facts) -> str:
    try:
        return kes(int(float(facts.get("amount", ""))))
    except ValueError:
        return "an amount"


def _of_receipt(facts: Facts) -> str:
    return f", receipt {facts['receipt']}" if facts.get("receipt") else ""


def _created(facts: Facts) -> str:
    if facts.get("unasked"):
        what = (
            "by hand for money on the M-PESA statement"
            if facts.get("by")
            else "for a second receipt of one request"
        )
        return f"Entered {what}. The order asks for {_amount(facts)}."
    return f"The buyer asked to pay {_amount(facts)}."


def _paid(facts: Facts) -> str:
    receipt = f" Receipt {facts['receipt']}." if facts.get("receipt") else " The receipt was not named."
    return {
        "pays_order": f"Paid: the order is paid with it.{receipt}",
        "refund_due": f"Paid, but the order was paid already: this money is due back.{receipt}",
        "unclaimed": f"Paid, but the order takes no more money: a person decides on it.{receipt}",
    }.get(facts.get("role", ""), f"Paid, but it pays no order yet.{receipt}")


def _result(facts: Facts) -> str:
    return lookup(facts.get("code", "")).staff


def _declined(facts: Facts) -> str:
    return f"Not paid: {lowered(lookup(facts.get('code', '')).meaning)}."


def _asked(facts: Facts) -> str:
    result = lookup(facts.get("code", ""))
    return (
        f"Asked Safaricom: no answer yet ({lowered(result.meaning)})."
        if facts.get("code")
        else "No answer yet."
    )


Words = str | Callable[[Facts], str]

KINDS: dict[str, tuple[str, Words, Words]] = {
    "created": ("info", _created, ""),
    "accepted": ("info", "Safaricom took the request: the prompt goes to the phone.", ""),
    "refused": (
        "bad",
        "Safaricom refused the request.",
        "The phone was not asked and nothing was charged. The buyer may try again.",
    ),
    "answer_lost": (
        "warn",
        "Safaricom's answer to our request was lost.",
        "The phone may be ringing, so nothing is sent a second time. The callback tells; else the statement does.",
    ),
    "confirmed": ("ok", _paid, ""),
    "declined": ("bad", _declined, _result),
    "expired": ("bad", "Given up waiting.", "If money comes for it all the same, it still counts."),
    "given_up": (
        "bad",
        "No answer for three days: Safaricom is asked no more.",
        "Look for it in the M-PESA statement. If money came, settle it by hand.",
    ),
    "amount_confirmed": ("ok", "The amount we asked for was confirmed: the money counts.", ""),
    "receipt_learned": ("ok", lambda f: f"The receipt became known: {f.get('receipt', '')}.", ""),
    "asked": ("info", _asked, _result),
    "not_final": ("warn", "A callback that settles nothing.", _result),
    "amount_missing": (
        "warn",
        "A callback said paid, without an amount: not believed.",
        "Safaricom is asked. If money came, it is found.",
    ),
    "amount_differs": (
        "bad",
        lambda f: (
            f"A callback named {_amount(f)}, which is not what we asked for: it pays nothing by itself."
        ),
        "Look it up in the M-PESA portal. Accept the amount (settle by hand) or send it back.",
    ),
    "receipt_taken": (
        "bad",
        lambda f: (
            f"A callback named receipt {f.get('receipt', '')}, which is another payment's: not believed."
        ),
        "Compare both payments with the M-PESA portal.",
    ),
    "note": ("info", "A note.", ""),
    "staff_asked": ("info", lambda f: f"Asked Safaricom by hand: {f.get('outcome', 'no answer')}.", ""),
    "looked_at": ("ok", "Marked as looked at.", ""),
    "delivery_read": (
        "info",
        lambda f: f"Read a stored callback once more. What became of it: {f.get('verdict', '').lower()}.",
        "",
    ),
    "settlement_proposed": (
        "warn",
        lambda f: f"Proposed: {lowered(f.get('what', 'Settled by hand'))}. {_amount(f)}{_of_receipt(f)}.",
        "A second person must confirm it.",
    ),
    "settlement_declined": (
        "bad",
        lambda f: "What was proposed was declined." if f.get("by") else "What was proposed came to nothing.",
        "",
    ),
    "amount_accepted": ("ok", lambda f: f"The amount, {_amount(f)}, was accepted by hand.", ""),
    "statement_differs": (
        "bad",
        lambda f: f"The M-PESA statement says {_amount(f)} for receipt {f.get('receipt', '')}.",
        "That is not what we held. The statement counts: accept the amount, or send back what is too much.",
    ),
    "undone": (
        "bad",
        "What was settled is taken back: the order is not paid with it.",
        "Where a statement shows the money, it is nobody's again.",
    ),
    "receipt_unlearned": (
        "bad",
        "The receipt was a wrong one, and is awaited again.",
        "Safaricom says that it is paid: upload the M-PESA statement.",
    ),
    "amount_doubted": (
        "bad",
        "The acceptance of another amount is taken back.",
        "Decide anew: accept the amount, or send the money back.",
    ),
    "refund_undone": (
        "bad",
        lambda f: f"The refund {f.get('undone', '')} of {_amount(f)} never left, and is taken back.",
        "The money is here again.",
    ),
    "reversed": (
        "bad",
        lambda f: f"Safaricom gave {_amount(f)} back to the buyer: reversal {f.get('reference', '')}.",
        "The money is gone, so it can't be refunded once more. Look whether the mixes were handed out.",
    ),
    "reversal_ordered": (
        "info",
        lambda f: f"Safaricom is to send {_amount(f)} of receipt {f.get('receipt', '')} back.",
        "It is sent in a moment, once. How far it is stands under Sent back by M-PESA.",
    ),
    "reversal_failed": (
        "bad",
        lambda f: f"Safaricom did not send {_amount(f)} back: {f.get('description', '')}",
        "The money is still here. See what was wrong, then send it back anew, or in the M-PESA portal.",
    ),
    "refund_recorded": (
        "ok",
        lambda f: f"Refund of {_amount(f)} recorded, reference {f.get('reference', '')}.",
        "The money was sent back in the M-PESA portal, not by this desk.",
    ),
}
