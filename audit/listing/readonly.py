"""Admins of evidence: lists by keyset, downloads, and nothing that could change a row."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.http import HttpRequest, HttpResponse

from audit.listing.changelist import KeysetChangeList, default_chips
from audit.listing.export import DownloadAdmin
from audit.listing.keyset import Keyset
from audit.listing.terms import Chip, Empty, Example


class ListingAdmin(DownloadAdmin):
    """A list that stays fast at any size. What an admin says about its list:

    keysets         orders by the label the reader sees, the first is the default
    list_title      heading; list_lede: a few words after the count
    list_numeric    columns of numbers besides those of number fields; list_minor: columns in small print
    list_wide       columns that only a wide window has room for; downloads have them too
    list_long       columns of long text, which may take more than one line
    list_plain      columns that need no label where the table becomes cards
    list_empty      what an empty list teaches: how its rows come about
    examples        (query, meaning) to learn from, shown when nothing is found; grammar: how to ask, in a sentence
    row_class(row)  an optional method: class names of a row
    """

    keysets: dict[str, Keyset] = {}
    list_title = ""
    list_lede = ""
    list_numeric: Sequence[str] = ()
    list_minor: Sequence[str] = ()
    list_wide: Sequence[str] = ()
    list_long: Sequence[str] = ()
    list_plain: Sequence[str] = ()
    list_empty = ""
    examples: Sequence[tuple[str, str]] = ()
    grammar = ""
    list_per_page = 50
    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    empty_value_display = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if ERROR_FLAG in request.GET:
            messages.warning(request, "That link asked for something this list does not know. Here is the whole list.")
        return super().changelist_view(request, extra_context)

    def get_chips(self, request: HttpRequest, cl: KeysetChangeList) -> Sequence[Chip]:
        return default_chips(cl)

    def evidence_told(self, request: HttpRequest, cl: KeysetChangeList) -> str:
        """Was the evidence complete for what was asked? A sentence, or nothing where that cannot be said."""
        return ""

    def nothing_found(self, request: HttpRequest, cl: KeysetChangeList) -> Empty:
        """What an empty list says."""
        plural = str(cl.opts.verbose_name_plural)
        terms = len(cl.chips)
        examples = [Example(query, cl.get_query_string({"q": query}), meaning) for query, meaning in self.examples]
        if not cl.is_narrowed:
            return Empty(f"No {plural} yet", self.evidence_told(request, cl) or self.list_empty)
        all_of = {1: "this", 2: "both terms"}.get(terms, f"all {terms} terms")
        return Empty(
            f"No {cl.opts.verbose_name} matches {all_of}",
            self.evidence_told(request, cl),
            cl.dropped,
            self.grammar,
            examples,
        )


class ReadOnlyAdmin(ListingAdmin):
    """Evidence: it can be read by those who may, and by nobody changed, whatever their permissions."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
