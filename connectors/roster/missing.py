"""How many events of each installation never came: the gaps of its chains, by the event that follows each gap."""

from django.db import connection, transaction
from django.db.models import Sum

from audit import alone
from connectors.models import Installation, RosterCursor

WORK = "missing of installations"

_GAPS = """
SELECT count(*) || ' ' || coalesce(sum(hashtextextended(id || ':' || missing, 0)), 0), coalesce(sum(missing), 0)
FROM audit_gap
"""
_COUNTED = """
WITH after AS (
    SELECT DISTINCT ON (gap.id) gap.missing, event.token_id, event.agent, event.subject_id, event.origin_id
    FROM audit_gap gap JOIN audit_event event ON event.session = gap.session_id AND event.sequence = gap.before
        AND event.chain = gap.chain
    ORDER BY gap.id, event.id DESC
), counted AS (
    SELECT row.id, coalesce(sum(after.missing), 0) AS missing
    FROM connectors_installation row LEFT JOIN after ON after.token_id = row.token_id AND after.agent = row.agent
        AND after.subject_id IS NOT DISTINCT FROM row.subject_id
        AND after.origin_id IS NOT DISTINCT FROM row.origin_id
    GROUP BY row.id
)
UPDATE connectors_installation row SET missing = counted.missing FROM counted
WHERE row.id = counted.id AND row.missing <> counted.missing
"""


def count() -> int:
    """Counts anew if gaps came, closed or went since the last time; how many installations changed.

    Gaps are projections: one may close when a late event comes, so they are counted and not added up.
    """
    with alone.at(WORK) as is_alone:
        return _count() if is_alone else 0


@transaction.atomic
def _count() -> int:
    before = RosterCursor.objects.get_or_create(pk=RosterCursor.ONLY)[0].gaps
    with connection.cursor() as cursor:
        cursor.execute(_GAPS)
        gaps, missing = cursor.fetchone()
        if gaps == before:
            return 0
        cursor.execute(_COUNTED)
        changed: int = cursor.rowcount
    # What no installation was found for is looked for again: its event may not be folded yet.
    found = Installation.objects.aggregate(missing=Sum("missing", default=0))["missing"]
    RosterCursor.objects.filter(pk=RosterCursor.ONLY).update(gaps=gaps if found == missing else "")
    return changed
