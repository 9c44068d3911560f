"""`{% load portal_lists %}`: what the theme's change lists need beyond Django's own tags."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.template import Context, Library
from django.utils.formats import localize
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.timezone import localtime

from audit.listing import markup
from audit.listing.changelist import Choice, KeysetChangeList, default_chips
from audit.listing.terms import Chip, Download, Empty
from portal.navigation import list_url

register = Library()

_NUMBERS = (models.IntegerField, models.DecimalField, models.FloatField)


@dataclass(frozen=True, slots=True)
class Row:
    classes: str
    cells: list[SafeString]
    errors: str = ""


@register.simple_tag
def rows(cl: ChangeList, headers: Sequence[dict[str, Any]], results: Sequence[Sequence[SafeString]]) -> Iterator[Row]:
    """The list's rows, each cell told its column's label (for cards on phones), its role and whether it is a number."""
    columns = [_column(cl, name, header) for name, header in zip(cl.list_display, headers, strict=True)]
    row_class = getattr(cl.model_admin, "row_class", None)
    for instance, cells in zip(cl.result_list, results, strict=True):
        timed = [_timed(cell, instance, name) for cell, name in zip(cells, cl.list_display, strict=False)]
        labelled = [_labelled(cell, *column) for cell, column in zip(timed, columns, strict=True)]
        form = getattr(cells, "form", None)
        errors = form.non_field_errors() if form else ""
        yield Row(row_class(instance) if row_class else "", [*labelled, *cells[len(columns) :]], errors)


@register.simple_tag
def header_class(cl: ChangeList, index: int, header: dict[str, Any]) -> SafeString:
    """The header's own class attribute, with the classes of its column."""
    attribute = str(header["class_attrib"])
    classes = _classes(cl, _name(cl.list_display[index])).split()
    extra = " ".join(name for name in ("num", "wide") if name in classes)
    return mark_safe(attribute.replace('class="', f'class="{extra} ', 1) if extra else attribute)  # noqa: S308 - ours


def _column(cl: ChangeList, name: Any, header: dict[str, Any]) -> tuple[str, str]:
    name = _name(name)
    plain = name == "action_checkbox" or name in getattr(cl.model_admin, "list_plain", ())
    return ("" if plain else str(capfirst(header["text"])), _classes(cl, name))


def _name(column: Any) -> str:
    return column if isinstance(column, str) else getattr(column, "__name__", "")


def _classes(cl: ChangeList, name: str) -> str:
    """`num` for numbers; `minor`, `wide` and `long` as the model's admin lists them (ListingAdmin)."""
    field = next((field for field in cl.lookup_opts.fields if field.name == name), None)
    numeric = isinstance(field, _NUMBERS) and not field.is_relation and not field.choices and not field.primary_key
    classes = (
        "num" if numeric or name in getattr(cl.model_admin, "list_numeric", ()) else "",
        *(each for each in ("minor", "wide", "long") if name in getattr(cl.model_admin, f"list_{each}", ())),
    )
    return " ".join(filter(None, classes))


def _timed(cell: SafeString, instance: models.Model, name: Any) -> SafeString:
    """A cell in which Django wrote a field's time: the same time, told as everywhere else."""
    value = getattr(instance, name, None) if isinstance(name, str) else None
    if not isinstance(value, dt.datetime):
        return cell
    return mark_safe(str(cell).replace(conditional_escape(localize(localtime(value))), markup.time(value), 1))  # noqa: S308


def _labelled(cell: SafeString, label: str, classes: str) -> SafeString:
    """Django's cell with our attributes: it begins with `<td class="` or `<th class="`, which Django wrote itself."""
    tag, rest = str(cell)[:3], str(cell)[3:]
    if classes:
        rest = rest.replace('class="', f'class="{classes} ', 1)
    role = 'scope="row" role="rowheader"' if tag == "<th" else 'role="cell"'
    named = format_html(' data-label="{}"', label) if label and tag != "<th" else ""
    return mark_safe(f"{tag} {role}{conditional_escape(named)}{rest}")  # noqa: S308 - Django's own escaped cell


@register.simple_tag
def wide_columns(cl: ChangeList, headers: Sequence[dict[str, Any]]) -> str:
    """The columns that a window of usual width has no room for, in words; "" for none."""
    wide = getattr(cl.model_admin, "list_wide", ())
    named = zip(cl.list_display, headers, strict=True)
    return ", ".join(str(header["text"]) for column, header in named if _name(column) in wide)


@register.simple_tag
def chips(cl: ChangeList) -> Sequence[Chip]:
    return cl.chips if isinstance(cl, KeysetChangeList) else default_chips(cl)


@register.simple_tag(takes_context=True)
def siblings(context: Context, cl: ChangeList) -> list[Choice]:
    """Lists that belong together, as the model's admin names them: `list_siblings = (("People", "auth.user"), …)`."""
    request, site = context["request"], cl.model_admin.admin_site
    named = (
        (label, model, list_url(site, request, model)) for label, model in getattr(cl.model_admin, "list_siblings", ())
    )
    return [Choice(label, url, model == cl.opts.label_lower) for label, model, url in named if url]


@register.simple_tag(takes_context=True)
def downloads(context: Context, cl: ChangeList) -> list[Download]:
    """None of a list whose query has a fault: it is not the one that was asked for."""
    if getattr(cl, "query_error", None):
        return []
    offered = getattr(cl.model_admin, "downloads", None)
    return offered(context["request"], cl.get_query_string({"p": None})) if offered else []


@register.simple_tag
def nothing_found(cl: ChangeList) -> Empty:
    """What an empty list says; a stopped query says that instead."""
    plural = str(cl.opts.verbose_name_plural)
    if not isinstance(cl, KeysetChangeList):
        if default_chips(cl):
            return Empty(f"No {plural} match")
        return Empty(f"No {plural} yet", getattr(cl.model_admin, "list_empty", ""))
    if cl.stopped:
        return Empty(
            "This query took too long and was stopped",
            "Nothing is shown, which does not mean that nothing matches. One more term makes it faster.",
        )
    empty: Empty = cl.model_admin.nothing_found(cl.request, cl)
    return empty
