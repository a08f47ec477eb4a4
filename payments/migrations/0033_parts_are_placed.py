"""A part of a receipt that was claimed for an order, or kept, is a decision too."""

import django.db.models.deletion
from django.db import migrations, models

from djkraph.migrating import AddConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0007_part_paid_are_found'),
        ('payments', '0032_seal_roles'),
    ]

    operations = [
        WaitAtMost(),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='a_settlement_is_of_a_payment_or_of_a_line_for_an_order',
        ),
        migrations.RemoveConstraint(
            model_name='handsettlement',
            name='a_done_settlement_has_its_payment',
        ),
        migrations.AddField(
            model_name='handsettlement',
            name='money',
            field=models.ForeignKey(help_text='The receipt of which a part was claimed or kept', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='payments.receipt'),
        ),
        migrations.AddField(
            model_name='handsettlement',
            name='what',
            field=models.CharField(choices=[('settle', 'Settled, or attached whole'), ('claim', 'A part for an order'), ('keep', 'A part kept')], db_default='settle', default='settle', help_text='What was decided', max_length=6),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(('attempt__isnull', False), models.Q(('line__isnull', False), ('order__isnull', False)), models.Q(('money__isnull', False), ('what__in', ('claim', 'keep'))), _connector='OR'), name='a_settlement_is_of_a_payment_or_of_a_line_for_an_order'),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision', 'done'), _negated=True), ('attempt__isnull', False), ('money__isnull', False), _connector='OR'), name='a_done_settlement_has_its_payment'),
        ),
        AddConstraintWhileOpen(
            model_name='handsettlement',
            constraint=models.CheckConstraint(condition=models.Q(('what__in', ('settle', 'claim', 'keep'))), name='settlement_what_is_known'),
        ),
    ]
