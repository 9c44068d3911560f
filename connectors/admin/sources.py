"""Sources: groups of hosts that report together, what is taken from them, and what comes."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import acts
from audit.listing import markup
from audit.listing.changes import RecordedChanges
from audit.listing.keyset import Keyset
from audit.listing.readonly import ListingAdmin
from connectors import books, sources
from connectors.admin import states, token_page
from connectors.admin.forms import AGENTS, CONTENT_CHOICES, SIGNAL_CHOICES
from connectors.admin.installations import named
from connectors.admin.states import NEVER
from connectors.models import Installation, Source
from connectors.roster import clients

MONTH = dt.timedelta(days=30)
SHOWN = 10


class SourceForm(forms.ModelForm):
    agent = forms.ChoiceField(choices=AGENTS, required=False, help_text=Source._meta.get_field("agent").help_text)
    signals = forms.ChoiceField(
        choices=SIGNAL_CHOICES,
        help_text="The rest is refused with 403, which clients do not send again. What came before stays.",
    )
    content = forms.ChoiceField(
        choices=CONTENT_CHOICES,
        help_text="Prompts, responses, commands, tool input and every attribute not known to be harmless. Dropped"
        " before anything is hashed or stored, from the next request on; names of tools, servers and models, decisions"
        " and counts stay. What came before stays until it is erased.",
    )

    class Meta:
        model = Source
        fields = (
            "name",
            "team",
            "environment",
            "agent",
            "signals",
            "content",
            "records_per_minute",
            "expected_installations",
        )
        help_texts = {
            "records_per_minute": "Over all its tokens, besides the budget of each. More is turned away with 429 for a"
            " moment, and the client sends it again. Empty: no limit.",
            "expected_installations": "How many should report; held against those seen in 30 days. Empty: not known.",
        }


class ArchivedFilter(admin.SimpleListFilter):
    """What is archived is shown only to those who ask for it."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("archived", "Archived"), ("all", "All")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        usual, *others = super().choices(changelist)
        yield {**usual, "display": "In use"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "archived")


class SourceAdmin(RecordedChanges, ListingAdmin):
    """Sources come with their first token and stay: events name them."""

    form = SourceForm
    fieldsets = (
        ("What it is", {"fields": ("name", "team", "environment", "agent")}),
        ("What is taken from it", {"fields": ("signals", "content", "records_per_minute")}),
        ("What is expected of it", {"fields": ("expected_installations",)}),
    )
    change_form_template = "admin/connectors/source/change_form.html"
    keysets = {"newest": Keyset("-id")}
    act_noun = "source"
    list_title = "Sources"
    list_lede = "hosts that report together"
    list_empty = "A source is a group of hosts that report together. It comes with its first ingestion token."
    list_display = ("name", "team", "environment", "agent", "takes", "tokens", "seen_of", "seen")
    list_numeric = ("tokens", "seen_of")
    list_filter = (ArchivedFilter, "signals", "content")
    search_fields = ("name", "team", "environment")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Source.objects.annotate(token_count=Count("tokens"), last_seen_at=Max("tokens__last_used_at"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def act_facts(self, obj: Any) -> Mapping[str, Any]:
        """The policy as it is now: who reads the ledger later sees from when on what was taken."""
        policy = {"source.signals": obj.signals, "source.content": obj.content}
        if obj.records_per_minute is not None:
            policy["source.records_per_minute"] = obj.records_per_minute
        return policy

    @admin.display(description="takes")
    def takes(self, source: Any) -> SafeString:
        """Only what is not usual."""
        told = [] if source.signals == "all" else [f"{source.signals} only"]
        told += ["no content"] if source.content == "drop" else []
        return SafeString(" ".join(markup.tag(each) for each in told))

    @admin.display(description="tokens")
    def tokens(self, source: Any) -> SafeString:
        url = reverse("admin:connectors_ingesttoken_changelist")
        return format_html('<a href="{}?source__id__exact={}">{}</a>', url, source.pk, source.token_count)

    @admin.display(description="seen of expected")
    def seen_of(self, source: Any) -> SafeString:
        """Installations of the last 30 days."""
        count = clients.seen(source.pk, timezone.now() - MONTH)
        expected = source.expected_installations
        told = str(count) if expected is None else f"{count} of {expected}"
        url = token_page.listed(source=source.pk)
        return format_html('<a href="{}">{}</a>', url, told)

    @admin.display(description="last seen")
    def seen(self, source: Any) -> SafeString:
        if source.last_seen_at is None:
            return NEVER
        return markup.time(source.last_seen_at, "ago")

    def get_urls(self) -> list[URLPattern]:
        views = {"archive": self.archive_view, "restore": self.restore_view}
        return [
            *(
                path(f"<int:source_id>/{name}/", self.admin_site.admin_view(view), name=f"connectors_source_{name}")
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    def archive_view(self, request: HttpRequest, source_id: int) -> HttpResponse:
        source = self._posted(request, source_id)
        try:
            sources.archive(source, by=acts.person(request.user))
        except sources.StillUsed:
            messages.error(request, "Not archived: a token of it still works. Revoke it first, or let it expire.")
        else:
            messages.success(request, f"{source} is archived. The list shows it under State, Archived.")
        return HttpResponseRedirect(reverse("admin:connectors_source_change", args=[source_id]))

    def restore_view(self, request: HttpRequest, source_id: int) -> HttpResponse:
        sources.restore(self._posted(request, source_id), by=acts.person(request.user))
        return HttpResponseRedirect(reverse("admin:connectors_source_change", args=[source_id]))

    def _posted(self, request: HttpRequest, source_id: int) -> Source:
        source: Source | None = self.get_object(request, str(source_id))
        if source is None or request.method != "POST":
            raise Http404
        if not self.has_change_permission(request, source):
            raise PermissionDenied
        return source

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context.update(self._use(request, context["original"]))
        return super().render_change_form(request, context, *args, **kwargs)

    def _use(self, request: HttpRequest, source: Source) -> dict[str, Any]:
        tokens = list(source.tokens.order_by("-id")[:SHOWN])
        rows = Installation.objects.filter(source_id=source.pk)
        newest = clients.described(rows).order_by("-last_at", "-id")[:SHOWN]
        return {
            "tokens": [(token, states.badge(token), states.end(token)) for token in tokens],
            "tokens_url": f"{reverse('admin:connectors_ingesttoken_changelist')}?source__id__exact={source.pk}",
            "day": token_page.day_of(list(source.tokens.values_list("pk", flat=True))),
            "installations": named(request, newest, "source", source.pk),
            "installations_url": token_page.listed(source=source.pk),
            "seen": clients.seen(source.pk, timezone.now() - MONTH),
            "left": _left(source),
        }


def _left(source: Source) -> int | None:
    """What is left of its budget at this moment; None if it has none, or nothing was taken from it yet."""
    left = books.kept().source_left(source.pk) if source.records_per_minute else None
    return max(0, int(left)) if left is not None else None
