"""What staff type wherever money is decided by hand: what was sent back, why, and why not."""

from django import forms

from orders.models import MAX_TOTAL_KES


def reason_field(label: str, *, at_least: int, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        min_length=at_least,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": rows}),
        help_text="Say it so that a colleague understands it in a year.",
        error_messages={
            "required": "Give the reason.",
            "min_length": f"Give the reason in a few words more ({at_least} letters at least).",
        },
    )


class DeclineForm(forms.Form):
    why = forms.CharField(
        label="Why not", min_length=5, max_length=300, error_messages={"required": "Say why."}
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
    reason = reason_field("Why", at_least=5, rows=2)


class UndoForm(forms.Form):
    reason = reason_field("Why was it wrong?", at_least=10)
