"""What the pages of connections, runs and backfills share."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

from audit.listing.pages import ActingAdmin

SIBLINGS = (
    ("Connections", "connectors.connection"),
    ("Runs", "connectors.pull"),
    ("Backfills", "connectors.backfill"),
    ("Reported figures", "connectors.reported"),
)


class ConnectionPages(ActingAdmin):
    """Lists whose rows have pages of their own, and forms that act."""

    list_siblings = SIBLINGS
    templates = "admin/connectors"

    def found(self, request: HttpRequest, key: Any) -> Any:
        """The row, for who may see it."""
        row = self.get_object(request, str(key))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row


def only_post(request: HttpRequest) -> HttpResponse | None:
    return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])
