"""The database refuses a value that is no choice. First mended: the channel of money that was claimed by hand, which was
stored by the name of our own word for it and stopped the report of its day."""

from django.db import migrations, models

from djkraph.migrating import AddConstraintWhileOpen, KeepRowsAgain, KeepToldAgain, WaitAtMost

KEPT_OF_RECEIPTS = KeepToldAgain(
    'Receipt',
    told=('direction', 'kind', 'amount_cents', 'short_code', 'account_no', 'told_by', 'told_at'),
    once=('code', 'happened_at', 'reverses_id', 'voided_at'),
)
SOURCES = ('push', 'callback', 'query', 'clock', 'statement', 'staff')
STATES = ('created', 'pending', 'unknown', 'completed', 'failed', 'expired')
VERDICTS = (
    'received', 'applied', 'repeated', 'hint', 'unknown_token', 'wrong_id', 'wrong_amount', 'receipt_taken', 'unreadable',
)
CHANNELS = {'PAYBILL': 'CustomerPayBillOnline', 'TILL': 'CustomerBuyGoodsOnline'}


def mend_channels(apps, schema_editor):
    attempts = apps.get_model('payments', 'MpesaTransaction').objects
    for name, channel in CHANNELS.items():
        attempts.filter(channel=f'TransactionType.{name}').update(channel=channel)


def known(model_name, name, **choices):
    return AddConstraintWhileOpen(
        model_name=model_name,
        constraint=models.CheckConstraint(condition=models.Q(**choices), name=name),
    )


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0026_search_by_ends'),
    ]

    operations = [
        WaitAtMost(),
        KeepRowsAgain('PaymentEvent'),
        KEPT_OF_RECEIPTS,
        migrations.RunPython(mend_channels, migrations.RunPython.noop),
        known('mpesatransaction', 'attempt_channel_is_known', channel__in=tuple(CHANNELS.values())),
        known('callbackdelivery', 'delivery_verdict_is_known', verdict__in=VERDICTS),
        known('handsettlement', 'settlement_decision_is_known', decision__in=('waiting', 'done', 'declined')),
        known('handsettlement', 'settlement_evidence_is_known', evidence__in=('sms', 'portal', 'statement', 'safaricom')),
        known('paymentevent', 'event_source_is_known', source__in=SOURCES),
        known('paymentevent', 'event_state_is_known', to_state__in=list(STATES)),
        known('receipt', 'receipt_source_is_known', told_by__in=SOURCES),
        known('statementline', 'line_kind_is_known', kind__in=('payment', 'charge', 'sweep', 'reversal', 'other')),
        known('statementline', 'line_match_is_known', match__in=('', 'receipt', 'reference', 'by_hand', 'booked', 'void')),
        KeepRowsAgain('PaymentEvent'),
        KEPT_OF_RECEIPTS,
    ]
