"""Addresses under /api/ that lead nowhere: a problem document as everywhere here, or the slash that was left out."""

from django.http import HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

from audit.api import problem


@csrf_exempt
def unrouted(request: HttpRequest, path: str) -> HttpResponseBase:
    if not path.endswith("/") and _leads_somewhere(f"{request.path_info}/"):
        return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
    return problem.response(404, "not_found", "There is nothing at this address; /api/v1/schema/ tells what there is.")


def _leads_somewhere(path: str) -> bool:
    try:
        return resolve(path).func is not unrouted
    except Resolver404:
        return False
