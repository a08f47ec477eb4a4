"""Whatever people decide about money is a decision of one kind, and counts in its person's day."""

import django.db.models.deletion
from django.db import migrations, models

from djkraph.migrating import AddConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0007_part_paid_are_found'),
        ('payments', '0040_alert_roles'),
    ]

    operations = [
        WaitAtMost(),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='a_decided_settlement_names_who',
        ),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='settlement_decision_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='settlement_evidence_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='a_settlement_is_of_a_payment_or_of_a_line_for_an_order',
        ),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='a_done_settlement_has_its_payment',
        ),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='settlement_what_is_known',
        ),
        migrations.AddField(
            model_name='handsettlement',
            name='counts_kes',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text="What it counts for in its person's day (KES)"),
        ),
        migrations.AddField(
            model_name='handsettlement',
            name='of_event',
            field=models.PositiveIntegerField(help_text="The payment's event that is taken back: what comes later is another decision", null=True),
        ),
        migrations.AddField(
            model_name='handsettlement',
            name='reference',
            field=models.CharField(blank=True, db_default='', default='', help_text="M-PESA's code of the refund to be recorded", max_length=30),
        ),
        migrations.AddField(
            model_name='handsettlement',
            name='refund',
            field=models.ForeignKey(help_text='Taken back', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='payments.refund'),
        ),
        migrations.AddField(
            model_name='handsettlement',
            name='statement',
            field=models.ForeignKey(help_text='Voided', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='payments.statement'),
        ),
        migrations.AlterField(
            model_name='handsettlement',
            name='money',
            field=models.ForeignKey(help_text='The receipt of which a part was claimed, kept or sent back', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='payments.receipt'),
        ),
        migrations.AlterField(
            model_name='handsettlement',
            name='decision',
            field=models.CharField(choices=[('waiting', 'Waits for a second person'), ('done', 'Done'), ('declined', 'Declined'), ('closed', 'Came to nothing')], default='waiting', max_length=8),
        ),
        migrations.AlterField(
            model_name='handsettlement',
            name='evidence',
            field=models.CharField(choices=[('sms', "The customer's M-PESA message"), ('portal', 'The M-PESA organisation portal'), ('statement', 'The M-PESA statement'), ('safaricom', "Safaricom's word by phone or e-mail"), ('reason', 'The reason given')], max_length=10),
        ),
        migrations.AlterField(
            model_name='handsettlement',
            name='what',
            field=models.CharField(choices=[('settle', 'Settled, or attached whole'), ('claim', 'A part for an order'), ('keep', 'A part kept'), ('refund', 'Refund recorded'), ('undo', 'A decision taken back'), ('undo_refund', 'Refund never left'), ('void_line', "A statement's line voided"), ('void_file', 'A statement voided')], db_default='settle', default='settle', help_text='What was decided', max_length=12),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(('decision__in', ('waiting', 'done', 'declined', 'closed'))), name='settlement_decision_is_known'),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(('evidence__in', ('sms', 'portal', 'statement', 'safaricom', 'reason'))), name='settlement_evidence_is_known'),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(('attempt__isnull', False), models.Q(('line__isnull', False), ('order__isnull', False)), models.Q(('money__isnull', False), ('what__in', ('claim', 'keep', 'refund'))), models.Q(('refund__isnull', False), ('what', 'undo_refund')), models.Q(('line__isnull', False), ('what', 'void_line')), models.Q(('statement__isnull', False), ('what', 'void_file')), _connector='OR'), name='a_settlement_is_of_a_payment_or_of_a_line_for_an_order'),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision', 'done'), ('what', 'settle'), _negated=True), ('attempt__isnull', False), _connector='OR'), name='a_done_settlement_has_its_payment'),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(('what__in', ('settle', 'claim', 'keep', 'refund', 'undo', 'undo_refund', 'void_line', 'void_file'))), name='settlement_what_is_known'),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', ''), ('decision', 'waiting')), models.Q(('decision__in', ('done', 'declined')), models.Q(('decided_by', ''), _negated=True), ('decided_at__isnull', False)), models.Q(('decided_at__isnull', False), ('decision', 'closed')), _connector='OR'), name='a_decided_settlement_names_who'),
        ),
    ]
