"""What an order received and gave back, as the book has it."""

from django.db import migrations, models

from djkraph.migrating import AddConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0002_search'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name='order',
            name='received_cents',
            field=models.PositiveBigIntegerField(db_default=0, default=0, verbose_name='received (cents)'),
        ),
        migrations.AddField(
            model_name='order',
            name='returned_cents',
            field=models.PositiveBigIntegerField(db_default=0, default=0, verbose_name='returned (cents)'),
        ),
        AddConstraintWhileOpen(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('returned_cents__lte', models.F('received_cents'))), name='order_returns_no_more_than_it_got'),
        ),
    ]
