"""What staff type, checked as far as one field can tell. Whether it makes sense for the payment, manual/ says."""

from typing import Any

from django import forms

from orders.models import MAX_TOTAL_KES
from payments.manual import Settlement
from payments.models import HandSettlement

SAY_WHY = "Say it so that a colleague understands it in a year."


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Note",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write the note first."},
    )


class DeclineForm(forms.Form):
    why = forms.CharField(
        label="Why not", min_length=5, max_length=300, error_messages={"required": "Say why."}
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
    reason = forms.CharField(
        label="Why by hand?",
        min_length=10,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=SAY_WHY,
        error_messages={
            "required": "Give the reason.",
            "min_length": "Give the reason in a few words more (10 letters at least).",
        },
    )

    def claim(self) -> Settlement:
        told: dict[str, Any] = self.cleaned_data
        return Settlement(
            receipt=told["receipt"],
            amount_kes=told["amount_kes"],
            evidence=told["evidence"],
            reason=told["reason"],
            accepts_amount=told["accepts_amount"],
        )


class RefundForm(forms.Form):
    reference = forms.RegexField(
        label="Reference of the refund",
        regex=r"^\s*[A-Za-z0-9-]{6,30}\s*$",
        help_text="The receipt of the reversal or payment in the M-PESA portal.",
        error_messages={
            "required": "Type the portal's reference. Without one a refund is not recorded.",
            "invalid": "A reference has 6 to 30 letters and digits.",
        },
    )
    amount_kes = forms.IntegerField(label="Amount sent back (KES)", min_value=1, max_value=MAX_TOTAL_KES)
    reason = forms.CharField(
        label="Why",
        min_length=5,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=SAY_WHY,
        error_messages={"required": "Give the reason."},
    )


class UploadForm(forms.Form):
    """A statement. What is in it, its content decides; the name may be anything."""

    file = forms.FileField(
        label="The file",
        allow_empty_file=True,  # the reader says what is wrong with it
        max_length=200,
        help_text="As the M-PESA organisation portal exported it: .csv, .xls or .xlsx, at most 50 MB.",
        error_messages={"required": "Choose the file first."},
    )


class AttachForm(forms.Form):
    """Money of a statement's line, for an order."""

    target = forms.CharField(
        label="Order code, or payment's id",
        max_length=100,
        help_text="The code on the buyer's phone, like DK34679ACD. A payment's id works too.",
        error_messages={"required": "Type the order's code."},
    )
    accepts_amount = forms.BooleanField(
        label="If the amount is another than the order's, the order counts as paid all the same",
        required=False,
    )
    reason = forms.CharField(
        label="How do you know?",
        min_length=10,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=SAY_WHY,
        error_messages={
            "required": "Give the reason.",
            "min_length": "Give the reason in a few words more (10 letters at least).",
        },
    )
