"""What is added, changed and deleted through the admin leaves an act of the portal, in the same transaction."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from audit import acts
from audit.listing import names


class RecordedChanges(admin.ModelAdmin):
    """`<act_noun>.created`, `.changed` and `.deleted`, with what `act_facts` and `act_content` tell of the object."""

    act_noun = ""

    def act_facts(self, obj: Any) -> Mapping[str, Any]:
        """Plain words, numbers and truth values; nothing that could name a person."""
        return {}

    def act_content(self, obj: Any) -> Mapping[str, str]:
        return {"object.name": str(obj)}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.CharField):
            field.validators.append(names.check)
        return field

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, "created")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, "changed", fields=", ".join(_fields(message)))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> Any:
        for obj in queryset:
            self._record(request, obj, "deleted")
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, obj: Any, verb: str, **more: str) -> None:
        kind = str(obj._meta.verbose_name).lower().replace(" ", "-")
        acts.require(
            f"{self.act_noun}.{verb}",
            by=acts.person(request.user),
            facts={"object.kind": kind, "object.id": str(obj.pk), **self.act_facts(obj), **more},
            content=dict(self.act_content(obj)),
        )


def _fields(message: Any) -> Iterable[str]:
    """The fields that Django's message for its own log says were changed."""
    parts = message if isinstance(message, list) else []
    return (str(field) for part in parts for field in part.get("changed", {}).get("fields", ()))
