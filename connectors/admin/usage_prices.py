"""The price table: what models cost, from when to when, in which band. A change computes costs again."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from audit.listing import markup, words
from audit.listing.changes import RecordedChanges
from audit.listing.keyset import Keyset
from audit.listing.readonly import ListingAdmin
from audit.tasks import soon
from connectors import tasks
from connectors.models import Price
from connectors.usage import pricing
from connectors.usage.prices import BANDS

PRICES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
_BANDS = [(0, "any, or the first band"), *((band, f"above {words.number(band)} tokens") for band in BANDS)]


class PriceForm(forms.ModelForm):
    above_tokens = forms.TypedChoiceField(
        label="Prompts",
        choices=_BANDS,
        coerce=int,
        help_text="Where prompts above a length cost more, give each band its own price.",
    )

    class Meta:
        model = Price
        fields = ("model", "first_day", "last_day", "above_tokens", "fast", *PRICES, "verified", "origin")
        help_texts = {
            "input": "US dollars for a million tokens.",
            "output": "US dollars for a million tokens.",
            "cache_read": "Empty: not known. Tokens of that kind then have no price.",
            "cache_write_5m": "Used for all tokens written to a cache: clients and vendors do not tell how long for.",
        }
        widgets = {name: forms.TextInput({"class": "vTextField"}) for name in ("model", "origin")}

    def clean_model(self) -> str:
        return str(self.cleaned_data["model"]).strip().lower()

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        for name in PRICES:
            if (price := found.get(name)) is not None and price < 0:
                self.add_error(name, "A price cannot be below 0.")
        first, last = found.get("first_day"), found.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", f"That is before the first day, {first}.")
        elif "model" in found and "above_tokens" in found and (other := self._at_the_same_time(found, first, last)):
            since, until = other.first_day or "the beginning", other.last_day or "now on"
            self.add_error("first_day", f"There is a price already, from {since} to {until}. End that one first.")
        return found

    def _at_the_same_time(self, found: dict[str, Any], first: dt.date | None, last: dt.date | None) -> Price | None:
        same = Price.objects.filter(model=found["model"], above_tokens=found["above_tokens"], fast=found["fast"])
        if first:
            same = same.filter(Q(last_day=None) | Q(last_day__gte=first))
        if last:
            same = same.filter(Q(first_day=None) | Q(first_day__lte=last))
        return same.exclude(pk=self.instance.pk).first()


class PriceAdmin(RecordedChanges, ListingAdmin):
    form = PriceForm
    act_noun = "price"
    list_title = "Prices"
    list_lede = "US dollars for a million tokens; what costs are computed with"
    list_empty = "Without prices no cost is computed; costs that vendors report are shown all the same."
    list_add = "Add a price"
    list_display = ("model", "valid", "band", *(f"shown_{name}" for name in PRICES), "read_by")
    list_numeric = tuple(f"shown_{name}" for name in PRICES)
    list_filter = ("verified", "fast")
    search_fields = ("model",)
    keysets = {"By model": Keyset("model", "id")}
    actions = None
    fieldsets = (
        (None, {"fields": ("model", "first_day", "last_day", "above_tokens", "fast")}),
        ("Price", {"fields": PRICES}),
        ("Where it is from", {"fields": ("verified", "origin")}),
    )

    @admin.display(description="input")
    def shown_input(self, price: Price) -> str:
        return _dollars(price.input)

    @admin.display(description="output")
    def shown_output(self, price: Price) -> str:
        return _dollars(price.output)

    @admin.display(description="cache read")
    def shown_cache_read(self, price: Price) -> str:
        return _dollars(price.cache_read)

    @admin.display(description="written, 5 min")
    def shown_cache_write_5m(self, price: Price) -> str:
        return _dollars(price.cache_write_5m)

    @admin.display(description="1 h")
    def shown_cache_write_1h(self, price: Price) -> str:
        return _dollars(price.cache_write_1h)

    @admin.display(description="valid")
    def valid(self, price: Price) -> str:
        if not price.first_day and not price.last_day:
            return "always"
        return f"{price.first_day or 'ever'} to {price.last_day or 'now on'}"

    @admin.display(description="for")
    def band(self, price: Price) -> str:
        told = [
            f"prompts above {words.number(price.above_tokens)}" if price.above_tokens else "",
            "fast mode" * price.fast,
        ]
        return ", ".join(filter(None, told))

    @admin.display(description="read by")
    def read_by(self, price: Price) -> SafeString:
        if price.verified:
            return markup.state("ok", "vendor's page")
        return markup.state("warn", "not verified")

    def act_facts(self, obj: Any) -> Mapping[str, Any]:
        told = {name: str(getattr(obj, name)) for name in PRICES if getattr(obj, name) is not None}
        days = {name: str(getattr(obj, name) or "") for name in ("first_day", "last_day")}
        return {"price.model": obj.model, "above_tokens": obj.above_tokens, "fast": obj.fast, **days, **told}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if told := waiting_told():
            messages.info(request, told)
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        if change:
            pricing.compute_again(Price.objects.get(pk=obj.pk))
        super().save_model(request, obj, form, change)
        pricing.compute_again(obj)

    def delete_model(self, request: HttpRequest, obj: Price) -> None:
        pricing.compute_again(obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for price in queryset:
            pricing.compute_again(price)
        super().delete_queryset(request, queryset)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._told(super().response_add(request, obj, post_url_continue))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._told(super().response_change(request, obj))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        return self._told(super().response_delete(request, obj_display, obj_id))

    @staticmethod
    def _told(response: HttpResponse) -> HttpResponse:
        """Tells a worker. In vain, if the transaction is still open: the schedule comes to it."""
        soon(tasks.roll_up_usage)
        return response


def _dollars(amount: Decimal | None) -> str:
    """Without zeros that say nothing, but with cents: 0.50, 0.125; empty where nothing is known."""
    if amount is None:
        return ""
    plain = f"{amount.normalize():f}"
    return plain if len(plain.partition(".")[2]) > 2 else f"{amount:.2f}"


def waiting_told() -> str:
    """What is still to be counted or computed again, in a sentence; "" if nothing is."""
    count, first, last = pricing.waiting()
    if not count:
        return ""
    when = f"{first}" if first == last else f"{first} to {last}, newest first"
    return f"Usage and costs of {words.counted(count, 'day')} of sources are being put together again ({when})."
