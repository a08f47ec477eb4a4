"""What a decision about money says in words: what somebody wants, and what came of it."""

from payments.desk.words import kes
from payments.models import HandSettlement

What, Decision = HandSettlement.What, HandSettlement.Decision

CONFIRMED = {
    What.SETTLE: "Confirmed: the payment is settled.",
    What.CLAIM: "Confirmed: this money is the order's now.",
    What.KEEP: "Confirmed: this money is kept.",
    What.REFUND: "Confirmed: the refund is recorded.",
    What.SEND_BACK: "Confirmed: Safaricom is being asked to send it back.",
    What.NEVER_WENT: "Confirmed: the money counts as here.",
    What.UNDO: "Confirmed: the decision is taken back.",
    What.UNDO_REFUND: "Confirmed: the refund is taken back, its money is here again.",
    What.VOID_LINE: "Confirmed: the line counts no more.",
    What.VOID_FILE: "Confirmed: what only this statement said is taken back. Its page shows what still counts.",
}

OF_A_RECEIPT = {
    What.KEEP: "wants the shop to keep {amount} of receipt {receipt}.",
    What.SEND_BACK: "wants Safaricom to send {amount} of receipt {receipt} back to the customer.",
    What.NEVER_WENT: "says: {amount} of receipt {receipt} that Safaricom was to send back never went.",
}


def outcome(decision: HandSettlement, done: str) -> str:
    """What to tell the person who has just decided: `done`, unless it waits for somebody else."""
    return second_person_needed(decision) if decision.decision == Decision.WAITING else done


def second_person_needed(decision: HandSettlement) -> str:
    return f"{kes(decision.counts_kes)} is more than you may still decide alone today: a second one must confirm it."


def confirmed(proposal: HandSettlement) -> str:
    return CONFIRMED[What(proposal.what)]


def wanted(proposal: HandSettlement) -> str:
    """What its proposer says, as a sentence after the name."""
    amount, receipt = kes(proposal.amount_kes), proposal.receipt
    if proposal.what in OF_A_RECEIPT:
        return OF_A_RECEIPT[What(proposal.what)].format(amount=amount, receipt=receipt)
    match What(proposal.what):
        case What.SETTLE if proposal.line_id is not None:
            asks = f", which asks for {kes(proposal.order.total_kes)}" if proposal.order else ""
            return f"says: {amount}, receipt {receipt}, is for order {_order(proposal)}{asks}."
        case What.SETTLE:
            seen = proposal.get_evidence_display()
            return f"says of order {_order(proposal)}: {amount}, receipt {receipt}, seen in: {seen}."
        case What.CLAIM:
            return f"wants to give {amount} of receipt {receipt} to order {_order(proposal)}."
        case What.REFUND if proposal.attempt is None:
            return f"says: {amount} of receipt {receipt} were sent back with reference {proposal.reference}."
        case What.REFUND:
            return f"says: {amount} of order {_order(proposal)} were sent back with reference {proposal.reference}."
        case What.UNDO:
            return f"wants to take back what was decided about {amount} of order {_order(proposal)}."
        case What.UNDO_REFUND:
            return f"says: the refund {proposal.reference} of {amount} never left."
        case What.VOID_LINE:
            return (
                f"says: the statement's line of receipt {receipt} is not to be believed. {amount} rest on it."
            )
        case _:
            return f"says: the statement {proposal.statement} is not to be believed. {amount} rest on it."


def warning(proposal: HandSettlement) -> str:
    """What a second person must not overlook."""
    if not proposal.accepts_amount:
        return ""
    if proposal.attempt is not None and proposal.attempt.amount_kes == proposal.amount_kes:
        return ""
    return "This is another amount than we asked for; the order would count as paid."


def _order(proposal: HandSettlement) -> str:
    if proposal.order is not None:
        return proposal.order.code
    return proposal.attempt.account_reference if proposal.attempt is not None else "?"
