"""The book: receipts, postings and refunds. The database keeps each posting as it was written, and of a receipt what was
told; a shop that has taken money before is booked in 0012."""

import django.db.models.deletion
from django.db import migrations, models

from djkraph.migrating import KeepRows, KeepTold, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0003_sums'),
        ('payments', '0008_events_are_kept'),
    ]

    operations = [
        WaitAtMost(),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(help_text="Safaricom's code; empty while it is awaited", max_length=30, null=True)),
                ('direction', models.CharField(choices=[('in', 'Came in'), ('out', 'Went out')], max_length=3)),
                ('kind', models.CharField(choices=[('payment', 'Payment'), ('refund', 'Refund'), ('reversal', 'Reversal'), ('charge', 'Charge'), ('to_bank', 'To the bank'), ('other', 'Other')], max_length=8)),
                ('amount_cents', models.PositiveBigIntegerField(verbose_name='amount (cents)')),
                ('happened_at', models.DateTimeField(help_text="Safaricom's own time, where it named one", null=True)),
                ('short_code', models.CharField(max_length=12)),
                ('account_no', models.CharField(blank=True, help_text='As the payer typed it', max_length=60)),
                ('payer_masked', models.CharField(blank=True, max_length=16)),
                ('told_by', models.CharField(choices=[('push', 'Our request'), ('callback', "Safaricom's callback"), ('query', 'Safaricom asked'), ('clock', 'The clock'), ('statement', 'The M-PESA statement'), ('staff', 'Staff')], max_length=10)),
                ('told_at', models.DateTimeField()),
                ('voided_at', models.DateTimeField(help_text='When it was found never to have been', null=True)),
                ('attempt', models.ForeignKey(help_text='Our request, if any', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='payments.mpesatransaction')),
                ('reverses', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='payments.receipt')),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_cents', models.PositiveBigIntegerField(verbose_name='amount (cents)')),
                ('reference', models.CharField(help_text="M-PESA's code of the refund", max_length=30, unique=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('recorded_by', models.CharField(max_length=150)),
                ('recorded_at', models.DateTimeField()),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.mpesatransaction')),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='Posting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(help_text='Its own, so that no copy of it can be slipped in', max_length=32, unique=True)),
                ('at', models.DateTimeField()),
                ('debit', models.CharField(max_length=40)),
                ('credit', models.CharField(max_length=40)),
                ('amount_cents', models.PositiveBigIntegerField(verbose_name='amount (cents)')),
                ('code', models.CharField(choices=[('paid', 'Paid for an order'), ('unclaimed', "Came, and nobody's yet"), ('claimed', 'Claimed for an order'), ('overpaid', 'More than the order costs'), ('refund_decided', 'To be sent back'), ('refund_sent', 'Sent back'), ('correction', 'A mistake mended')], max_length=16)),
                ('event_number', models.PositiveIntegerField(help_text="Which of its attempt's events brought it", null=True)),
                ('hash', models.CharField(max_length=64)),
                ('key_id', models.CharField(help_text='Which LEDGER_KEY signed it', max_length=8)),
                ('attempt', models.ForeignKey(help_text='Whose event it goes with', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='payments.mpesatransaction')),
                ('mends', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mended_by', to='payments.posting')),
                ('receipt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='payments.receipt')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(condition=models.Q(('voided_at', None)), fields=('code', 'direction'), name='a_receipt_is_one_transaction'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(condition=models.Q(('code', None), ('voided_at', None)), fields=('attempt',), name='one_awaited_receipt_per_attempt'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='a_receipt_has_an_amount'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('direction__in', ('in', 'out'))), name='receipt_direction_is_known'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ('payment', 'refund', 'reversal', 'charge', 'to_bank', 'other'))), name='receipt_kind_is_known'),
        ),
        migrations.AddIndex(
            model_name='posting',
            index=models.Index(fields=['debit', 'id'], include=('amount_cents',), name='posting_debit'),
        ),
        migrations.AddIndex(
            model_name='posting',
            index=models.Index(fields=['credit', 'id'], include=('amount_cents',), name='posting_credit'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='a_posting_moves_something'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('debit', models.F('credit')), _negated=True), name='a_posting_has_two_accounts'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('code__in', ('paid', 'unclaimed', 'claimed', 'overpaid', 'refund_decided', 'refund_sent', 'correction'))), name='posting_code_is_known'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('code', 'correction'), ('mends__isnull', False)), models.Q(models.Q(('code', 'correction'), _negated=True), ('mends', None)), _connector='OR'), name='only_a_correction_mends'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='a_refund_has_an_amount'),
        ),
        KeepRows('Posting'),
        KeepTold(
            'Receipt',
            told=('direction', 'kind', 'amount_cents', 'short_code', 'account_no', 'told_by', 'told_at'),
            once=('code', 'happened_at', 'reverses_id', 'voided_at'),
        ),
    ]
