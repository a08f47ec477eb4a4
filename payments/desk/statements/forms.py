"""What staff bring: a statement's file, and whose the money of a line is."""

from django import forms

from payments.desk.settlements import reason_field


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
    reason = reason_field("How do you know?", at_least=10)
