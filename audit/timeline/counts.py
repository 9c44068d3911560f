"""How many rows each show has: mostly from what is projected, the rest counted inside the session."""

from django.db.models import Count, Q

from audit.models import Session, ToolUse
from audit.timeline.pages import events_of
from audit.timeline.shows import BLOCKING_HOOK, BYPASS, FACTS_TEXT, POLICIES, SHOWS, STEP_KINDS
from audit.vocabulary import Kind


def counts(session: Session) -> dict[str, int]:
    """Rows by show, exact."""
    kinds = session.kinds
    uses = ToolUse.objects.filter(session=session.pk).aggregate(
        bypass=Count("id", filter=SHOWS["bypass"].uses),
        mcp=Count("id", filter=SHOWS["mcp"].uses),
        writes=Count("id", filter=SHOWS["writes"].uses),
        errors=Count("id", filter=SHOWS["errors"].uses),
    )
    events = _events(session)
    return {
        "steps": session.tool_uses + sum(kinds.get(kind, 0) for kind in STEP_KINDS) + events["hooks"] + session.gaps,
        **{show: decided(session, show) for show in ("rejected", "person", "policy", "hook", "unknown")},
        "bypass": uses["bypass"] + events["bypass"],
        "mcp": uses["mcp"] + kinds.get(Kind.MCP_CONNECTION, 0),
        "writes": uses["writes"],
        "errors": uses["errors"] + kinds.get(Kind.API_ERROR, 0) + events["failures"],
        "all": session.events,
    }


def decided(session: Session, show: str) -> int:
    """Rows of a show that is about decisions, from the session's own counters (`decision:decided_by`)."""
    by: dict[str, int] = session.decisions
    if show == "rejected":
        return sum(count for key, count in by.items() if key.startswith("reject:"))
    if show == "unknown":
        recorded = sum(by.values())
        return session.tool_uses - recorded + sum(_by(by, "unknown", "None"))
    return sum(_by(by, *(POLICIES if show == "policy" else (show,))))


def _by(decisions: dict[str, int], *authorities: str) -> list[int]:
    return [count for key, count in decisions.items() if key.rpartition(":")[2] in authorities]


def _events(session: Session) -> dict[str, int]:
    """Counted only where the session has any of that kind."""
    wanted = {
        "hooks": (Kind.HOOK, BLOCKING_HOOK),
        "bypass": (Kind.MODE_CHANGE, Q(kind=Kind.MODE_CHANGE, to_mode=BYPASS)),
        "failures": (None, Q(kind__in=(Kind.MCP_CONNECTION, Kind.AUTH, Kind.COMPACTION), outcome="failure")),
    }
    some = {name: q for name, (kind, q) in wanted.items() if kind is None or session.kinds.get(kind)}
    aggregates = {name: Count("id", filter=q) for name, q in some.items()}
    kinds = (Kind.HOOK, Kind.MODE_CHANGE, Kind.MCP_CONNECTION, Kind.AUTH, Kind.COMPACTION)
    found = events_of(session).filter(kind__in=kinds).alias(**FACTS_TEXT).aggregate(**aggregates)
    return {name: found.get(name) or 0 for name in wanted}
