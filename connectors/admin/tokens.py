"""Tokens in the admin: listed, issued and shown once, rotated, revoked. Nothing here can show a secret twice.

A secret is in one answer only, the one to the form that made it. It is never put into a message, a session, an address
or the history; sending the form again issues nothing.
"""

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit import acts
from audit.listing.keyset import Keyset
from audit.listing.readonly import ListingAdmin
from connectors import scopes, snippets, tokens
from connectors.admin import states, token_page
from connectors.admin.columns import SourceColumns, TokenColumns
from connectors.admin.forms import ApiTokenForm, IngestTokenForm, IssueForm, RotateForm, may_grant
from connectors.admin.leaks import LeakAdmin
from connectors.admin.revoking import RevokingAdmin
from connectors.admin.setup import PLACEHOLDER, setup
from connectors.models import STATES, Token, in_state
from connectors.tokens import receipts


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return states.choices(model_admin.kind)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        state = self.value()
        return queryset.filter(in_state(state, timezone.now())) if state in STATES else queryset


class TokenAdmin(TokenColumns, RevokingAdmin, LeakAdmin, ListingAdmin):
    """What both kinds share."""

    kind = ""
    form_class: type[IssueForm]
    issue_words = ""
    keysets = {"newest": Keyset("-id")}
    list_display: tuple[str, ...] = ()
    list_filter = (StateFilter,)
    list_long = ("allowed", "signals")
    search_fields: ClassVar[tuple[str, ...]] = ("name", "prefix", "last_four")
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        views = {
            "rotate": self.rotate_view,
            "revoke": self.revoke_view,
            "state": self.state_view,
            "receipt": self.receipt_view,
            "receipt_state": self.receipt_state_view,
            "leak": self.leak_view,
        }
        return [
            path("leaked/", self.admin_site.admin_view(self.leaked_view), name=self._url_name("leaked")),
            *(
                path(
                    f"<int:token_id>/{name.replace('_', '/')}/",
                    self.admin_site.admin_view(view),
                    name=self._url_name(name),
                )
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def url(self, page: str, token: Token | None = None) -> str:
        return reverse(f"admin:{self._url_name(page)}", args=[token.pk] if token else [])

    # ── One token ───────────────────────────────────────────────────────────────────────────────

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The token's page. What a token is does not change, so there is nothing to save."""
        token = self.get_object(request, unquote(object_id))
        if token is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_view_permission(request, token):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        about = {**self._setup(token, PLACEHOLDER), **self._use(request, token), "receipt": receipts.of(token)}
        return self._page(request, "token", token, **about, **(extra_context or {}))

    def _use(self, request: HttpRequest, token: Token) -> dict[str, Any]:
        """What its page tells of its use."""
        return {}

    def _page(self, request: HttpRequest, template: str, token: Token | None, **context: Any) -> TemplateResponse:
        about = self._about(request, token) if token else {"title": self.issue_words}
        return TemplateResponse(
            request,
            f"admin/connectors/{template}.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "list_title": self.list_title,
                "list_url": self.url("changelist"),
                "is_ingest": self.kind == scopes.INGEST,
                "token": token,
                **about,
                **context,
            },
        )

    def _about(self, request: HttpRequest, token: Token) -> dict[str, Any]:
        pages = ("change", "rotate", "revoke", "state", "history", "receipt", "leak")
        may_change = self.has_change_permission(request, token)
        rotatable = token.works and token.valid_until is None
        return {
            "title": token.name,
            "badge": states.badge(token),
            "end": states.end(token),
            "sighting": states.sighting(token),
            "refusals": states.refusals(token),
            "may_rotate": rotatable and self._may_rotate(request, token),
            "may_revoke": token.revoked_at is None and may_change,
            "may_leak": may_change,
            "leaked_url": f"{self.url('leaked')}?token={token.pk}"
            if token.revoked_at is None
            else self.url("leak", token),
            "page": {name: self.url(name, token) for name in pages} | self._neighbours(token),
        }

    def _neighbours(self, token: Token) -> dict[str, str]:
        """The pages of the token it came in place of and of the one in its place."""
        both = {"rotated_from": token.rotated_from, "replaced_by": getattr(token, "replaced_by", None)}
        return {name: self.url("change", other) for name, other in both.items() if other}

    def _setup(self, token: Token, secret: str) -> dict[str, Any]:
        """What to paste where, with `secret` in it."""
        raise NotImplementedError

    def state_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        """Whether the first event has come, for the page that waits for it."""
        token = self._found(request, token_id)
        if not self.has_view_permission(request, token):
            raise PermissionDenied
        sighting = states.sighting(token)
        return JsonResponse(
            {
                "waiting": sighting.waiting,
                "headline": sighting.headline,
                "detail": sighting.detail,
                "state": states.label(token.state, token.kind),
            }
        )

    def _found(self, request: HttpRequest, token_id: int) -> Token:
        token: Token | None = self.get_object(request, str(token_id))
        if token is None:
            raise Http404
        return token

    def _of_kind(self, token: Token) -> Token:
        """The token as this admin's model, under which its history is kept."""
        return self.model._default_manager.get(pk=token.pk)  # type: ignore[no-any-return]

    # ── Issuing ─────────────────────────────────────────────────────────────────────────────────

    @sensitive_variables("secret")
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.form_class(request.POST or None, user=request.user, initial=request.GET.dict())
        if issued := form.issued():
            return self._shown_already(request, issued)
        if request.method == "POST" and form.is_valid():
            try:
                token, secret = form.issue(acts.person(request.user))
            except tokens.AlreadyIssued as again:
                return self._shown_already(request, again.token)
            self.log_addition(request, self._of_kind(token), "Issued.")
            return self._issued(request, token, secret)
        return self._form_page(request, "issue", None, form, self.form_class.fieldsets)

    def _form_page(
        self, request: HttpRequest, template: str, token: Token | None, form: forms.Form, fieldsets: Any, **context: Any
    ) -> HttpResponse:
        drawn = AdminForm(form, fieldsets, {}, model_admin=self)  # type: ignore[arg-type] # any form has what it draws
        wrong = [field for field in form.visible_fields() if field.errors]
        return self._page(request, template, token, form=form, fieldsets=drawn, wrong=wrong, **context)

    @sensitive_variables("secret")
    def _issued(self, request: HttpRequest, token: Token, secret: str) -> HttpResponse:
        """The only page with the secret. It answers the form itself: no redirect could carry a secret safely."""
        response = self._page(request, "issued", token, secret=secret, **self._setup(token, secret))
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response

    def _shown_already(self, request: HttpRequest, token: Token) -> HttpResponse:
        messages.warning(
            request,
            f"This form has issued {token} already, and the token was shown then. It cannot be shown again: "
            "if nobody copied it, rotate it.",
        )
        return HttpResponseRedirect(self.url("change", token))

    # ── Rotating and revoking ───────────────────────────────────────────────────────────────────

    def _may_rotate(self, request: HttpRequest, token: Token) -> bool:
        """Rotating shows a secret with the same scopes, so it takes what issuing it takes."""
        allowed = self.has_add_permission(request) and self.has_change_permission(request, token)
        return allowed and all(may_grant(request.user, scope) for scope in token.scopes)

    @sensitive_variables("secret")
    def rotate_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        token = self._found(request, token_id)
        if not self._may_rotate(request, token):
            raise PermissionDenied
        form = RotateForm(request.POST or None)
        if issued := form.issued():
            return self._shown_already(request, issued)
        if not token.works:
            return self._refused(request, token, tokens.TokenError(f"This token is {token.state}; issue a new one."))
        if request.method == "POST" and form.is_valid():
            data, by = form.cleaned_data, acts.person(request.user)
            try:
                overlap = dt.timedelta(seconds=data["overlap"])
                new, secret = tokens.rotate(token, overlap, by=by, form_key=data["form_key"])
            except tokens.AlreadyIssued as again:
                return self._shown_already(request, again.token)
            except tokens.TokenError as error:
                return self._refused(request, token, error)
            self.log_change(request, token, f"Rotated: replaced by {new}.")
            self.log_addition(request, self._of_kind(new), f"Issued in place of {token}.")
            return self._issued(request, new, secret)
        return self._confirmation(request, "rotate", token, form)

    def _confirmation(
        self, request: HttpRequest, act: str, token: Token, form: forms.Form, **context: Any
    ) -> HttpResponse:
        names = [field.name for field in form.visible_fields()]
        title = f"{act.capitalize()} {token.name}"
        return self._form_page(request, act, token, form, ((None, {"fields": names}),), title=title, **context)

    def _refused(self, request: HttpRequest, token: Token, error: tokens.TokenError) -> HttpResponse:
        messages.error(request, str(error))
        return HttpResponseRedirect(self.url("change", token))


class IngestTokenAdmin(SourceColumns, TokenAdmin):
    kind = scopes.INGEST
    form_class = IngestTokenForm
    list_title = "Ingestion tokens"
    list_lede = "write-only; agents send with them; revoked ones are kept"
    list_empty = "Agents send with one. “Issue token” asks what it is for and gives the settings to paste."
    issue_words = "Issue ingestion token"
    list_display = ("name", "token", "team", "signals", "state", "used", "ends")
    list_select_related = ("source",)
    search_fields: ClassVar[tuple[str, ...]] = (*TokenAdmin.search_fields, "source__name", "source__team")

    def _use(self, request: HttpRequest, token: Token) -> dict[str, Any]:
        return token_page.of_ingestion(request, token)

    def _setup(self, token: Token, secret: str) -> dict[str, Any]:
        return setup(token, secret)


class ApiTokenAdmin(TokenAdmin):
    kind = scopes.API
    form_class = ApiTokenForm
    list_title = "API tokens"
    list_lede = "programs read with them; revoked ones are kept"
    list_empty = (
        "Programs read with one, such as a SIEM that follows the export feed. Each may do only what its scopes name."
    )
    issue_words = "Issue API token"
    list_display = ("name", "token", "allowed", "state", "used", "ends")

    def _setup(self, token: Token, secret: str) -> dict[str, Any]:
        return {
            "local_only": snippets.is_local(settings.PUBLIC_URL),
            "requests": snippets.requests(settings.PUBLIC_URL, secret, token.scopes),
        }
