import datetime as dt

import pytest
from django.db import connection
from django.db.models import Func, TextField, Value
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit import query
from audit.admin import asking, histogram, sessions
from audit.admin.sessions import SessionAdmin, SessionChangeList
from audit.listing import counting
from audit.models import Session
from tests.audit.admin.evidence import a_session, at
from tests.factories import draft, evidence

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def asked(text: str) -> query.Query:
    return query.parse(text, asking.SESSIONS.fields)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("", NOW - dt.timedelta(days=7), NOW),
        ("after:-1d", NOW - dt.timedelta(days=1), NOW),
        ("before:2026-11-10", dt.datetime(2026, 11, 3, tzinfo=dt.UTC), dt.datetime(2026, 11, 10, tzinfo=dt.UTC)),
        ("after:-1d after:-1h", NOW - HOUR, NOW),
        ("after:2030-01-01", dt.datetime(2030, 1, 1, tzinfo=dt.UTC), dt.datetime(2030, 1, 1, 0, 1, tzinfo=dt.UTC)),
    ],
)
def test_it_covers_the_time_that_was_asked_about(text, start, end):
    assert histogram.window(asked(text), NOW) == (start, end)


@pytest.mark.parametrize(
    "span", [dt.timedelta(minutes=1), HOUR, 24 * HOUR, dt.timedelta(days=7), dt.timedelta(days=9000)]
)
def test_it_never_draws_more_bars_than_fit(span):
    assert span / histogram.step_of(span) <= histogram.BARS


def test_bars_are_as_high_as_they_are_many():
    counts = {NOW: (10, 5), NOW + 2 * HOUR: (5, 0)}
    drawn = histogram.drawn(counts, NOW, NOW + 4 * HOUR, HOUR)
    assert [(bar.x, bar.height, bar.under_bypass) for bar in drawn.bars] == [(0, 46, 23), (50, 23, 0)]
    assert drawn.summary.startswith("15 sessions from 21 Nov 12:00 to 21 Nov 16:00 UTC; most, 10, from 21 Nov 12:00")


def test_days_are_named_where_they_begin():
    drawn = histogram.drawn({NOW: (1, 0)}, NOW, NOW + 48 * HOUR, 2 * HOUR)
    assert drawn.labels == [(25, "22 Nov"), (75, "23")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Started in the 7 days until now; the list may go further back"),
        ("before:2026-11-10", "Started in the 7 days before 10 Nov 00:00 UTC; the list may go further back"),
        ("after:-1d", "Started from 20 Nov 12:00 to 21 Nov 12:00 UTC"),
    ],
)
def test_it_says_which_sessions_are_drawn(text, told):
    question = asked(text)
    assert histogram.caption(question, *histogram.window(question, NOW)) == told


@pytest.mark.django_db
def test_the_list_shows_when_its_sessions_ran(reviewer):
    a_session()
    evidence(draft("prompt", session_id="s-2", occurred_at=at(-86_400)))
    url = reverse("admin:audit_session_changelist")
    drawn = reviewer.get(url).context["cl"].histogram
    assert drawn.summary.startswith("2 sessions")
    assert [bar.under_bypass > 0 for bar in drawn.bars] == [False, True]
    html = reviewer.get(url).content.decode()
    assert "1 under bypass" in html
    assert "Started in the 7 days until now" in html
    assert reviewer.get(url, {"q": "after:-2h"}).context["cl"].histogram.summary.startswith("1 session from")


@pytest.fixture
def two_of_three(monkeypatch):
    """Three sessions, two of which say "needle", on pages of one."""
    monkeypatch.setattr(SessionAdmin, "list_per_page", 1)
    for number, text in enumerate(("needle", "hay", "a needle in it")):
        content = (("@prompt", "string", text),)
        evidence(draft("prompt", session_id=f"s-{number}", occurred_at=at(-3600 * number), content=content))


@pytest.mark.django_db
@pytest.mark.parametrize(("limit", "told"), [(2, "2"), (1, "more than 1")])
def test_sessions_found_in_texts_are_counted_and_drawn(reviewer, two_of_three, monkeypatch, limit, told):
    monkeypatch.setattr(counting, "LIMIT", limit)
    cl = reviewer.get(reverse("admin:audit_session_changelist"), {"q": "needle"}).context["cl"]
    assert cl.count.words == told
    assert cl.histogram.summary.startswith("2 sessions")


@pytest.mark.django_db
def test_sessions_found_in_texts_are_looked_for_once(reviewer, two_of_three):
    with CaptureQueriesContext(connection) as queries:
        cl = reviewer.get(reverse("admin:audit_session_changelist"), {"q": "needle"}).context["cl"]
        assert cl.histogram
    (drawn,) = [each["sql"] for each in queries if "date_bin" in each["sql"]]
    assert "audit_searchtext" not in drawn


@pytest.mark.django_db
def test_what_takes_too_long_to_count_is_said_to_be_more_and_not_drawn(reviewer, two_of_three, monkeypatch):
    slow = Session.objects.annotate(slept=Func(Value(60), function="pg_sleep", output_field=TextField()))
    monkeypatch.setattr(SessionChangeList, "matches", lambda cl: slow.values("pk", "slept"))
    monkeypatch.setattr(sessions, "PATIENCE_MS", 20)
    cl = reviewer.get(reverse("admin:audit_session_changelist"), {"q": "needle"}).context["cl"]
    assert cl.count.words == "more than 1"
    assert cl.histogram is None


@pytest.mark.django_db
def test_an_empty_list_has_no_picture(reviewer):
    assert reviewer.get(reverse("admin:audit_session_changelist")).context["cl"].histogram is None
    assert Session.objects.count() == 0
