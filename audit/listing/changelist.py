"""Django's change list over a keyset: pages by cursor, capped counts, chips. `ListingAdmin` says what an admin sets."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from audit.listing import counting
from audit.listing.counting import Count
from audit.listing.keyset import BadCursor, Keyset
from audit.listing.terms import Chip, Dropped, QueryError

OLDER_VAR, NEWER_VAR, ORDER_BY_VAR, COUNT_VAR = "older", "newer", "by", "count"
OWN_VARS = (OLDER_VAR, NEWER_VAR, ORDER_BY_VAR, COUNT_VAR)
PAGE_PATIENCE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Pages:
    """Links to the neighbours of this page; "" where there is none."""

    order: str
    newer: str
    older: str
    newer_label: str = "Newer"
    older_label: str = "Older"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways to see a list."""

    label: str
    url: str
    current: bool


class KeysetChangeList(ChangeList):
    """The rows of one page, in one of the orders its admin names in `keysets`.

    After construction: `pages`, `count`, `orders`, `is_narrowed` (anything was asked for), `stopped` (the query was
    slower than anyone should wait, and no row is shown).
    """

    model_admin: Any  # a ListingAdmin, whose module imports this one
    query_error: QueryError | None = None
    alternatives: Sequence[QuerySet] = ()
    """The same rows as `queryset`, cut so that each part is read through an index (audit.search)."""
    stopped = False

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        self.order, self.keyset = self._order(request, kwargs.get("model_admin") or args[10])
        super().__init__(request, *args, **kwargs)

    @staticmethod
    def _order(request: HttpRequest, model_admin: Any) -> tuple[str, Keyset]:
        keysets: dict[str, Keyset] = model_admin.keysets
        label = request.GET.get(ORDER_BY_VAR, "")
        return (label, keysets[label]) if label in keysets else next(iter(keysets.items()))

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in OWN_VARS}

    def get_query_string(self, new_params: dict[str, Any] | None = None, remove: Iterable[str] | None = None) -> str:
        """As Django's, from the beginning of the list: another query has other pages."""
        fresh = {OLDER_VAR: None, NEWER_VAR: None, COUNT_VAR: None, **(new_params or {})}
        return super().get_query_string(fresh, remove)

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        return list(self.keyset.ordering)

    def get_ordering_field_columns(self) -> dict[int, Any]:
        return {}

    def get_results(self, request: HttpRequest) -> None:
        after, before = request.GET.get(OLDER_VAR, ""), request.GET.get(NEWER_VAR, "")
        try:
            with counting.deadline(PAGE_PATIENCE_MS, self.queryset.db):
                found = self.alternatives or self.queryset
                page = self.keyset.page(found, self.list_per_page, after=after, before=before)
        except BadCursor as error:
            raise IncorrectLookupParameters(error) from error
        except counting.TooSlow:
            self.stopped, self.result_list, self.count = True, [], Count(0, exact=False)
        else:
            self.result_list = page.rows
            self.pages = self._pages(page.previous, page.next)
            alone = not page.previous and not page.next
            self.count = Count(len(page.rows)) if alone else self._count(request)
        self.result_count = self.count.number
        self.full_result_count, self.show_full_result_count = None, False
        self.show_admin_actions = bool(self.result_list)
        self.can_show_all = self.multi_page = False
        self.paginator = None

    def _count(self, request: HttpRequest) -> Count:
        counted = counting.exact if request.GET.get(COUNT_VAR) == "exact" else counting.capped
        return counted(self.queryset)

    def _pages(self, previous: str | None, following: str | None) -> Pages:
        newest_first = self.keyset.descending
        # The list may show another time than the one it goes by.
        by = "" if "newest" in self.order.lower() else f" by when {self.order.lower()}"
        return Pages(
            order=f"Newest first{by}" if newest_first else "In order",
            newer=self.get_query_string({NEWER_VAR: previous}) if previous else "",
            older=self.get_query_string({OLDER_VAR: following}) if following else "",
            newer_label="Newer" if newest_first else "Previous",
            older_label="Older" if newest_first else "Next",
        )

    @property
    def orders(self) -> list[Choice]:
        """The orders to choose from; empty when there is only one."""
        labels = list(self.model_admin.keysets)
        if len(labels) < 2:
            return []
        return [Choice(each, self.get_query_string({ORDER_BY_VAR: each}), each == self.order) for each in labels]

    @property
    def scopes(self) -> list[Choice]:
        """Which rows there are at all, to choose from; empty when there is nothing to choose."""
        return []

    @property
    def exact_count_url(self) -> str:
        return self.get_query_string({COUNT_VAR: "exact"})

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query or self.has_active_filters or self.get_filters_params())

    @property
    def chips(self) -> Sequence[Chip]:
        chips: Sequence[Chip] = self.model_admin.get_chips(self.request, self)
        return chips

    @property
    def dropped(self) -> list[Dropped]:
        """What each of the first terms takes away: one small query a term, asked only when nothing was found."""
        found = []
        for chip in self.chips[:6]:
            request = copy.copy(self.request)
            request.GET = QueryDict(chip.without.removeprefix("?"))
            cl = self.model_admin.get_changelist_instance(request)
            found.append(Dropped(f"{chip.label} {chip.value}", chip.without, self._told(cl.count)))
        return found

    def _told(self, count: Count) -> str:
        return f"{count.words} {self.opts.verbose_name if count.number == 1 else self.opts.verbose_name_plural}"


def default_chips(cl: ChangeList) -> list[Chip]:
    """One chip for the search text, one for each filter in use, one for each lookup that came with a link."""
    chips = [Chip("search", cl.query, cl.get_query_string({SEARCH_VAR: None}))] if cl.query else []
    rest = {name: values for name, values in cl.filter_params.items() if name in cl.get_filters_params()}
    for spec in cl.filter_specs:
        own = [name for name in spec.expected_parameters() if name and name in rest]
        if own:
            chosen = [str(choice["display"]) for choice in spec.choices(cl) if choice["selected"]]
            told = chosen or [str(value) for name in own for value in rest[name]]
            chips.append(Chip(str(spec.title), ", ".join(told), cl.get_query_string(dict.fromkeys(own))))
        for name in own:
            rest.pop(name)
    return [*chips, *_lookups(cl, rest)]


def lookup_chips(cl: ChangeList) -> list[Chip]:
    """Chips of the look-ups that came with a link, for lists that make chips of their own terms."""
    own = {name for spec in cl.filter_specs for name in spec.expected_parameters()}
    return _lookups(cl, {name: values for name, values in cl.get_filters_params().items() if name not in own})


def _lookups(cl: ChangeList, values: dict[str, Any]) -> list[Chip]:
    return [
        Chip(_spoken(name), ", ".join(map(str, found)), cl.get_query_string({name: None}))
        for name, found in values.items()
    ]


_LOOKUPS = {"gte": "from", "gt": "after", "lt": "before", "lte": "until", "contains": "contains", "isnull": "missing"}


def _spoken(name: str) -> str:
    field, _, lookup = name.rpartition("__")
    if not field or lookup not in _LOOKUPS:
        return name.replace("__", " ").replace("_", " ")
    return f"{field.replace('__', ' ').replace('_', ' ')} {_LOOKUPS[lookup]}"
