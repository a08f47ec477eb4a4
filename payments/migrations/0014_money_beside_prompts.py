"""Money that came beside any prompt has a receipt of its own, and an order may be paid by several payments."""

import django.db.models.deletion
from django.db import migrations, models

from djkraph.migrating import AddConstraintWhileOpen, KeepRowsAgain, KeepToldAgain, WaitAtMost

KEPT_OF_RECEIPTS = KeepToldAgain(
    'Receipt',
    told=('direction', 'kind', 'amount_cents', 'short_code', 'account_no', 'told_by', 'told_at'),
    once=('code', 'happened_at', 'reverses_id', 'voided_at'),
)


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0013_book_roles'),
    ]

    operations = [
        WaitAtMost(),
        KeepRowsAgain('Posting'),
        KEPT_OF_RECEIPTS,
        migrations.RemoveConstraint(
            model_name='mpesatransaction',
            name='one_paying_attempt_per_order',
        ),
        migrations.RemoveConstraint(
            model_name='posting',
            name='posting_code_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='receipt',
            name='a_receipt_is_one_transaction',
        ),
        migrations.AddField(
            model_name='mpesatransaction',
            name='due_cents',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='More than its order cost, and not sent yet', verbose_name='to be sent back (cents)'),
        ),
        migrations.AddField(
            model_name='mpesatransaction',
            name='unclaimed',
            field=models.BooleanField(db_default=False, default=False, help_text='Its order took no more money: a person decides'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='due_cents',
            field=models.PositiveBigIntegerField(db_default=0, default=0, verbose_name='to be sent back (cents)'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='unclaimed_cents',
            field=models.PositiveBigIntegerField(db_default=0, default=0, verbose_name='unclaimed (cents)'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='reviewed_at',
            field=models.DateTimeField(help_text='When staff marked it as looked at', null=True),
        ),
        migrations.AddField(
            model_name='receipt',
            name='reviewed_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=150),
        ),
        migrations.AddField(
            model_name='refund',
            name='receipt',
            field=models.ForeignKey(help_text='Whose money it is', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.receipt'),
        ),
        migrations.AddField(
            model_name='refund',
            name='state',
            field=models.CharField(choices=[('sent', 'Sent, not seen yet'), ('seen', 'Seen on the statement'), ('failed', 'It never left')], db_default='sent', default='sent', max_length=6),
        ),
        migrations.AddField(
            model_name='refund',
            name='seen_as',
            field=models.OneToOneField(help_text='As it left', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='seen_refund', to='payments.receipt'),
        ),
        migrations.AlterField(
            model_name='refund',
            name='attempt',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.mpesatransaction'),
        ),
        AddConstraintWhileOpen(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('sent', 'seen', 'failed'))), name='refund_state_is_known'),
        ),
        migrations.AddField(
            model_name='statementline',
            name='booked_as',
            field=models.ForeignKey(db_index=False, help_text='Its receipt in the book, where no payment of ours explains it', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='payments.receipt'),
        ),
        migrations.AlterField(
            model_name='mpesatransaction',
            name='pays_order',
            field=models.BooleanField(default=False, help_text="Its money is its order's"),
        ),
        migrations.AlterField(
            model_name='posting',
            name='code',
            field=models.CharField(choices=[('paid', 'Paid for an order'), ('unclaimed', "Came, and nobody's yet"), ('claimed', 'Claimed for an order'), ('overpaid', 'More than the order costs'), ('refund_decided', 'To be sent back'), ('refund_sent', 'Sent back'), ('reversed', 'Reversed by Safaricom'), ('left', 'Left, and nobody decided it'), ('kept', 'Kept, with a reason'), ('charge', "Safaricom's charge"), ('to_bank', 'Moved to the bank'), ('opening', 'There before the book'), ('correction', 'A mistake mended')], max_length=16),
        ),
        migrations.AlterField(
            model_name='statementline',
            name='match',
            field=models.CharField(blank=True, choices=[('', 'Not matched'), ('receipt', 'By receipt'), ('reference', 'By order code, amount and time'), ('by_hand', 'Attached by staff'), ('booked', 'In the book')], default='', max_length=9),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(condition=models.Q(('voided_at', None)), fields=('code', 'direction', 'kind'), name='a_receipt_is_one_movement'),
        ),
        AddConstraintWhileOpen(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('code__in', ('paid', 'unclaimed', 'claimed', 'overpaid', 'refund_decided', 'refund_sent', 'reversed', 'left', 'kept', 'charge', 'to_bank', 'opening', 'correction'))), name='posting_code_is_known'),
        ),
        KeepRowsAgain('Posting'),
        KEPT_OF_RECEIPTS,
    ]
