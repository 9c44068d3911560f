import datetime as dt
from uuid import UUID

import pytest
from django.db import connection

from audit.listing import counting
from audit.listing.counting import Count
from audit.models import McpServer

pytestmark = pytest.mark.django_db


def servers(count: int) -> None:
    now = dt.datetime.now(dt.UTC)
    McpServer.objects.bulk_create(
        McpServer(id=UUID(int=number), name=f"server-{number}", first_at=now, last_at=now) for number in range(count)
    )


def timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("count", [0, 1, 9, 10])
def test_it_counts_exactly_up_to_the_limit(count):
    servers(count)
    assert counting.capped(McpServer.objects.all(), limit=10) == Count(count)


@pytest.mark.django_db(transaction=True)
def test_it_guesses_beyond_the_limit(database_superuser):
    servers(40)
    database_superuser.execute("ANALYZE audit_mcpserver")  # or the guess is of when autovacuum last came by
    count = counting.capped(McpServer.objects.all(), limit=10)
    assert (count.number, count.exact) == (10, False)
    assert count.estimate > 10
    assert count.short == "10+"
    assert count.may_be_counted


def test_it_counts_all_when_asked_to():
    servers(40)
    assert counting.exact(McpServer.objects.order_by("name")) == Count(40)


def test_it_tells_a_guess_as_a_guess():
    assert Count(10_000, exact=False, estimate=2_134_567).words == "about 2\u202f100\u202f000"


def test_it_says_what_is_certain_when_the_guess_is_lower():
    assert Count(10_000, exact=False, estimate=300).words == "more than 10\u202f000"


def test_it_counts_what_cannot_be_planned():
    assert counting.capped(McpServer.objects.none()) == Count(0)
    assert counting.estimate(McpServer.objects.none()) is None


def slow(queryset):
    return queryset.extra(where=["pg_sleep(5) IS NULL"])


def test_it_gives_up_on_a_count_that_takes_long_and_the_transaction_goes_on():
    servers(2)
    count = counting.capped(slow(McpServer.objects.all()), milliseconds=50)
    assert not count.exact
    assert McpServer.objects.count() == 2


def test_it_stops_a_statement_at_the_deadline():
    with pytest.raises(counting.TooSlow), counting.deadline(50), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")


def test_it_leaves_the_timeout_as_it_was():
    before = timeout()
    with counting.deadline(4321):
        assert timeout() == "4321ms"
        with counting.deadline(1234):
            assert timeout() == "1234ms"
        assert timeout() == "4321ms"
    assert timeout() == before
    with pytest.raises(counting.TooSlow), counting.deadline(50), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    assert timeout() == before


def test_it_does_not_take_another_error_for_slowness():
    from django.db import ProgrammingError

    with pytest.raises(ProgrammingError), counting.deadline(1000), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert McpServer.objects.count() == 0
