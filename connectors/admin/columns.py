"""The columns of the lists of tokens."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.listing import markup
from connectors.admin import states
from connectors.models import Token


class TokenColumns:
    """What the lists of both kinds show of a token."""

    @admin.display(description="token", ordering="prefix")
    def token(self, token: Token) -> SafeString:
        return format_html('<span class="id">{}…{}</span>', token.prefix, token.last_four)

    @admin.display(description="scopes")
    def allowed(self, token: Token) -> SafeString:
        return format_html_join(" ", "{}", ((markup.tag(scope),) for scope in token.scopes))

    @admin.display(description="networks")
    def from_networks(self, token: Token) -> SafeString:
        if not token.networks:
            return format_html('<span class="quiet">anywhere</span>')
        return format_html_join(", ", '<span class="id">{}</span>', ((each,) for each in token.networks))

    @admin.display(description="state")
    def state(self, token: Token) -> SafeString:
        return states.badge(token)

    @admin.display(description="last used")
    def used(self, token: Token) -> SafeString:
        if token.last_used_at is None:
            return format_html('<span class="quiet">never</span>')
        return markup.time(token.last_used_at, "ago")

    @admin.display(description="expires")
    def ends(self, token: Token) -> SafeString:
        return states.end(token)


class SourceColumns:
    """What an ingestion token's source adds."""

    @admin.display(description="source", ordering="source__name")
    def of_source(self, token: Token) -> SafeString:
        url = reverse("admin:connectors_source_change", args=[token.source_id])
        return format_html('<a href="{}">{}</a>', url, token.source)

    @admin.display(description="team", ordering="source__team")
    def team(self, token: Token) -> str:
        return token.source.team if token.source else ""
