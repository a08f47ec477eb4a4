"""Only payments/ledger/ writes attempts, events and their links. (That no event is changed at all, the database itself
sees to: tests/payments/test_kept_rows.py.)"""

import ast
from pathlib import Path

import pytest

from tests.support.writers import functions_giving_rows, writes

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("djkraph", "orders", "payments")
IMPORTS = (
    "from djkraph import sql\n"
    "from payments.models import MpesaTransaction, PaymentEvent, Posting, Receipt, Seal\n"
)

VIOLATIONS = {
    "a posting made": "Posting.objects.create(debit='kept', credit='bank')",
    "a posting made by our SQL": "sql.insert(Posting, {'debit': 'kept'})",
    "a seal made": "Seal.objects.create(number=1)",
    "a seal by hand": "cursor.execute('DELETE FROM payments_seal')",
    "a receipt changed": "Receipt.objects.filter(code=None).update(code='UKN4AB12CD')",
    "a receipt of an attempt": "MpesaTransaction.objects.get(id=1).receipts.update(code='A')",
    "a posting by hand": "cursor.execute('INSERT INTO payments_posting (debit) VALUES (1)')",
    "save": "attempt = MpesaTransaction.objects.get(id=1)\nattempt.save()",
    "save of a new one": "MpesaTransaction(order=order).save()",
    "create": "PaymentEvent.objects.create(kind='note')",
    "get_or_create": "MpesaTransaction.objects.get_or_create(receipt='A')",
    "update_or_create": "MpesaTransaction.objects.using('default').update_or_create(receipt='A')",
    "update": "MpesaTransaction.objects.filter(id=1).update(state='failed')",
    "update of a queryset with a name": "rows = MpesaTransaction.objects.all()\nsome = rows[:3]\nsome.update(x=1)",
    "delete": "MpesaTransaction.objects.exclude(id=1).delete()",
    "delete of one": "PaymentEvent.objects.first().delete()",
    "bulk_create": "PaymentEvent.objects.bulk_create([])",
    "bulk_update": "MpesaTransaction.objects.bulk_update([], ['state'])",
    "raw delete": "MpesaTransaction.objects.all()._raw_delete('default')",
    "not waited for": "async def f():\n    await MpesaTransaction.objects.aupdate(state='failed')",
    "related attempts": "order.attempts.update(state='failed')",
    "related events": "attempt.events.all().delete()",
    "what a row points at": "delivery.attempt.save()",
    "added to a related": "order.attempts.add(attempt)",
    "sql.insert": "sql.insert(PaymentEvent, {})",
    "sql.update": "sql.update(MpesaTransaction, {}, where={})",
    "sql.insert_new": "sql.insert_new(PaymentEvent, (), [])",
    "sql's function": "from djkraph.sql import update\nupdate(MpesaTransaction, {}, where={})",
    "another name": "from payments.models import MpesaTransaction as Row\nRow.objects.update(state='failed')",
    "through the module": "from payments import models\nmodels.MpesaTransaction.objects.update(state='failed')",
    "through the registry": "apps.get_model('payments', 'MpesaTransaction').objects.update(state='failed')",
    "a field": "attempt = MpesaTransaction.objects.get(id=1)\nattempt.state = 'failed'",
    "a field added to": "attempt = MpesaTransaction.objects.get(id=1)\nattempt.events_count += 1",
    "a field of an argument": "def f(attempt: MpesaTransaction | None) -> None:\n    attempt.state = 'failed'",
    "a field by setattr": "def f(*, attempt: 'MpesaTransaction') -> None:\n    setattr(attempt, 'state', 'failed')",
    "one of an argument": "def f(found: QuerySet[MpesaTransaction]):\n    for each in found:\n        each.save()",
    "one in a comprehension": "[each.delete() for each in MpesaTransaction.objects.all()]",
    "one in a condition": "if (found := MpesaTransaction.objects.first()):\n    found.save()",
    "what a function gives": "def f() -> MpesaTransaction | None: ...\ng = f()\ng.state = 'failed'",
    "a row of no declared type": "def f(attempt):\n    attempt.save()",
    "a lambda": "lambda: MpesaTransaction.objects.update(state='failed')",
    "SQL": "cursor.execute(\"UPDATE payments_mpesatransaction SET state = 'failed'\")",
    "SQL elsewhere": 'STATEMENT = """\n  DELETE FROM "payments_paymentevent"\n"""\ncursor.execute(STATEMENT)',
    "SQL with a name put in": "cursor.execute(f'DELETE FROM {PaymentEvent._meta.db_table}')",
}

HARMLESS = {
    "reading": "MpesaTransaction.objects.filter(id=1).values('id').first()",
    "another table": "delivery.save()\nStatement.objects.update(x=1)\nsql.update(Order, {}, where={})",
    "a set of ids": "ids = set(MpesaTransaction.objects.values_list('id', flat=True))\nids.update({1})",
    "a link to it": "line.attempt = attempt\nlines.update(attempt=attempt)",
    "what it points at": "attempt = MpesaTransaction.objects.get(id=1)\nattempt.order.save()",
    "a name used again": "row = MpesaTransaction.objects.first()\nrow = delivery\nrow.save()",
    "an address": "reverse('admin:payments_mpesatransaction_change')",
}


def found_in(text: str) -> list[str]:
    module = ast.parse(text)
    return writes(module, functions_giving_rows([module]))


@pytest.mark.parametrize("kind", VIOLATIONS)
def test_a_writer_is_seen(kind: str) -> None:
    assert found_in(IMPORTS + VIOLATIONS[kind])


@pytest.mark.parametrize("kind", HARMLESS)
def test_who_writes_nothing_of_the_ledgers_is_left_alone(kind: str) -> None:
    assert found_in(IMPORTS + HARMLESS[kind]) == []


def test_only_the_ledger_writes_attempts_and_events() -> None:
    modules = {
        file.relative_to(ROOT): ast.parse(file.read_text())
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in file.parts
    }
    giving = functions_giving_rows(modules.values())
    writers = {str(file): writes(module, giving) for file, module in modules.items()}
    ledger = {file for file in writers if file.startswith("payments/ledger/")}
    assert {file: found for file, found in writers.items() if found and file not in ledger} == {}
    assert any(writers[file] for file in ledger)  # it looks
