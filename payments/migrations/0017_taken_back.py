"""What a person or a statement said can be taken back: a voided line is nobody's, and the same may be told anew."""

from django.db import migrations, models

from djkraph.migrating import AddConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0016_what_is_due'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AlterModelOptions(
            name='mpesatransaction',
            options={'ordering': ('-id',), 'permissions': (('ask_safaricom', 'Can ask Safaricom about a payment'), ('write_note', 'Can write a note on a payment'), ('mark_looked_at', 'Can mark a payment as looked at'), ('settle_by_hand', 'Can settle a payment by hand'), ('record_refund', 'Can record a refund made in the portal'), ('undo_decision', 'Can take back what was decided about money'), ('export_payments', 'Can export payments'), ('see_audit', 'Can see the audit and run the ledger check')), 'verbose_name': 'payment'},
        ),
        migrations.AlterModelOptions(
            name='statement',
            options={'ordering': ('-id',), 'permissions': (('void_statement', 'Can void a statement or a line of it'), ('import_statement', 'Can upload a statement and match it'), ('attach_money', 'Can attach money of a statement to an order'))},
        ),
        migrations.RemoveConstraint(
            model_name='statementline',
            name='a_line_once_whatever_file',
        ),
        migrations.AddField(
            model_name='statement',
            name='voided_at',
            field=models.DateTimeField(help_text='When a person said that it is not to be believed', null=True),
        ),
        migrations.AddField(
            model_name='statement',
            name='voided_because',
            field=models.CharField(blank=True, db_default='', default='', max_length=300),
        ),
        migrations.AddField(
            model_name='statement',
            name='voided_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=150),
        ),
        migrations.AddField(
            model_name='statementline',
            name='voided_at',
            field=models.DateTimeField(help_text='When a person said that it is not to be believed', null=True),
        ),
        migrations.AddField(
            model_name='statementline',
            name='voided_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=150),
        ),
        migrations.AlterField(
            model_name='statement',
            name='sha256',
            field=models.CharField(max_length=64),
        ),
        migrations.AlterField(
            model_name='statementline',
            name='match',
            field=models.CharField(blank=True, choices=[('', 'Not matched'), ('receipt', 'By receipt'), ('reference', 'By order code, amount and time'), ('by_hand', 'Attached by staff'), ('booked', 'In the book'), ('void', 'Not to be believed')], default='', max_length=9),
        ),
        migrations.AddConstraint(
            model_name='statement',
            constraint=models.UniqueConstraint(condition=models.Q(('voided_at', None)), fields=('sha256',), name='a_file_stands_once'),
        ),
        migrations.AddConstraint(
            model_name='statementline',
            constraint=models.UniqueConstraint(condition=models.Q(('voided_at', None)), fields=('receipt', 'reason_type', 'money_in'), name='a_line_stands_once'),
        ),
        AddConstraintWhileOpen(
            model_name='statementline',
            constraint=models.CheckConstraint(condition=models.Q(('voided_at', None), models.Q(('attempt', None), ('booked_as', None), ('match', 'void')), _connector='OR'), name='a_voided_line_is_nobodys'),
        ),
    ]
