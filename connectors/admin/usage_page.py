"""The page "Usage": who used what, what it cost, what two feeds both say, and what the figures do not say."""

import datetime as dt
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from audit.listing import counting
from audit.listing.export import FORMATS, Column
from audit.listing.slots import downloads
from connectors.admin import usage_charts, usage_tables, usage_tiles
from connectors.admin.usage_prices import waiting_told
from connectors.admin.usage_question import PRESETS, QuestionForm, address
from connectors.models import UsageDay
from connectors.usage import classes, feeds, groups, naming, reading
from connectors.usage.believing import COUNTS, Question
from connectors.usage.precedence import Feed
from connectors.usage.reading import Overlap

PERMISSION = "connectors.view_usageday"
NAMES = "connectors.view_person"
PATIENCE_MS = 20_000
FILE_ROWS = 100_000


class Links:
    """Addresses of this page with one more filter, and of the list of rows of these days."""

    def __init__(self, request: HttpRequest, question: Question) -> None:
        self.request = request
        lookups = {"day__gte": str(question.first_day), "day__lte": str(question.last_day), "agent": question.agent}
        if question.model:
            lookups["model"] = question.model
        if question.person:
            kind, number = naming.split(question.person)
            lookups["identity__person" if kind == "person" else "identity"] = str(number)
        if question.feed is not None:
            lookups["feed"] = feeds.name(question.feed)
        self._lookups = {name: value for name, value in lookups.items() if value}
        self._list = reverse("admin:connectors_usageday_changelist")
        self._of_team = bool(question.team)

    def page(self, **changes: str) -> str:
        return address(self.request, **changes)

    def rows(self, **lookups: str) -> str:
        """The list of rows; of a team, who was in it on the day decides, and the file of this page has just those."""
        if self._of_team and not lookups:
            return reverse("admin:connectors_usage_file", args=["csv"]) + address(self.request)
        return f"{self._list}?{urlencode({**self._lookups, **lookups})}"

    def day(self, day: Any) -> str:
        if self._of_team:
            question = address(self.request, first=str(day), last=str(day))
            return reverse("admin:connectors_usage_file", args=["csv"]) + question
        rest = {name: value for name, value in self._lookups.items() if not name.startswith("day")}
        return f"{self._list}?{urlencode({**rest, 'day': str(day)})}"


def view(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    named = request.user.has_perm(NAMES)
    form = QuestionForm(request.GET, named=named)
    question = form.question()
    links = Links(request, question)
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": "Usage",
        "form": form,
        "question": question,
        "ends_early": question.last_day < timezone.now().date(),
        "presets": _presets(request),
        "shown_days": question.days,
        "narrowed": [name for name in ("team", "person", "agent", "model", "feed") if request.GET.get(name)],
        "whole": address(request, team=None, person=None, agent=None, model=None, feed=None),
        "rows_url": links.rows(),
        "files": _files(request),
        "prices_url": _url_if(request, "connectors.view_price", "admin:connectors_price_changelist"),
        "waiting": waiting_told(),
        "named": named,
    }  # fmt: skip
    try:
        with counting.deadline(PATIENCE_MS):
            context |= _figures(question, links, named=bool(named))
    except counting.TooSlow:
        context["too_slow"] = True
    return TemplateResponse(request, "admin/connectors/usage.html", context)


def _presets(request: HttpRequest) -> list[tuple[int, str]]:
    last = timezone.now().date()
    firsts = ((days, last - dt.timedelta(days=days - 1)) for days in PRESETS)
    return [(days, address(request, first=first, last=last)) for days, first in firsts]


def _files(request: HttpRequest) -> list[tuple[str, str]]:
    asked = address(request)
    return [(name.upper(), reverse("admin:connectors_usage_file", args=[name]) + asked) for name in FORMATS]


def _url_if(request: HttpRequest, permission: str, name: str) -> str:
    return reverse(name) if request.user.has_perm(permission) else ""


def _figures(question: Question, links: Links, *, named: bool) -> dict[str, Any]:
    summary = reading.summary(question)
    if not summary.by["day"]:
        return {"is_empty": True, "has_any": UsageDay.objects.exists()}
    return {
        "activity": usage_tiles.activity(summary, links.rows()),
        "cost": usage_tiles.cost(summary, links.rows()),
        "charts": [
            chart(question, summary.by["day"], links.day)
            for chart in (usage_charts.cost, usage_charts.tokens, usage_charts.people)
        ],
        "teams": usage_tables.teams(summary, summary.halves, links),
        "people": usage_tables.people(summary, summary.habits, question, named, links),
        "people_all": summary.total.people,
        "models": usage_tables.models(summary, links),
        "overlap": summary.overlap,
        "feeds": _feed_lines(summary.overlap, links),
        "unpriced": [(each, links.rows(model=each.model)) for each in summary.unpriced],
        "trend_rule": classes.TREND_RULE,
        "tier_rule": classes.TIER_RULE,
    }


def _feed_lines(overlap: Overlap, links: Links) -> list[tuple[str, str, reading.FeedSums]]:
    titles = feeds.titles()
    found = []
    for each in overlap.feeds:
        name = feeds.name(Feed(each.connection, each.endpoint))
        found.append((titles.get(name, name), links.rows(feed=name), each))
    return found


def download(model_admin: admin.ModelAdmin, request: HttpRequest, form: str) -> HttpResponseBase:
    """The believed user-days of what the page shows, as a file: a row for each day, person, agent and model."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    named = bool(request.user.has_perm(NAMES))
    asked = QuestionForm(request.GET, named=named)
    if form not in FORMATS or not asked.is_valid():
        raise BadRequest("These files do not know what was asked for.")
    found = groups.read(asked.question(), groups.DIMENSIONS, FILE_ROWS)
    names = naming.of({group.keys["person"] for group in found}, named=named)
    content_type, lines = FORMATS[form]
    written: Generator[bytes] = lines(_columns(names), found)
    return StreamingHttpResponse(
        downloads.held(written),
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="usage.{form}"',
            "X-Row-Limit": str(FILE_ROWS),
            "Cache-Control": "no-store",
        },
    )


def _columns(names: dict[str, str]) -> list[Column]:
    def key(name: str) -> Callable[[Any], Any]:
        return lambda group: group.keys[name]

    def count(name: str) -> Callable[[Any], Any]:
        return lambda group: group.sums.counts[name]

    return [
        ("day", key("day")),
        ("person", lambda group: names[group.keys["person"]]),
        ("team", key("team")),
        ("cost_center", lambda group: group.cost_center),
        ("agent", key("agent")),
        ("model", key("model")),
        *((name, count(name)) for name in COUNTS),
        ("tools", lambda group: {name: list(counts) for name, counts in group.tools.items()}),
        ("cost_reported", lambda group: group.sums.cost_reported),
        ("cost_computed", lambda group: group.sums.cost_computed),
        ("feeds", lambda group: ", ".join(group.feeds)),
    ]
