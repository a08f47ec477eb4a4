"""Attempts that were given up before say so too; and the ways to what needs a person, made while payments go on."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, WaitAtMost


def tell_what_was_given_up(apps, schema_editor):
    attempts = apps.get_model("payments", "MpesaTransaction").objects
    events = apps.get_model("payments", "PaymentEvent").objects.filter(kind="given_up").order_by("id")
    for attempt_id, at in events.values_list("attempt_id", "at").iterator():
        attempts.filter(id=attempt_id).update(given_up_at=at)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('payments', '0030_given_up'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        migrations.RunPython(tell_what_was_given_up, migrations.RunPython.noop),
        AddIndexWhileOpen(
            model_name='mpesatransaction',
            index=models.Index(condition=models.Q(('state__in', ['failed', 'expired']), ('given_up_at__isnull', False), ('reviewed_at', None)), fields=['-id'], name='attempt_needs_given_up'),
        ),
        AddIndexWhileOpen(
            model_name='mpesatransaction',
            index=models.Index(condition=models.Q(('state', 'completed'), ('came_late', True), ('pays_order', True), ('reviewed_at', None)), fields=['-id'], name='attempt_needs_late_success'),
        ),
        AddIndexWhileOpen(
            model_name='refund',
            index=models.Index(condition=models.Q(('state', 'sent')), fields=['recorded_at'], name='refund_sent'),
        ),
    ]
