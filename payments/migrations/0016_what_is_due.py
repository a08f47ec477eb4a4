"""What is to be sent back stands in cents beside its payment and its receipt, and not only as a role. A refund of a part
is no longer taken for the refund of all, and an order of which less was accepted says how much was let go of."""

from django.db import migrations
from django.db.models import F, Q
from django.db.models.functions import Coalesce

CAME = Coalesce(F("received_kes"), F("amount_kes"))
LEFT = CAME - Coalesce(F("refunded_kes"), 0)


def tell_what_is_due(apps, schema_editor):
    attempts = apps.get_model("payments", "MpesaTransaction").objects.filter(state="completed")
    booked = attempts.filter(Q(pays_order=True) | Q(refund_due=True))
    booked.filter(refunded_kes__lt=CAME).update(refunded_at=None)
    attempts.filter(refund_due=True, refunded_at=None).update(due_cents=100 * LEFT)
    for attempt in attempts.filter(due_cents__gt=0).only("id", "due_cents").iterator():
        attempt.receipts.filter(voided_at=None).update(due_cents=attempt.due_cents)
    for refund in apps.get_model("payments", "Refund").objects.filter(receipt=None).iterator():
        refund.receipt = refund.attempt.receipts.filter(voided_at=None).first()
        refund.save(update_fields=["receipt"])


def tell_what_was_waived(apps, schema_editor):
    orders = apps.get_model("orders", "Order").objects.filter(state="paid")
    orders.filter(received_cents__lt=100 * F("total_kes")).update(
        waived_cents=100 * F("total_kes") - F("received_cents")
    )
    orders.filter(received_cents__gt=0, received_cents=F("returned_cents")).update(state="refunded")


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0006_money_in_parts_hold"),
        ("payments", "0015_money_beside_prompts_found"),
    ]

    operations = [
        migrations.RunPython(tell_what_is_due, migrations.RunPython.noop),
        migrations.RunPython(tell_what_was_waived, migrations.RunPython.noop),
    ]
