"""The overview: can I trust the evidence, what needs me, posture, use and cost.

Everything is counted when it is asked for, from sessions (which carry their own sums) and other small tables, each part
within a deadline; a part that takes longer says so instead of holding up the page. Every figure leads to its rows.
"""

import datetime as dt
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils import timezone

from audit.listing import counting
from audit.models import Event
from audit.vocabulary import Agent
from connectors import canary
from portal.dashboard import evidence, first_run, posture, usage, work
from portal.dashboard.lists import Lists

DAYS = 14
PATIENCE_MS = 1500


def context(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    """What the overview shows this person."""
    lists = Lists(site, request)
    now = timezone.now()
    if not Event.objects.exclude(agent=Agent.PORTAL).exclude(event_name__in=canary.NAMES).exists():
        return {
            "first_run": first_run.steps(lists),
            "trust_tiles": evidence.loops_only(now),
            "work": work.failing(lists, now),
        }
    since = (now - dt.timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    parts: dict[str, Any] = {"days": DAYS, "as_of": now}
    for name, part in (
        ("trust_tiles", evidence.tiles),
        ("work", work.items),
        ("posture", posture.picture),
        ("usage_tiles", usage.tiles),
    ):
        try:
            with counting.deadline(PATIENCE_MS):
                parts[name] = part(lists, since, now)
        except counting.TooSlow:
            parts[f"{name}_too_slow"] = True
    return parts
