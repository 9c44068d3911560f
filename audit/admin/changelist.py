"""The change list of evidence: asked through the query bar, whose terms are its chips and facets."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import query
from audit.admin import asking, rights
from audit.admin.asking import Asked
from audit.listing import counting
from audit.listing.changelist import COUNT_VAR, KeysetChangeList, lookup_chips
from audit.listing.counting import Count
from audit.listing.terms import Chip, QueryError
from audit.query import Fault, Term


class EvidenceChangeList(KeysetChangeList):
    """`asked` is what the query bar says; terms that could not be read are left out, and the reader is told so."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        admin = kwargs.get("model_admin") or args[10]
        text = request.GET.get(SEARCH_VAR, "")
        self.asked: Asked = asking.read(text, admin.bar, rights.of(request))
        super().__init__(request, *args, **kwargs)
        faults = self.asked.query.faults
        self.query_error = self._error(faults[0]) if faults else None

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet:
        found = self.asked.answer(self.within(super().get_queryset(request, exclude_parameters)))
        self.has_active_filters = bool(self.asked.query.terms)
        self.clear_all_filters_qs = self.get_query_string({SEARCH_VAR: None})
        self.alternatives = self.asked.saying(found)
        if not self.alternatives:
            return found
        says = Q()
        for alternative in self.alternatives:
            says |= Q(pk__in=alternative.order_by().values("pk"))
        return found.filter(says)

    def within(self, rows: QuerySet) -> QuerySet:
        """Which rows are there at all, whatever is asked."""
        return rows

    def _count(self, request: HttpRequest) -> Count:
        if not self.alternatives or request.GET.get(COUNT_VAR) == "exact":
            return super()._count(request)
        try:
            with counting.deadline(counting.PATIENCE_MS):
                number = self.matches().count()
        except counting.TooSlow:
            return Count(len(self.result_list), exact=False)
        return Count(min(number, counting.LIMIT), exact=number <= counting.LIMIT)

    def matches(self) -> QuerySet:
        """The keys of all rows, or of more than are counted.

        Of a text search, its alternatives are read one by one: a single query over all of them is far slower.
        """
        first, *others = (
            found.order_by().values("pk")[: counting.LIMIT + 1] for found in self.alternatives or [self.queryset]
        )
        return first.union(*others)

    def _error(self, fault: Fault) -> QueryError:
        """What the reader is told of a fault: where it is, and what may have been meant."""
        text = self.asked.query.text
        corrected = text[: fault.start] + fault.suggestion + text[fault.end :]
        return QueryError(
            text, fault.start, fault.end, fault.message,
            suggestion=text[self._begin(fault) : fault.start] + fault.suggestion if fault.suggestion else "",
            suggestion_url=self.asking(corrected) if fault.suggestion else "",
            others=fault.others,
        )  # fmt: skip

    def _begin(self, fault: Fault) -> int:
        """Where the term begins that has the fault."""
        text = self.asked.query.text
        return max((place + 1 for place in range(fault.start) if text[place].isspace()), default=0)

    def asking(self, text: str) -> str:
        """The query string of this list with another query."""
        return self.get_query_string({SEARCH_VAR: text or None})

    @property
    def chips(self) -> Sequence[Chip]:
        asked = self.asked.query
        good = [(term.start, self._chip(term)) for term in asked.terms]
        bad = [(fault.start, self._bad(fault)) for fault in asked.faults]
        return [*(chip for _, chip in sorted(good + bad, key=lambda placed: placed[0])), *lookup_chips(self)]

    def _chip(self, term: Term) -> Chip:
        field = self.model_admin.bar.fields.get(term.name)
        value = query.told(term.value) if field and field.time else term.value
        label = term.name or "says"
        return Chip(
            f"not {label}" if term.negated else label, value, self.asking(query.without(self.asked.query, term))
        )

    def _bad(self, fault: Fault) -> Chip:
        text, begin = self.asked.query.text, self._begin(fault)
        name, colon, value = text[begin : fault.end].partition(":")
        without = self.asking(f"{text[:begin]}{text[fault.end :]}".strip())
        return Chip(name if colon else "not understood", value if colon else name, without, bad=True)

    @property
    def understood(self) -> str:
        """The part of the query that was answered."""
        return query.spell(self.asked.query.terms)


def link(url: str, *terms: Term) -> str:
    """The address of a list with these terms in its query bar."""
    return f"{url}?{urlencode({SEARCH_VAR: query.spell(terms)})}"
