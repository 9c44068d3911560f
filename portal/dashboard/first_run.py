"""The first minutes: what to do until the first event is here."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from connectors.models import Canary, Connection, IngestToken
from portal.dashboard.lists import Lists


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str
    done: bool
    url: str = ""
    action: str = ""


def steps(lists: Lists) -> list[Step]:
    """Token, snippet, first event, vendor; each links to where it is done, for those who may do it."""
    may = lists.may_open("connectors.ingesttoken")
    our_own = Canary.objects.values("token__source")
    tokens = IngestToken.objects.filter(revoked_at__isnull=True).exclude(source__in=our_own)
    issued = tokens.exists()
    used = tokens.filter(last_used_at__isnull=False).exists()
    add = _add_url() if may and lists.request.user.has_perm("connectors.add_ingesttoken") else ""
    return [
        Step(
            "Issue an ingestion token",
            "Agents send with it. It can only write, and is shown once.",
            issued,
            lists.url("connectors.ingesttoken") if issued else add,
            "See tokens" if issued else "Issue a token",
        ),
        Step(
            "Paste the snippet into Claude Code's settings",
            "The page of a new token has it ready: for one machine, or for all of an organisation. Clients read their "
            "settings only at start, so end the running sessions.",
            used,
        ),
        Step(
            "Work for a minute",
            "The first event appears here within two seconds of being sent, and its session in the list.",
            False,
        ),
        *_vendor(lists),
    ]


def _vendor(lists: Lists) -> list[Step]:
    """For those who may connect one; the others can do nothing about it."""
    if not lists.request.user.has_perm("connectors.add_connection"):
        return []
    connected = Connection.objects.exists()
    return [
        Step(
            "Connect how you buy Claude",
            "Enterprise and Console organisations have an interface that tells seats, usage and cost, also of the days "
            "before. Without one, telemetry alone is counted.",
            connected,
            lists.url("connectors.connection") if connected else reverse("admin:connectors_connection_add"),
            "See connections" if connected else "Connect",
        )
    ]


def _add_url() -> str:
    try:
        return reverse("admin:connectors_ingesttoken_add")
    except NoReverseMatch:
        return ""
