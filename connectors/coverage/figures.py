"""How many there are of what coverage found."""

from django.db.models import Count, Q

from connectors.coverage.judging import REPORTS
from connectors.models import Covered

EXPECTED = (Covered.Kind.SEAT, Covered.Kind.DEVICE)
"""What should report: there is a list that says so."""


def by_state() -> dict[str, int]:
    return dict(Covered.objects.order_by().values_list("state").annotate(n=Count("pk")))


def expected() -> tuple[int, int]:
    """How many seats and devices report, and how many there are."""
    found = Covered.objects.filter(kind__in=EXPECTED).aggregate(
        covered=Count("pk", filter=Q(state__in=REPORTS)), every=Count("pk")
    )
    return found["covered"], found["every"]
