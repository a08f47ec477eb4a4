"""A payment may go back in parts: it has refunds before all of it went back."""

from django.db import migrations, models

from djkraph.migrating import AddConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0009_book'),
    ]

    operations = [
        WaitAtMost(),
        migrations.RemoveConstraint(
            model_name='mpesatransaction',
            name='only_money_that_came_is_refunded',
        ),
        migrations.AlterField(
            model_name='mpesatransaction',
            name='refunded_at',
            field=models.DateTimeField(help_text='When the last of its money was recorded as sent back', null=True),
        ),
        AddConstraintWhileOpen(
            model_name='mpesatransaction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('refund_reference', None), ('refunded_at', None), ('refunded_kes', None)), models.Q(('refund_reference__isnull', False), ('refunded_kes__gte', 1), ('state', 'completed')), _connector='OR'), name='only_money_that_came_is_refunded'),
        ),
    ]
