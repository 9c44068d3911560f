"""The columns of the lists of tokens."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.listing import markup
from connectors.admin import states
from connectors.admin.states import NEVER
from connectors.models import Token


class TokenColumns:
    """What the lists of both kinds show of a token."""

    @admin.display(description="token", ordering="prefix")
    def token(self, token: Token) -> SafeString:
        return format_html('<span class="id">{}…{}</span>', token.prefix, token.last_four)

    @admin.display(description="may send")
    def signals(self, token: Token) -> SafeString:
        return self.allowed(token)

    @admin.display(description="scopes")
    def allowed(self, token: Token) -> SafeString:
        """The scopes, and the networks it is bound to."""
        tags = format_html_join(" ", "{}", ((markup.tag(scope),) for scope in token.scopes))
        if not token.networks:
            return tags
        return format_html(
            '{} <small class="quiet">from <span class="id">{}</span></small>', tags, ", ".join(token.networks)
        )

    @admin.display(description="state")
    def state(self, token: Token) -> SafeString:
        return states.badge(token)

    @admin.display(description="last used")
    def used(self, token: Token) -> SafeString:
        if token.last_used_at is None:
            return NEVER
        return markup.time(token.last_used_at, "ago")

    @admin.display(description="expires")
    def ends(self, token: Token) -> SafeString:
        return states.end(token)


class SourceColumns:
    """What an ingestion token's source adds."""

    @admin.display(description="team", ordering="source__team")
    def team(self, token: Token) -> SafeString:
        """The source's team, and the source itself where it is not called as the token is."""
        source = token.source
        if source is None:
            return SafeString()
        if source.name == token.name:
            return format_html("{}", source.team)
        url = reverse("admin:connectors_source_change", args=[source.pk])
        return format_html('{} <small class="quiet">source <a href="{}">{}</a></small>', source.team, url, source)
