"""Which permission each decision about money takes: to decide it, and, as somebody else, to confirm it. Drawn into
docs/money-rights.md by `manage.py money_rights`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from payments.models import HandSettlement

What = HandSettlement.What

ATTACH = "payments.attach_money"
SETTLE = "payments.settle_by_hand"

PERMISSIONS: Mapping[HandSettlement.What, str] = {
    What.SETTLE: SETTLE,
    What.CLAIM: ATTACH,
    What.KEEP: ATTACH,
    What.REFUND: "payments.record_refund",
    What.SEND_BACK: "payments.record_refund",
    What.NEVER_WENT: "payments.undo_decision",
    What.UNDO: "payments.undo_decision",
    What.UNDO_REFUND: "payments.undo_decision",
    What.VOID_LINE: "payments.void_statement",
    What.VOID_FILE: "payments.void_statement",
}


def permission_of(proposal: HandSettlement) -> str:
    if proposal.what == What.SETTLE and proposal.line_id is not None:
        return ATTACH  # money of a statement, attached whole
    return PERMISSIONS[What(proposal.what)]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One thing at the desk that moves money, or decides what does. `has_limit`: it counts in its person's day, and
    waits for a second person above it."""

    name: str
    label: str
    permission: str
    has_limit: bool = True


def _deed(name: str, label: str, what: HandSettlement.What) -> Deed:
    return Deed(name=name, label=label, permission=PERMISSIONS[what])


DEEDS: Sequence[Deed] = (
    _deed("settle", "Settle by hand, also with another amount than was asked", What.SETTLE),
    Deed(name="attach", label="Attach money of a statement to an order, all of it", permission=ATTACH),
    _deed("claim", "Give a part of a receipt to an order", What.CLAIM),
    _deed("keep", "Keep a part of a receipt", What.KEEP),
    _deed("refund", "Record a refund", What.REFUND),
    _deed("send_back", "Have Safaricom send money back", What.SEND_BACK),
    _deed("send_back_beside", "The same of money that came beside any request", What.SEND_BACK),
    _deed("never_went", "Say that money which Safaricom was to send back never went", What.NEVER_WENT),
    _deed("undo", "Take back a decision", What.UNDO),
    _deed("undo_refund", "Say that a recorded refund never left", What.UNDO_REFUND),
    _deed("refund_beside", "Record a refund of money that came beside any request", What.REFUND),
    _deed("undo_refund_beside", "Say that such a refund never left", What.UNDO_REFUND),
    _deed("void_line", "Void a line of a statement, and with it its receipt", What.VOID_LINE),
    _deed("void_file", "Void a statement", What.VOID_FILE),
    Deed(
        name="import",
        label="Upload a statement and match it",
        permission="payments.import_statement",
        has_limit=False,
    ),
    Deed(
        name="replay",
        label="Read a stored callback once more",
        permission="payments.replay_delivery",
        has_limit=False,
    ),
)
