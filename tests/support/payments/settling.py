"""What people settle by hand: the evidence in their hands, and a payment that needs them."""

from payments.manual import Settlement
from payments.models import MpesaTransaction
from payments.states import State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja, paid_answer
from tests.support.payments.paying import Click, called_back

SMS = Settlement(
    receipt="UKN4AB12CD", amount_kes=1500, evidence="sms", reason="The customer read the message to me."
)


def wrong_amount(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    """A callback named KES 1,000 for KES 1,500, and Safaricom, asked, says it is paid."""
    from payments import enquiries

    attempt = click()
    called_back(safaricom, clock, amount=1000)
    clock.advance(minutes=10)
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.pays_order, attempt.amount_differs) == (State.COMPLETED, False, True)
    return attempt
