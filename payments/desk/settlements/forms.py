"""What staff type wherever money is settled by hand: why, and why not."""

from django import forms


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
