"""What people were told of, and the messages that told them."""

import uuid

from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0038_lines_that_wait_are_found'),
    ]

    operations = [
        WaitAtMost(),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='The kind of thing, and which one', max_length=80, unique=True)),
                ('first_told_at', models.DateTimeField()),
                ('last_told_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(help_text='When it was seen to be over', null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['closed_at'], name='alert_closed')],
            },
        ),
        migrations.CreateModel(
            name='AlertMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, help_text='The same each time it is sent: receivers know it again', unique=True)),
                ('channel', models.CharField(choices=[('mail', 'Mail'), ('webhook', 'Webhook')], max_length=7)),
                ('subject', models.CharField(max_length=200)),
                ('body', models.TextField(help_text='As it is sent: text by mail, JSON to the webhook')),
                ('made_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sent', 'Sent'), ('given_up', 'Given up')], db_default='waiting', default='waiting', max_length=8)),
                ('attempts', models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='tries')),
                ('last_failure', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('next_at', models.DateTimeField(help_text='When it is tried next', null=True)),
                ('sent_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'alert',
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['next_at'], name='message_next'), models.Index(fields=['channel', 'state', '-id'], name='message_by_channel')],
                'constraints': [models.CheckConstraint(condition=models.Q(('channel__in', ('mail', 'webhook'))), name='message_channel_is_known'), models.CheckConstraint(condition=models.Q(('state__in', ('waiting', 'sent', 'given_up'))), name='message_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('next_at__isnull', False), ('state', 'waiting')), models.Q(('state', 'waiting'), _negated=True), _connector='OR'), name='a_waiting_message_has_its_next_try'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', False), _connector='OR'), name='a_sent_message_says_when')],
            },
        ),
    ]
