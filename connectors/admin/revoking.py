"""Revoking a token in the admin: what it will break, the confirmation, and the receipt."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone

from audit import acts
from audit.tasks import soon
from connectors import scopes, tokens
from connectors.admin import token_page
from connectors.admin.forms import RevokeForm
from connectors.admin.installations import named
from connectors.models import Installation, RevocationReceipt, Token
from connectors.roster import clients
from connectors.tasks import settle_receipts
from connectors.tokens import receipts

DAY = dt.timedelta(days=1)
SHOWN = 5


class RevokingAdmin:
    """The pages of a token's end. For an admin of tokens, whose page, address and form helpers it uses."""

    kind: str
    url: Any
    log_change: Any
    has_change_permission: Any
    has_view_permission: Any
    _found: Any
    _page: Any
    _confirmation: Any

    def revoke_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        token: Token = self._found(request, token_id)
        if not self.has_change_permission(request, token):
            raise PermissionDenied
        if token.revoked_at is not None:
            messages.info(request, f"{token} is revoked already.")
            return self.settled(token)
        form = RevokeForm(request.POST or None, token=token)
        if request.method == "POST" and form.is_valid():
            revoked = tokens.revoke(token, form.cleaned_data["reason"], by=acts.person(request.user))
            self.log_change(request, token, f"Revoked: {revoked.revoke_reason}")
            messages.success(request, f"{revoked} is revoked. It is refused from the next request on.")
            return self.settled(revoked)
        response: HttpResponse = self._confirmation(request, "revoke", token, form, **effect(request, token))
        return response

    def settled(self, token: Token) -> HttpResponse:
        """To the receipt, which is nearly always complete by then; a worker is told of one that is not."""
        receipt = receipts.of(token)
        if receipt is None:
            return HttpResponseRedirect(self.url("change", token))
        if receipts.settle(receipt, receipts.PATIENCE).settled_at is None:
            soon(settle_receipts)
        return HttpResponseRedirect(self.url("receipt", token))

    def receipt_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        receipt = self._receipt(request, token_id)
        token = receipt.token
        response: HttpResponse = self._page(
            request,
            "receipt",
            token,
            title=f"Receipt: {token.name}",
            receipt=receipt,
            refused=receipts.refused(receipt),
            told=told(receipt),
            state_url=self.url("receipt_state", token),
        )
        return response

    def receipt_state_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        """Whether it is complete, for the page that waits for it."""
        return JsonResponse(told(self._receipt(request, token_id)))

    def _receipt(self, request: HttpRequest, token_id: int) -> RevocationReceipt:
        token: Token = self._found(request, token_id)
        if not self.has_view_permission(request, token):
            raise PermissionDenied
        receipt = receipts.of(token)
        if receipt is None:
            raise Http404
        return receipts.settle(receipt)


def told(receipt: RevocationReceipt) -> dict[str, Any]:
    """The receipt in a headline and a sentence (connectors/static/connectors/waiting.js)."""
    if receipt.settled_at is None:
        headline, detail = "Settling.", "A transaction that began before the revocation is still under way."
    else:
        headline = "Settled."
        detail = f"Nothing sent with this token can be stored since {receipt.settled_at:%Y-%m-%d %H:%M:%S} UTC."
    return {"waiting": receipt.settled_at is None, "headline": headline, "detail": detail, "state": "Revoked"}


def effect(request: HttpRequest, token: Token) -> dict[str, Any]:
    """What ends with it, as far as the last day tells: for whoever is about to revoke it."""
    if token.kind == scopes.API:
        return {}
    active = Installation.objects.filter(token_id=token.pk, last_at__gt=timezone.now() - DAY)
    newest = clients.described(active).order_by("-last_at", "-id")[:SHOWN]
    moved = 0
    if hasattr(token, "replaced_by"):
        moved = clients.after_rotation(active).filter(rotation=clients.MOVED).count()
    return {
        "day": token_page.day_of([token.pk]),
        "active_count": active.count(),
        "moved": moved,
        "active_url": token_page.listed(token_id__exact=token.pk),
        "newest": named(request, newest, token_page.SHOWN_ON, token.pk),
    }
