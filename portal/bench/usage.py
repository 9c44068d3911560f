"""The usage page for many people of whom two feeds speak: every day of three months, three rows each."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection, connections, transaction
from django.utils import timezone

from connectors.models import Connection, Pull, UsageDay
from portal.bench.reading import Target, time_of

PEOPLE, DAYS = 500, 90
ENDPOINT = "claude_code"

_PEOPLE = """
    INSERT INTO connectors_team (name, cost_center) SELECT 'Bench ' || n, 'B-' || n FROM generate_series(1, 20) AS n;
    INSERT INTO connectors_person (name, email)
    SELECT 'Bench ' || n, 'bench-' || n || '@acme.example' FROM generate_series(1, {people}) AS n;
    INSERT INTO connectors_membership (person_id, team_id, basis)
    SELECT p.id, t.id, 'manual'
    FROM connectors_person p JOIN connectors_team t ON t.name = 'Bench ' || (p.id % 22 + 1)
    WHERE p.name LIKE 'Bench %';
    INSERT INTO connectors_identity (kind, value, person_id, basis)
    SELECT 'account_id', kind || p.email, p.id, kind
    FROM connectors_person p, (VALUES ('vendor'), ('telemetry')) AS feed (kind) WHERE p.name LIKE 'Bench %'
"""
_USER_DAYS = """
    INSERT INTO connectors_usageday (
        day, connection_id, endpoint, source_id, identity_id, agent, model, surface, customer_type, team, cost_center,
        sessions, prompts, lines_added, lines_removed, commits, pull_requests, tools, requests, input_tokens,
        output_tokens, cache_read_tokens, cache_creation_tokens, cost_reported, cost_computed
    )
    SELECT %(today)s::date - n, CASE WHEN billed THEN %(connection)s::uuid END,
        CASE WHEN billed THEN %(endpoint)s ELSE '' END, CASE WHEN NOT billed THEN 1 END, i.id,
        'claude_code', model, 'vscode', '', CASE WHEN billed THEN '' ELSE 'claimed' END, '',
        did * (1 + i.id %% 4), CASE WHEN billed THEN 0 ELSE did * 20 END, did * (i.id %% 400), did * (n %% 90),
        did * (n %% 3), did * (n %% 2), CASE WHEN did = 1 THEN '{"Edit": [9, 1], "Write": [3, 1]}' ELSE '{}' END::jsonb,
        CASE WHEN billed THEN 0 ELSE used * 40 END, used * (1000 + i.id), used * 5000, used * (300000 + n),
        used * 20000,
        CASE WHEN used = 1 THEN 1 + (i.id %% 17) / 7.0 END, CASE WHEN used = 1 THEN 1 + (i.id %% 19) / 7.0 END
    FROM generate_series(0, %(days)s - 1) AS n
        CROSS JOIN (VALUES ('', 1, 0), ('claude-opus-5', 0, 1), ('claude-haiku-4-5', 0, 1)) AS told (model, did, used)
        CROSS JOIN (VALUES ('vendor', true), ('telemetry', false)) AS feed (basis, billed)
        JOIN connectors_identity i ON i.basis = feed.basis AND i.kind = 'account_id' AND i.value LIKE '%%bench-%%'
    ORDER BY n DESC
"""


def fill(people: int) -> int:
    """Makes up that many people's user-days; how many there are now."""
    with transaction.atomic(), connection.cursor() as cursor:
        held = Connection.objects.create(vendor="anthropic_admin", name="bench", secret=b"")
        today = timezone.now().date()
        Pull.objects.bulk_create(_pulls(held, today))
        cursor.execute(_PEOPLE.format(people=int(people)))
        cursor.execute(_USER_DAYS, {"today": today, "connection": held.pk, "endpoint": ENDPOINT, "days": DAYS})
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return UsageDay.objects.count()


def _pulls(held: Connection, today: dt.date) -> Iterator[Pull]:
    """Every day before today is settled."""
    for day in (today - dt.timedelta(days=n) for n in range(1, DAYS)):
        finished = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(3), dt.UTC)
        yield Pull(connection=held, endpoint=ENDPOINT, day=day, cause="schedule", state="done", finished_at=finished)


def measure(people: int, requests: int, cookie: Mapping[str, str], bearer: Mapping[str, str]) -> dict[str, Any]:
    """With what is there already counted in."""
    user_days = fill(people)
    last = timezone.now().date()
    pages = []
    for days in (30, DAYS):
        first = last - dt.timedelta(days=days - 1)
        page = f"/admin/connectors/usageday/usage/?first={first}&last={last}"
        pages.append(time_of(Target(f"admin: usage, {days} days", page, cookie), requests))
        answer = f"/api/v1/usage/?first_day={first}&last_day={last}"
        pages.append(time_of(Target(f"API: usage, {days} days", answer, bearer), requests))
    return {"people": people, "user_days": user_days, "pages": pages}
