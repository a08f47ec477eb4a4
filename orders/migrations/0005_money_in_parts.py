"""An order is paid in parts, less may be accepted, and what was paid may all have gone back."""

from django.db import migrations, models

from djkraph.migrating import AddConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0004_sums_hold'),
    ]

    operations = [
        WaitAtMost(),
        migrations.RemoveConstraint(
            model_name='order',
            name='order_is_paid_at_a_time',
        ),
        migrations.AddField(
            model_name='order',
            name='waived_cents',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='What a person let go of: less was accepted', verbose_name='waived (cents)'),
        ),
        migrations.AlterField(
            model_name='order',
            name='state',
            field=models.CharField(choices=[('open', 'Not paid'), ('paid', 'Paid'), ('refunded', 'Paid, and all of it sent back')], default='open', max_length=8),
        ),
        AddConstraintWhileOpen(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('paid_at__isnull', False), ('state__in', ('paid', 'refunded'))), models.Q(('paid_at__isnull', True), ('state', 'open')), _connector='OR'), name='order_is_paid_at_a_time'),
        ),
    ]
