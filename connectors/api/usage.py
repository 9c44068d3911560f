"""`/api/v1/usage/`: user-days as they are believed, grouped as asked; or those of one feed, as it says them."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django_filters.utils import translate_validation
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request

from audit.api import filters, pagination
from audit.api.pagination import Page
from audit.api.permissions import IDENTITY
from audit.api.views import EvidenceList
from audit.listing import counting
from connectors.api import usage_rows
from connectors.models import UsageDay
from connectors.usage import feeds, groups, naming
from connectors.usage.believing import Question

USUAL_DAYS, MOST_DAYS = 30, 366
USUAL_GROUPS = "day,person,agent,model"


def _text(help_text: str) -> django_filters.CharFilter:
    return django_filters.CharFilter(help_text=help_text, max_length=256)


class UsageFilter(django_filters.FilterSet):  # type: ignore[misc] # django-filter has no types
    """Which user-days, and what they are added up by."""

    first_day = django_filters.DateFilter(help_text=f"UTC. Without it: {USUAL_DAYS} days up to the last one.")
    last_day = django_filters.DateFilter(help_text=f"UTC, inclusive. Without it: today. At most {MOST_DAYS} days.")
    person = _text("A person's `id`; with `identity:read` also an e-mail address or another name.")
    team = _text("The team's name; `-` for none.")
    agent = _text("The coding agent.")
    model = _text("The model, as the feed spells it.")
    feed = _text("Only what this feed says, believed or not: `telemetry`, or `<connection's id>/<endpoint>`.")
    group_by = _text(f"Some of {', '.join(groups.DIMENSIONS)}, with commas between. Without it: {USUAL_GROUPS}.")


class UsageList(EvidenceList):
    """User-days, by day from the first on. For each person, day and agent one feed is believed; none is added to
    another."""

    required_scopes: ClassVar[Sequence[str]] = ("usage:read",)
    model, row = UsageDay, usage_rows.UsageGroup
    filterset_class = UsageFilter
    ordering = ("day",)

    def get_queryset(self) -> QuerySet:
        return UsageDay.objects.none()

    def pages(self, request: Request, **key: Any) -> Callable[[int, str, str], Page]:
        question, by = self._asked(request)

        def read(size: int, after: str, before: str) -> Page:
            with counting.deadline(pagination.PATIENCE_MS):
                return groups.page(question, by, size, after, before)

        return read

    def rows(self, found: Sequence[Any]) -> Iterable[usage_rows.UsageGroup]:
        everybody = {group.keys["person"] for group in found if "person" in group.keys}
        people = naming.known(everybody) if self.rights.identity else {}
        return (usage_rows.of(group, people) for group in found)

    def _asked(self, request: Request) -> tuple[Question, Sequence[str]]:
        filters.refuse_unknown(request, [*UsageFilter.base_filters, *pagination.PARAMETERS])
        form = UsageFilter(request.query_params, queryset=self.get_queryset()).form
        if not form.is_valid():
            raise translate_validation(form.errors)
        given = {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
        by = _grouping(given.pop("group_by", USUAL_GROUPS))
        first, last = _days(given.pop("first_day", None), given.pop("last_day", None))
        if "feed" in given and (feed := feeds.named(given["feed"])) is not None:
            given["feed"] = feed
        elif "feed" in given:
            raise ValidationError({"feed": ["`telemetry`, or a connection's id, a slash and an endpoint."]})
        if "person" in given:
            given["person"] = self._person(given["person"])
        return Question(first, last, **given), by

    def _person(self, text: str) -> str:
        if naming.split(text)[0]:
            return text
        if not self.rights.identity:
            raise PermissionDenied(f"To ask by name takes the scope {IDENTITY}; a person's id does not.")
        return naming.find(text) or "person-0"

    def _names_person(self, request: Request, sought: dict[str, str]) -> bool:
        return "person" in request.query_params


def _grouping(text: str) -> Sequence[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in groups.DIMENSIONS]:
        raise ValidationError({"group_by": [f"{unknown[0]!r} is none of {', '.join(groups.DIMENSIONS)}."]})
    return names


def _days(first: dt.date | None, last: dt.date | None) -> tuple[dt.date, dt.date]:
    last = last or max(timezone.now().date(), first or dt.date.min)
    first = first or last - dt.timedelta(days=min(USUAL_DAYS - 1, (last - dt.date.min).days))
    if last < first:
        raise ValidationError({"last_day": [f"That is before {first}."]})
    if (last - first).days >= MOST_DAYS:
        raise ValidationError({"first_day": [f"At most {MOST_DAYS} days at once."]})
    return first, last
