"""Orders to Safaricom to send money back; and the decisions that lead to them."""

import django.db.models.deletion
from django.db import migrations, models

from djkraph.migrating import AddConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0010_catalogue'),
        ('payments', '0045_searched_by_how_they_begin'),
    ]

    operations = [
        WaitAtMost(),
        migrations.CreateModel(
            name='Reversal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('receipt', models.ForeignKey(help_text='Whose money it is', on_delete=django.db.models.deletion.PROTECT, related_name='ordered_back', to='payments.receipt')),
                ('went_as', models.ForeignKey(help_text='As it left', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.receipt')),
                ('amount_kes', models.PositiveIntegerField(verbose_name='amount (KES)')),
                ('reason', models.CharField(max_length=300)),
                ('decided_by', models.CharField(max_length=150)),
                ('confirmed_by', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('due', 'Decided, not sent yet'), ('sending', 'Being sent'), ('asked', 'Safaricom took the order'), ('unknown', 'No answer: checking'), ('done', 'The money went back'), ('refused', 'It did not go back')], db_default='due', default='due', max_length=8)),
                ('token_hash', models.CharField(max_length=64, null=True, unique=True)),
                ('look_token_hash', models.CharField(max_length=64, null=True, unique=True)),
                ('sent_at', models.DateTimeField(help_text='When it left; it leaves once', null=True)),
                ('originator_conversation_id', models.CharField(blank=True, max_length=128)),
                ('conversation_id', models.CharField(blank=True, max_length=128)),
                ('code', models.CharField(blank=True, help_text="Safaricom's ResultCode or errorCode", max_length=40)),
                ('words', models.CharField(blank=True, max_length=300, verbose_name="Safaricom's words")),
                ('next_look_at', models.DateTimeField(help_text='When it is sent, or looked for, next', null=True)),
                ('looks', models.PositiveIntegerField(default=0, help_text='How often it was looked for')),
                ('ended_at', models.DateTimeField(null=True)),
                ('reviewed_at', models.DateTimeField(help_text='When staff marked its failure as looked at', null=True)),
                ('reviewed_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('next_look_at__isnull', False)), fields=['next_look_at'], name='reversal_next'), models.Index(condition=models.Q(('reviewed_at', None), ('state', 'refused')), fields=['ended_at'], name='reversal_failed')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'refused'), _negated=True), fields=('receipt',), name='a_receipt_goes_back_by_one_order'), models.CheckConstraint(condition=models.Q(('amount_kes__gt', 0)), name='a_reversal_has_an_amount'), models.CheckConstraint(condition=models.Q(('state__in', ('due', 'sending', 'asked', 'unknown', 'done', 'refused'))), name='reversal_state_is_known'), models.CheckConstraint(condition=models.Q(('state__in', ('due', 'refused')), ('sent_at__isnull', False), _connector='OR'), name='what_left_was_sent_at_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), ('went_as__isnull', False), _connector='OR'), name='what_is_done_names_its_receipt')],
            },
        ),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='a_settlement_is_of_a_payment_or_of_a_line_for_an_order',
        ),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='settlement_what_is_known',
        ),
        migrations.AlterField(
            model_name='handsettlement',
            name='what',
            field=models.CharField(choices=[('settle', 'Settled, or attached whole'), ('claim', 'A part for an order'), ('keep', 'A part kept'), ('refund', 'Refund recorded'), ('send_back', 'Sent back by M-PESA'), ('never_went', 'Never sent back'), ('undo', 'A decision taken back'), ('undo_refund', 'Refund never left'), ('void_line', "A statement's line voided"), ('void_file', 'A statement voided')], db_default='settle', default='settle', help_text='What was decided', max_length=12),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(('attempt__isnull', False), models.Q(('line__isnull', False), ('order__isnull', False)), models.Q(('money__isnull', False), ('what__in', ('claim', 'keep', 'refund', 'send_back', 'never_went'))), models.Q(('refund__isnull', False), ('what', 'undo_refund')), models.Q(('line__isnull', False), ('what', 'void_line')), models.Q(('statement__isnull', False), ('what', 'void_file')), _connector='OR'), name='a_settlement_is_of_a_payment_or_of_a_line_for_an_order'),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(('what__in', ('settle', 'claim', 'keep', 'refund', 'send_back', 'never_went', 'undo', 'undo_refund', 'void_line', 'void_file'))), name='settlement_what_is_known'),
        ),
    ]
