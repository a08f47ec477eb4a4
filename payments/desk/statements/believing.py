"""What of a file waits for a second person, on its page: who brought it, which lines, how much; and the button. Who may
be the second person is manual/'s."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from payments import gateway, manual
from payments.desk.addresses import address, page_of
from payments.desk.pages import refuse_without, row_or_404
from payments.desk.words import counted
from payments.manual import ActionRefused, Waits
from payments.models import Statement, StatementLine

MAY_BELIEVE = (
    "payments.view_statement",
    "payments.attach_money",
)  # who may see the file, and decide on its money
SHOWN = 200  # lines


@dataclass(frozen=True, kw_only=True)
class Belief:
    """What desk/statement_belief.html takes. `more`: lines that are not shown; `limit`: what one person may let pay in
    a day (KES); `refusal`: why this person can't believe it; `url`: empty for one who may not."""

    waits: Waits
    lines: list[StatementLine]
    more: int
    limit: int
    refusal: str
    url: str


def belief(request: HttpRequest, statement: Statement) -> Belief | None:
    """None: nothing of it waits."""
    waits = manual.what_waits(statement)
    count = waits.lines + waits.disputed
    if not count:
        return None
    may = request.user.has_perms(MAY_BELIEVE)
    lines = manual.lines_that_wait(statement).select_related("waits_for", "absent_from")
    return Belief(
        waits=waits,
        lines=list(lines[:SHOWN]),
        more=max(0, count - SHOWN),
        limit=gateway.settled_alone_up_to(),
        refusal=manual.refusal_to_believe(statement, by=request.user.get_username()) if may else "",
        url=address(statement, "believe", statement.pk) if may else "",
    )


@require_POST
def believe(request: HttpRequest, statement_id: int) -> HttpResponse:
    refuse_without(request, *MAY_BELIEVE)
    statement = row_or_404(Statement.objects.all(), statement_id)
    seen, by = request.POST.get("seen", ""), request.user.get_username()
    try:
        matched = manual.believe(statement.pk, seen=seen, by=by, now=gateway.now())
    except ActionRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _became(matched.lines - matched.nobodys, matched.nobodys))
    return HttpResponseRedirect(page_of(statement))


def _became(paid: int, left: int) -> str:
    told = f"Believed: {counted(paid, 'line counts', 'lines count')} now."
    return f"{told} {counted(left, 'line is', 'lines are')} nobody's yet: attach the money." if left else told
