"""The lines that were there are held against the rule of 0017, and supervisors may take back what was decided."""

from django.db import migrations

from djkraph.granting import grant
from djkraph.migrating import ValidateConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0017_taken_back"),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        ValidateConstraintWhileOpen("statementline", "a_voided_line_is_nobodys"),
        grant({"supervisor": ("payments.undo_decision", "payments.void_statement")}),
    ]
