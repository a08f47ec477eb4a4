"""Saying that a statement, or one line of it, is not to be believed: a form with the reason, one call, a message."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from payments import gateway, manual
from payments.desk import settlements
from payments.desk.addresses import page_of
from payments.desk.pages import refuse_without, row_or_404, show
from payments.desk.settlements import reason_field
from payments.desk.words import counted
from payments.manual import ActionRefused
from payments.models import Statement, StatementLine

MAY_VOID = "payments.void_statement"


class VoidForm(forms.Form):
    reason = reason_field("Why is it not to be believed?", at_least=10)


def void_statement(request: HttpRequest, object_id: str) -> HttpResponse:
    refuse_without(request, MAY_VOID)
    statement = row_or_404(Statement.objects.filter(voided_at=None), object_id)
    form = VoidForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by, reason = request.user.get_username(), form.cleaned_data["reason"]
        try:
            voided = manual.void_statement(statement.pk, reason=reason, by=by, now=gateway.now())
        except ActionRefused as refused:
            messages.warning(request, str(refused))
            return HttpResponseRedirect(page_of(statement))
        done = f"{counted(voided.lines, 'line')} taken back: they count no more."
        messages.success(request, settlements.outcome(voided.decision, done))
        for receipt, why in voided.left[:10]:
            messages.warning(request, f"{receipt} still counts. {why}")
        return HttpResponseRedirect(page_of(statement))
    lead = "All that only this file said is taken back, line by line. What Safaricom said too stays."
    return _asked(request, form, statement, f"Void {statement}", lead)


def void_line(request: HttpRequest, object_id: str) -> HttpResponse:
    refuse_without(request, MAY_VOID)
    line = row_or_404(StatementLine.objects.filter(voided_at=None), object_id)
    form = VoidForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by, reason = request.user.get_username(), form.cleaned_data["reason"]
        try:
            voided = manual.void_line(line.pk, reason=reason, by=by, now=gateway.now())
        except ActionRefused as refused:
            form.add_error(None, str(refused))
        else:
            done = "Void: the line counts no more, and what it alone brought is taken back."
            messages.success(request, settlements.outcome(voided, done))
            return HttpResponseRedirect(page_of(line))
    lead = "What only this line said is taken back. What Safaricom said too stays."
    return _asked(request, form, line, f"Void the line of receipt {line.receipt}", lead)


def _asked(request: HttpRequest, form: VoidForm, of: Any, title: str, lead: str) -> HttpResponse:
    told = {"title": title, "lead": lead, "form": form, "button": "Void it", "back": page_of(of)}
    return show(request, "desk/void.html", told, of=of, status=400 if form.errors else 200)
