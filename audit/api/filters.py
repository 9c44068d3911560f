"""The parameters that lists are narrowed by. A name or a value that is not known is an error, never ignored."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from audit import search, timeline
from audit.api import pagination
from audit.api.permissions import IDENTITY, rights
from audit.models import Session
from audit.vocabulary import Agent, DecidedBy, Decision, Grant, Kind, Outcome


class FilterBackend(DjangoFilterBackend):  # type: ignore[misc] # django-filter has no types
    """django-filter's, but a parameter that the list does not know is refused: a typo must not show everything."""

    def filter_queryset(self, request: Request, queryset: QuerySet, view: APIView) -> Any:
        filterset = getattr(view, "filterset_class", None)
        known = [*(filterset.base_filters if filterset else ()), *pagination.PARAMETERS]
        refuse_unknown(request, known)
        return super().filter_queryset(request, queryset, view)


def refuse_unknown(request: Request, known: Sequence[str]) -> None:
    """Raises ValidationError for a parameter that is not known or comes twice."""
    problems = {}
    for name, values in request.query_params.lists():
        if name not in known:
            problems[name] = [f"There is no such parameter. Known are: {', '.join(known) or 'none'}."]
        elif len(values) > 1:
            problems[name] = ["Given more than once."]
    if problems:
        raise ValidationError(problems, code="unknown_parameter")


class Narrowing(django_filters.FilterSet):  # type: ignore[misc]
    """Hands what was asked for to `audit.search`, with what this token may see."""

    fixed: dict[str, Any] = {}

    def filter_queryset(self, queryset: QuerySet) -> QuerySet | Sequence[QuerySet]:
        given = {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "")}
        text = given.pop("q", None)
        allowed = rights(self.request)
        if (actor := given.get("actor")) and not (allowed.identity or search.is_pseudonym(actor)):
            raise PermissionDenied(f"To ask by address or account takes the scope {IDENTITY}; an actor's id does not.")
        found = self.narrowed(**given, **self.fixed)
        return found if text is None else search.saying(found, text, with_content=allowed.content)

    def narrowed(self, **known: Any) -> QuerySet:
        raise NotImplementedError


def _text(help_text: str) -> django_filters.CharFilter:
    return django_filters.CharFilter(help_text=help_text, max_length=1000)


def _choice(words: type[StrEnum], help_text: str) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(choices=[(word.value, word.value) for word in words], help_text=help_text)


class _UtcField(django_filters.fields.IsoDateTimeField):  # type: ignore[misc]
    """A moment in UTC: PostgreSQL does not take every zone that Python takes."""

    def clean(self, value: Any) -> dt.datetime | None:
        moment: dt.datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(dt.UTC)
        except OverflowError as error:
            raise forms.ValidationError("That is outside the calendar.", "invalid") from error


class _MomentFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    field_class = _UtcField


def _moment(help_text: str) -> _MomentFilter:
    return _MomentFilter(help_text=f"{help_text} RFC 3339; without a zone: UTC.")


class _Shared(Narrowing):
    agent = _choice(Agent, "The coding agent.")
    session = _text("The vendor's session id.")
    actor = _text("Who acted: the id of an actor; with `identity:read` also e-mail address or account.")
    team = _text("The team, as the client names it.")
    repository = _text("The repository: its address, or the name at its end.")
    tool = _text("The tool's name.")
    mcp_server = _text("The MCP server's name.")
    decision = _choice(Decision, "How it was decided.")
    decided_by = _choice(DecidedBy, "Who or what decided.")
    mode = _text("The permission mode, in the vendor's word.")
    occurred_after = _moment("When it happened, from then on.")
    occurred_before = _moment("When it happened, before then.")
    q = _text(
        "Words of content and pieces of commands, paths and hosts; without `content:read` names and identifiers only."
    )


class SessionFilter(_Shared):
    """`occurred_*`: sessions that reach into that time."""

    def narrowed(self, **known: Any) -> QuerySet:
        return search.sessions(**known)


class _Recorded(_Shared):
    prompt = _text("The id of the prompt it belongs to.")
    tool_use_id = _text("The vendor's id of the tool use.")
    mcp_tool = _text("The tool's name on its MCP server.")
    grant = _choice(Grant, "How far the decision reaches.")
    outcome = _choice(Outcome, "How it ended.")
    received_after = _moment("When it was received, from then on.")
    received_before = _moment("When it was received, before then.")


class EventFilter(_Recorded):
    """By what an event itself says."""

    kind = _choice(Kind, "The kind of event.")

    def narrowed(self, **known: Any) -> QuerySet:
        return search.events(**known)


class ModeChangeFilter(_Recorded):
    fixed = {"kind": Kind.MODE_CHANGE}

    def narrowed(self, **known: Any) -> QuerySet:
        return search.events(**known)


class McpConnectionFilter(ModeChangeFilter):
    fixed = {"kind": Kind.MCP_CONNECTION}


class DecisionFilter(_Recorded):
    """By what is known of a decision now: later records may have told who made it."""

    def narrowed(self, **known: Any) -> QuerySet:
        return search.decisions(**known)


class McpServerFilter(Narrowing):
    name = _text("A part of the server's name.")
    transport = _text("How it was reached: stdio, http, sse.")
    scope = _text("Where it was configured: user, project, dynamic.")

    def narrowed(self, **known: Any) -> QuerySet:
        return search.mcp_servers(**known)


class TimelineFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Which rows of a timeline are shown."""

    show = django_filters.ChoiceFilter(
        choices=[(name, name) for name in timeline.SHOWS],
        help_text="Which rows; `all` without it. `steps` leaves out what only a machine asks for.",
    )


def shown(request: Request) -> str:
    """The show that a timeline is asked for. Raises ValidationError."""
    refuse_unknown(request, [*TimelineFilter.base_filters, *pagination.PARAMETERS])
    form = TimelineFilter(request.query_params, queryset=Session.objects.none()).form
    if not form.is_valid():
        raise translate_validation(form.errors)
    return form.cleaned_data["show"] or "all"
