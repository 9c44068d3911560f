import base64
import datetime as dt
import json
import random
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from audit.listing.keyset import BadCursor, Keyset
from audit.models import McpServer

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
NEWEST_FIRST = Keyset("-last_at", "-id")


def servers(count: int, times: int = 3) -> list[McpServer]:
    """Servers that share a few moments, made in no order."""
    numbers = random.Random(7).sample(range(count), count)
    made = [
        McpServer(
            id=UUID(int=number),
            name=f"server-{number}",
            first_at=NOON,
            last_at=NOON + dt.timedelta(microseconds=number % times),
        )
        for number in numbers
    ]
    return McpServer.objects.bulk_create(made)


def expected() -> list[int]:
    return [server.id.int for server in sorted(McpServer.objects.all(), key=lambda s: (s.last_at, s.id), reverse=True)]


def walk(keyset: Keyset, size: int) -> list[int]:
    page = keyset.page(McpServer.objects.all(), size)
    seen = [row.id.int for row in page.rows]
    while page.next:
        page = keyset.page(McpServer.objects.all(), size, after=page.next)
        seen += [row.id.int for row in page.rows]
    return seen


@pytest.mark.parametrize("size", [1, 2, 7, 20, 100])
def test_it_shows_every_row_once_in_order_though_times_are_equal(size):
    servers(20)
    assert walk(NEWEST_FIRST, size) == expected()


def test_it_walks_up_as_it_walks_down():
    servers(20)
    assert walk(Keyset("last_at", "id"), 7) == expected()[::-1]


def test_it_orders_by_a_single_field():
    servers(5)
    assert walk(Keyset("-id"), 2) == [4, 3, 2, 1, 0]
    assert walk(Keyset("name"), 2) == [0, 1, 2, 3, 4]


def test_it_goes_back_the_way_it_came():
    servers(20)
    pages = [NEWEST_FIRST.page(McpServer.objects.all(), 6)]
    while pages[-1].next:
        pages.append(NEWEST_FIRST.page(McpServer.objects.all(), 6, after=pages[-1].next))
    assert [len(page.rows) for page in pages] == [6, 6, 6, 2]
    for page, earlier in zip(pages[:0:-1], pages[-2::-1], strict=True):
        back = NEWEST_FIRST.page(McpServer.objects.all(), 6, before=page.previous)
        assert [row.id for row in back.rows] == [row.id for row in earlier.rows]


def test_it_knows_its_ends():
    servers(12)
    first = NEWEST_FIRST.page(McpServer.objects.all(), 6)
    last = NEWEST_FIRST.page(McpServer.objects.all(), 6, after=first.next)
    assert first.previous is None
    assert last.next is None
    assert last.previous is not None


def test_it_shows_a_full_first_page_when_going_back_meets_the_beginning():
    servers(8)
    second = NEWEST_FIRST.page(McpServer.objects.all(), 3, after=NEWEST_FIRST.page(McpServer.objects.all(), 3).next)
    back = NEWEST_FIRST.page(McpServer.objects.all(), 5, before=second.previous)
    assert [row.id.int for row in back.rows] == expected()[:5]
    assert back.previous is None


def test_it_neither_repeats_nor_misses_rows_when_newer_ones_arrive_between_pages():
    servers(9)
    before = expected()
    page = NEWEST_FIRST.page(McpServer.objects.all(), 4)
    seen = [row.id.int for row in page.rows]
    McpServer.objects.create(id=UUID(int=99), name="late", first_at=NOON, last_at=NOON + dt.timedelta(hours=1))
    while page.next:
        page = NEWEST_FIRST.page(McpServer.objects.all(), 4, after=page.next)
        seen += [row.id.int for row in page.rows]
    assert seen == before


def test_it_keeps_its_place_when_the_row_it_stood_on_is_gone():
    servers(6)
    rest = expected()[2:]
    page = NEWEST_FIRST.page(McpServer.objects.all(), 2)
    McpServer.objects.filter(id__in=[row.id for row in page.rows]).delete()
    assert [row.id.int for row in NEWEST_FIRST.page(McpServer.objects.all(), 10, after=page.next).rows] == rest


def test_it_says_that_nothing_is_there():
    page = NEWEST_FIRST.page(McpServer.objects.all(), 5)
    assert (page.rows, page.previous, page.next) == ([], None, None)


def encoded(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%%%%",
        "ü",
        encoded(),
        encoded("2026-11-21T12:00:00Z"),
        encoded("2026-11-21T12:00:00Z", "not a uuid"),
        encoded("yesterday", UUID(int=1).hex),
        encoded(None, None),
        encoded(["2026-11-21"], UUID(int=1).hex),
        encoded(True, UUID(int=1).hex),
        encoded("2026-11-21T12:00:00Z", UUID(int=1).hex, 1),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_it_refuses_a_cursor_it_did_not_give_out(cursor):
    with pytest.raises(BadCursor):
        NEWEST_FIRST.page(McpServer.objects.all(), 5, after=cursor)


@pytest.mark.parametrize(
    ("keyset", "value"),
    [
        (Keyset("name"), "a\0b"),
        (Keyset("name"), "\ud800"),
        (Keyset("last_at"), "2026-11-21T12:00:00"),
        (Keyset("calls"), 2**63),
        (Keyset("calls"), -(2**70)),
    ],
)
def test_it_refuses_values_that_the_database_would_refuse(keyset, value):
    with pytest.raises(BadCursor):
        keyset.page(McpServer.objects.all(), 5, after=encoded(value))


@given(
    st.text(max_size=60)
    | st.lists(st.text() | st.integers() | st.none(), max_size=3).map(lambda values: encoded(*values))
)
def test_it_meets_any_cursor_with_an_answer_or_a_refusal(cursor):
    for keyset in (NEWEST_FIRST, Keyset("name"), Keyset("calls")):
        try:
            keyset.page(McpServer.objects.all(), 5, after=cursor)
        except BadCursor:
            continue


def test_it_refuses_an_order_of_two_directions():
    with pytest.raises(ImproperlyConfigured, match="one direction"):
        Keyset("-last_at", "id")


def test_it_compares_rows_as_the_index_does():
    servers(2)
    page = NEWEST_FIRST.page(McpServer.objects.all(), 1)
    sql = str(NEWEST_FIRST._beyond(McpServer.objects.all(), page.next).query)
    assert '("audit_mcpserver"."last_at", "audit_mcpserver"."id") < (' in sql
