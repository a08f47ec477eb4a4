"""What staff type, checked as far as one field can tell. Whether it makes sense for the payment, manual/ says."""

from typing import Any

from django import forms

from orders.models import MAX_TOTAL_KES
from payments.desk.settlements import reason_field
from payments.manual import Settlement
from payments.models import HandSettlement


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Note",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write the note first."},
    )


class SettleForm(forms.Form):
    """Settle by hand: nothing is taken without a receipt, the evidence and a reason."""

    receipt = forms.CharField(
        label="M-PESA receipt",
        max_length=30,
        help_text="10 letters and digits at the start of the customer's message, like UKN4AB12CD.",
        error_messages={"required": "Type the receipt. Without one a payment is not settled by hand."},
    )
    amount_kes = forms.IntegerField(
        label="Amount in the message (KES)",
        min_value=1,
        max_value=MAX_TOTAL_KES,
        help_text="Whole shillings.",
    )
    accepts_amount = forms.BooleanField(
        label="The amount is another than we asked for, and the order counts as paid all the same",
        required=False,
    )
    evidence = forms.ChoiceField(
        label="Where did you see it?",
        choices=[("", "Choose …"), *HandSettlement.Evidence.choices],
        error_messages={"required": "Choose where you saw that it was paid."},
    )
    reason = reason_field("Why by hand?", at_least=10)

    def claim(self) -> Settlement:
        told: dict[str, Any] = self.cleaned_data
        return Settlement(
            receipt=told["receipt"],
            amount_kes=told["amount_kes"],
            evidence=told["evidence"],
            reason=told["reason"],
            accepts_amount=told["accepts_amount"],
        )
