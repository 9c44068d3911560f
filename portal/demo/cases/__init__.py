"""The cases a visitor is shown: each a session or two that ends up in the list of what to look at."""

from portal.demo.cases import faults, lifecycle, permissions
from portal.demo.cases.case import Case, Played

CASES: tuple[Case, ...] = (*permissions.CASES, *lifecycle.CASES, *faults.CASES)

__all__ = ["CASES", "Case", "Played"]
