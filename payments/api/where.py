"""The page that says where somebody's money is. A plain form: it works without script, and keeps what was typed out of
addresses and logs."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from djkraph import counting
from djkraph.throttling import client_network, guesses_a_lot, note_guess
from payments import gateway
from payments.checkout import Next, Story, where_is

A_MINUTE = 6  # looks of one person


@csrf_exempt  # it changes nothing, and a buyer has no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def where_is_my_money(request: HttpRequest) -> HttpResponse:
    typed = request.POST.get("what", "").strip() if request.method == "POST" else ""
    if not typed:
        return _page(request, None)
    asked = counting.requests.add(f"where:{client_network(request.META)}", limit=A_MINUTE)
    if asked > A_MINUTE or guesses_a_lot(request.META):
        too_often = _page(request, None, too_often=True, status=HTTPStatus.TOO_MANY_REQUESTS)
        too_often.headers["Retry-After"] = "60"
        return too_often
    story = where_is(typed, clock=gateway.now)
    if story.next is Next.NOT_KNOWN:
        note_guess(request.META)
    return _page(request, story)


def _page(
    request: HttpRequest, story: Story | None, *, too_often: bool = False, status: int = HTTPStatus.OK
) -> HttpResponse:
    told = {"story": story, "next": story.next.value if story else "", "too_often": too_often}
    return render(request, "payments/where.html", told, status=status)
