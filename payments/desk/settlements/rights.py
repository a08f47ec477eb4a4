"""Which permission each decision about money takes: to decide it, and, as somebody else, to confirm it."""

from collections.abc import Mapping

from payments.models import HandSettlement

What = HandSettlement.What

ATTACH = "payments.attach_money"
SETTLE = "payments.settle_by_hand"

PERMISSIONS: Mapping[HandSettlement.What, str] = {
    What.SETTLE: SETTLE,
    What.CLAIM: ATTACH,
    What.KEEP: ATTACH,
    What.REFUND: "payments.record_refund",
    What.UNDO: "payments.undo_decision",
    What.UNDO_REFUND: "payments.undo_decision",
    What.VOID_LINE: "payments.void_statement",
    What.VOID_FILE: "payments.void_statement",
}


def permission_of(proposal: HandSettlement) -> str:
    if proposal.what == What.SETTLE and proposal.line_id is not None:
        return ATTACH  # money of a statement, attached whole
    return PERMISSIONS[What(proposal.what)]
