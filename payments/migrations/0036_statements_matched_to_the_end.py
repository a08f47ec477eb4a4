"""Statements that the version before took in have lines that stand in no posting: they are matched once more, by the
worker, in steps (reconcile_payments)."""

from django.db import migrations


def match_again(apps, schema_editor):
    lines = apps.get_model("payments", "StatementLine").objects
    beside_the_book = lines.filter(match="", booked_as=None, voided_at=None)
    statements = apps.get_model("payments", "Statement").objects.filter(voided_at=None)
    statements.filter(id__in=beside_the_book.values("statement_id")).update(matched_up_to=0, matched_at=None)


class Migration(migrations.Migration):

    dependencies = [
        ("payments", "0035_lines_by_receipt"),
    ]

    operations = [migrations.RunPython(match_again, migrations.RunPython.noop)]
