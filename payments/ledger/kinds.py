"""Every kind of event that an attempt's history can hold, and what each says. Drawn into docs/events.md by
`manage.py event_kinds`. Words for people are the desk's (desk/payments/timeline.py)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from payments.states import Event


class EventKind(StrEnum):
    """As it stands in PaymentEvent.kind. A kind is never renamed: rows hold it."""

    CREATED = "created"
    # what moves an attempt (states.Event), and the same once more where it brings nothing but an id
    ACCEPTED = Event.ACCEPTED.value
    REFUSED = Event.REFUSED.value
    ANSWER_LOST = Event.ANSWER_LOST.value
    CONFIRMED = Event.CONFIRMED.value
    DECLINED = Event.DECLINED.value
    EXPIRED = Event.EXPIRED.value
    UNDONE = Event.UNDONE.value
    ACCEPTED_AGAIN = "accepted_again"
    REFUSED_AGAIN = "refused_again"
    ANSWER_LOST_AGAIN = "answer_lost_again"
    CONFIRMED_AGAIN = "confirmed_again"
    DECLINED_AGAIN = "declined_again"
    EXPIRED_AGAIN = "expired_again"
    UNDONE_AGAIN = "undone_again"
    # what is learned of money that had come
    RECEIPT_LEARNED = "receipt_learned"
    AMOUNT_CONFIRMED = "amount_confirmed"
    AMOUNT_ACCEPTED = "amount_accepted"
    STATEMENT_DIFFERS = "statement_differs"
    REVERSED = "reversed"
    # what people or a statement had said, taken back
    RECEIPT_UNLEARNED = "receipt_unlearned"
    AMOUNT_DOUBTED = "amount_doubted"
    REFUND_UNDONE = "refund_undone"
    # what was said and not believed
    AMOUNT_DIFFERS = "amount_differs"
    AMOUNT_MISSING = "amount_missing"
    NOT_FINAL = "not_final"
    RECEIPT_TAKEN = "receipt_taken"
    # our own questions
    ASKED = "asked"
    GIVEN_UP = "given_up"
    # what people do
    STAFF_ASKED = "staff_asked"
    NOTE = "note"
    REVIEWED = "looked_at"
    DELIVERY_READ = "delivery_read"
    SETTLEMENT_PROPOSED = "settlement_proposed"
    SETTLEMENT_DECLINED = "settlement_declined"
    REFUND_RECORDED = "refund_recorded"
    # money that Safaricom is to send back by our order; that it went is REVERSED
    REVERSAL_ORDERED = "reversal_ordered"
    REVERSAL_FAILED = "reversal_failed"


@dataclass(frozen=True, kw_only=True)
class Carries:
    """What the facts of one kind may hold. All of them are text; amounts are shillings, times ISO 8601.

    `becomes`: of these facts, those that are the attempt's own from then on (ledger/verify.py tells them again). One
    that is there and empty takes back what was said before.
    """

    what: str
    facts: frozenset[str]
    becomes: frozenset[str] = frozenset()


# what each fact holds, wherever it stands
FACTS: Mapping[str, str] = MappingProxyType(
    {
        "amount": "shillings, as the source names them",
        "by": "user name of who did it",
        "code": "Daraja's ResultCode or errorCode, or our own word for a failure",
        "confirmed_by": "user name of the second person",
        "delivery": "number of the callback in the inbox",
        "description": "Safaricom's own words",
        "evidence": "what a person's word rests on",
        "order": "code of the order",
        "order_total": "shillings that the order costs",
        "outcome": "what asking came to",
        "paid_at": "Safaricom's time of the payment",
        "phone": "sha256 of the salt in the attempt's row and the phone's hash: binds to it, and tells nothing without",
        "reason": "why, in the person's words",
        "receipt": "M-PESA's code of the payment",
        "reference": "M-PESA's code of the refund or the reversal",
        "refused": "`set-up`: keys, token, passkey or short code were refused, which no buyer can mend",
        "role": "`pays_order`; `refund_due` where the order was paid already; `unclaimed` where it takes no more money",
        "short_code": "who was to be paid",
        "text": "a note",
        "undone": "M-PESA's code of the refund that is taken back",
        "unasked": "`yes`: made by hand for money that no request of ours explains",
        "verdict": "what became of the callback",
        "what": "which kind of decision it is",
    }
)

_TOLD = frozenset({"code", "description", "receipt", "amount", "paid_at"})
_PERSON = frozenset({"by", "confirmed_by", "evidence", "reason"})
_MONEY = frozenset({"receipt", "role", "reference"})


def _moves(what: str, *facts: str, becomes: frozenset[str] = frozenset()) -> Carries:
    return Carries(what=what, facts=_TOLD | _PERSON | {*facts, *becomes}, becomes=becomes)


def _says(what: str, *facts: str, becomes: frozenset[str] = frozenset()) -> Carries:
    return Carries(what=what, facts=frozenset(facts) | becomes, becomes=becomes)


K = EventKind

KINDS: Mapping[EventKind, Carries] = MappingProxyType(
    {
        K.CREATED: _says(
            "The attempt was noted, before anything was sent",
            "amount",
            "order",
            "order_total",
            "short_code",
            "phone",
            "unasked",
            *_PERSON,
        ),
        K.ACCEPTED: _moves("Safaricom took the request"),
        K.REFUSED: _moves("Safaricom refused the request: the phone was not asked", "refused"),
        K.ANSWER_LOST: _moves("No usable answer to the request: the phone may be ringing"),
        K.CONFIRMED: _moves("It is paid", becomes=_MONEY),
        K.DECLINED: _moves("It is not paid, and that is final"),
        K.EXPIRED: _moves("Given up waiting"),
        K.UNDONE: _says("A settlement, or what a statement said, is taken back", *_PERSON, becomes=_MONEY),
        K.ACCEPTED_AGAIN: _moves("As accepted, where that moves nothing any more"),
        K.REFUSED_AGAIN: _moves("As refused, where that moves nothing any more", "refused"),
        K.ANSWER_LOST_AGAIN: _moves("As answer_lost, where that moves nothing any more"),
        K.CONFIRMED_AGAIN: _moves("As confirmed, where that moves nothing any more"),
        K.DECLINED_AGAIN: _moves("As declined, where that moves nothing any more"),
        K.EXPIRED_AGAIN: _moves("As expired, where that moves nothing any more"),
        K.UNDONE_AGAIN: _says("As undone, where that moves nothing any more", *_PERSON),
        K.RECEIPT_LEARNED: _moves("The receipt of money that was known to have come", becomes=_MONEY),
        K.AMOUNT_CONFIRMED: _moves(
            "The amount was doubted, and is the one asked for", becomes=frozenset({"role"})
        ),
        K.AMOUNT_ACCEPTED: _says(
            "A person accepts another amount than was asked for",
            "amount",
            *_PERSON,
            becomes=frozenset({"role"}),
        ),
        K.STATEMENT_DIFFERS: _says(
            "The statement names another amount than was held",
            "receipt",
            "amount",
            *_PERSON,
            becomes=frozenset({"role"}),
        ),
        K.RECEIPT_UNLEARNED: _says(
            "The receipt of money that came was a wrong one, and is awaited again", *_PERSON, becomes=_MONEY
        ),
        K.AMOUNT_DOUBTED: _says(
            "The acceptance of another amount is taken back", *_PERSON, becomes=frozenset({"role"})
        ),
        K.REFUND_UNDONE: _says(
            "A refund that was recorded never left",
            "amount",
            "undone",
            *_PERSON,
            becomes=frozenset({"reference"}),
        ),
        K.REVERSED: _says(
            "Safaricom gave its money back", "receipt", "amount", becomes=frozenset({"reference"})
        ),
        K.AMOUNT_DIFFERS: _says("A callback named another amount than was asked for", *_TOLD),
        K.AMOUNT_MISSING: _says("A callback said paid and named no amount", *_TOLD),
        K.NOT_FINAL: _says("A callback with a code that ends nothing", *_TOLD),
        K.RECEIPT_TAKEN: _says("A callback named a receipt that is another payment's", *_TOLD),
        K.ASKED: _says("Safaricom was asked and did not say", "code", "description"),
        K.GIVEN_UP: _says("No answer for three days: Safaricom is asked no more", "description"),
        K.STAFF_ASKED: _says("A person had Safaricom asked", "outcome", "by"),
        K.NOTE: _says("A person's note", "text", "by"),
        K.REVIEWED: _says("A person has looked at it, and that was all it needed", "by"),
        K.DELIVERY_READ: _says("A stored callback was read once more", "delivery", "verdict", "by"),
        K.SETTLEMENT_PROPOSED: _says(
            "A decision about its money waits for a second person",
            "what",
            "receipt",
            "amount",
            "evidence",
            "reason",
            "by",
        ),
        K.SETTLEMENT_DECLINED: _says(
            "A decision that waited was declined; without `by`: it came to nothing",
            "what",
            "receipt",
            "reason",
            "by",
        ),
        K.REFUND_RECORDED: _says(
            "A refund made in the portal was recorded",
            "amount",
            "reason",
            "by",
            "confirmed_by",
            becomes=frozenset({"reference"}),
        ),
        K.REVERSAL_ORDERED: _says(
            "Safaricom is to send its money back", "receipt", "amount", "reason", "by", "confirmed_by"
        ),
        K.REVERSAL_FAILED: _says(
            "Safaricom did not send its money back",
            "receipt",
            "amount",
            "code",
            "description",
            "by",
            "confirmed_by",
        ),
    }
)


def again(event: Event) -> EventKind:
    """The kind of an event that was said once more."""
    return EventKind(f"{event}_again")
