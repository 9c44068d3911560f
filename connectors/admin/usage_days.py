"""User-days as each feed says them, believed or not."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.listing import markup, words
from audit.listing.export import Column
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from connectors.admin import usage_page
from connectors.models import Source, UsageDay
from connectors.usage import feeds, naming

LOOKUPS = frozenset(
    {
        "day", "day__gte", "day__lte", "identity", "identity__person", "identity__person__isnull", "connection",
        "connection__isnull", "endpoint", "agent", "model", "team", "source_id", "feed",
    }
)  # fmt: skip
"""What links to this list may ask for."""


class FeedFilter(admin.SimpleListFilter):
    """The feeds there are: telemetry, and the endpoints of connections."""

    title = "feed"
    parameter_name = "feed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return list(feeds.titles().items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        feed = feeds.named(self.value() or "")
        if feed is None:
            return queryset
        return queryset.filter(connection=feed.connection or None, endpoint=feed.endpoint)


class _Reading:
    """A column of the row's own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, row: Any) -> Any:
        return getattr(row, self.name)


class UsageDayAdmin(ReadOnlyAdmin):
    list_title = "User-days"
    list_lede = "as each feed says them; figures of two feeds are never added up"
    list_empty = (
        "Telemetry is counted a few minutes after it arrives; a connection to a vendor also reads the days before"
        " today."
    )
    shown = (
        "day", "who", "feed", "agent", "model_shown", "team_shown", "sessions", "prompts", "lines", "commits",
        "pull_requests", "requests", "tokens", "reported", "computed",
    )  # fmt: skip
    list_numeric = ("lines", "tokens", "reported", "computed")
    list_wide = ("agent", "team_shown", "prompts", "pull_requests", "requests")
    list_filter = (FeedFilter, "agent")
    list_display_links = None
    keysets = {"Newest day first": Keyset("-day", "-id")}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return UsageDay.objects.select_related("identity__person", "connection")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        named = ("identity__value", "identity__person__email", "identity__person__name")
        return ("model__startswith", "team", *(named if request.user.has_perm(usage_page.NAMES) else ()))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup.removesuffix("__exact") in LOOKUPS

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        """With names for those who may see them."""
        named = request.user.has_perm(usage_page.NAMES)
        sources = dict(Source.objects.values_list("pk", "name"))

        @admin.display(description="person")
        def who(row: UsageDay) -> SafeString:
            if named:
                return markup.visible(row.identity.person or row.identity)
            return format_html('<span class="id">{}</span>', naming.pseudonym(row.identity))

        @admin.display(description="feed")
        def feed(row: UsageDay) -> SafeString:
            if row.connection:
                return format_html("{} <small class='quiet'>{}</small>", row.connection.name, row.endpoint)
            return markup.visible(f"telemetry, {sources.get(row.source_id or 0, f'source {row.source_id}')}")

        made: dict[str, Callable[[Any], str | bool]] = {"who": who, "feed": feed}
        return [made.get(name, name) for name in self.shown]

    @admin.display(description="model")
    def model_shown(self, row: UsageDay) -> SafeString:
        return markup.visible(row.model)

    @admin.display(description="team, as claimed")
    def team_shown(self, row: UsageDay) -> SafeString:
        return markup.claim(row.team) if row.team else SafeString("")

    @admin.display(description="lines")
    def lines(self, row: UsageDay) -> str:
        return f"+{row.lines_added} −{row.lines_removed}" if row.lines_added or row.lines_removed else ""

    @admin.display(description="tokens")
    def tokens(self, row: UsageDay) -> SafeString:
        return markup.number(row.input_tokens + row.output_tokens + row.cache_read_tokens + row.cache_creation_tokens)

    @admin.display(description="reported")
    def reported(self, row: UsageDay) -> str:
        return "" if row.cost_reported is None else words.money(row.cost_reported)

    @admin.display(description="computed")
    def computed(self, row: UsageDay) -> str:
        return "" if row.cost_computed is None else words.money(row.cost_computed)

    def download_columns(self, request: HttpRequest) -> list[Column]:
        """As the list, with exact figures."""
        exact: dict[str, Column] = {
            "reported": ("cost_reported", lambda row: row.cost_reported),
            "computed": ("cost_computed", lambda row: row.cost_computed),
            "lines": ("lines_added", lambda row: row.lines_added),
        }
        kinds = ("lines_removed", *(f"{name}_tokens" for name in ("input", "output", "cache_read", "cache_creation")))
        shown = [exact.get(column[0], column) for column in super().download_columns(request)]
        return [*shown, *((name, _Reading(name)) for name in (*kinds, "tools"))]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.usage_view)
        return [
            path("usage/", view, name="connectors_usage"),
            path("usage.<str:form>", self.admin_site.admin_view(self.file_view), name="connectors_usage_file"),
            *super().get_urls(),
        ]

    def usage_view(self, request: HttpRequest) -> Any:
        return usage_page.view(self, request)

    def file_view(self, request: HttpRequest, form: str) -> Any:
        return usage_page.download(self, request, form)
