"""Errors that no view caught: JSON for the API's part of the shop, a page for people."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults

from djkraph.http import SERVER_TROUBLE, problem
from djkraph.middleware import DESK

API = ("/api", "/stkpush", "/health")


def _speaks_json(request: HttpRequest) -> bool:
    return f"/{request.path.lstrip('/')}".startswith(API)


def _is_the_desks(request: HttpRequest) -> bool:
    return request.path.startswith(DESK)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _speaks_json(request):
        return JsonResponse(problem("The request can't be understood.", code="invalid"), status=400)
    if _is_the_desks(request):
        return render(request, "400.html", {"at_desk": True}, status=HTTPStatus.BAD_REQUEST)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _speaks_json(request):
        return JsonResponse(problem("There is nothing at this address.", code="not_found"), status=404)
    if _is_the_desks(request):
        return render(request, "404.html", {"at_desk": True}, status=HTTPStatus.NOT_FOUND)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/stkpush/status"):
        told = {"success": True, "status": "pending", "message": "We are checking your payment."}
        return JsonResponse(told)  # the shop's page would take anything else for "failed"
    if _speaks_json(request):
        return JsonResponse(problem(SERVER_TROUBLE, code="server_error"), status=500)
    return defaults.server_error(request)
