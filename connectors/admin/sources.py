"""Sources: groups of hosts that report together, and what they are called."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.listing import markup
from audit.listing.keyset import Keyset
from audit.listing.readonly import ListingAdmin
from connectors.admin.forms import AGENTS
from connectors.admin.states import NEVER
from connectors.models import Source


class SourceForm(forms.ModelForm):
    agent = forms.ChoiceField(choices=AGENTS, required=False, help_text=Source._meta.get_field("agent").help_text)

    class Meta:
        model = Source
        fields = ("name", "team", "environment", "agent")


class SourceAdmin(ListingAdmin):
    """Sources come with their first token and stay: events name them."""

    form = SourceForm
    keysets = {"newest": Keyset("-id")}
    list_title = "Sources"
    list_lede = "hosts that report together"
    list_display = ("name", "team", "environment", "agent", "tokens", "seen")
    list_numeric = ("tokens",)
    search_fields = ("name", "team", "environment")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Source.objects.annotate(token_count=Count("tokens"), last_seen_at=Max("tokens__last_used_at"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="tokens")
    def tokens(self, source: Any) -> SafeString:
        url = reverse("admin:connectors_ingesttoken_changelist")
        return format_html('<a href="{}?source__id__exact={}">{}</a>', url, source.pk, source.token_count)

    @admin.display(description="last seen")
    def seen(self, source: Any) -> SafeString:
        if source.last_seen_at is None:
            return NEVER
        return markup.time(source.last_seen_at, "ago")
