import datetime as dt
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.messages.storage.base import BaseStorage
from django.test import RequestFactory

from audit.listing import counting
from audit.listing.changelist import KeysetChangeList
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from audit.models import McpServer
from portal.site import PortalSite

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


class ServersAdmin(ReadOnlyAdmin):
    keysets = {"Seen": Keyset("-last_at", "-id"), "First seen": Keyset("first_at", "id")}
    list_display = ("name", "last_at", "calls")
    list_filter = ("calls",)
    search_fields = ("name__exact",)
    list_per_page = 5
    examples = (("server-1", "One server"),)


SITE = PortalSite(name="admin")


@pytest.fixture(autouse=True)
def _servers():
    McpServer.objects.bulk_create(
        McpServer(
            id=UUID(int=number),
            name=f"server-{number}",
            first_at=NOON,
            last_at=NOON + dt.timedelta(minutes=number),
            calls=number % 2,
        )
        for number in range(12)
    )


def listing(query: str = "", admin_class: type[ReadOnlyAdmin] = ServersAdmin) -> KeysetChangeList:
    request = RequestFactory().get(f"/list/{query}")
    request.user = User(is_superuser=True, is_staff=True, is_active=True)
    request._messages = BaseStorage(request)
    return admin_class(McpServer, SITE).get_changelist_instance(request)


def names(cl: KeysetChangeList) -> list[int]:
    return [server.id.int for server in cl.result_list]


def test_it_pages_by_cursor():
    first = listing()
    assert names(first) == [11, 10, 9, 8, 7]
    assert first.pages.newer == ""
    second = listing(first.pages.older)
    assert names(second) == [6, 5, 4, 3, 2]
    assert names(listing(second.pages.newer)) == names(first)
    last = listing(second.pages.older)
    assert names(last) == [1, 0]
    assert last.pages.older == ""


def test_it_keeps_filters_and_order_from_page_to_page():
    first = listing("?calls=1&by=First+seen")
    assert names(first) == [1, 3, 5, 7, 9]
    assert names(listing(first.pages.older)) == [11]
    assert (first.pages.newer_label, first.pages.older_label) == ("Previous", "Next")


def test_it_begins_anew_when_the_query_changes():
    second = listing(listing().pages.older)
    assert "older" not in parse_qs(second.get_query_string({"calls": "1"}).removeprefix("?"))
    assert "older" not in second.exact_count_url


def test_it_offers_its_orders():
    assert [(order.label, order.current) for order in listing("?by=First+seen").orders] == [
        ("Seen", False),
        ("First seen", True),
    ]
    assert listing("?by=nonsense").order == "Seen"


def test_it_counts_up_to_the_limit_and_further_when_asked(monkeypatch):
    monkeypatch.setattr(counting.capped, "__defaults__", (10, 300))
    assert (listing().count.number, listing().count.exact) == (10, False)
    assert listing("?count=exact").count == counting.Count(12)
    assert listing("?calls=1").count == counting.Count(6)


def test_it_says_whether_anything_was_asked_for():
    assert not listing().is_narrowed
    assert not listing(listing().pages.older).is_narrowed
    assert listing("?calls=1").is_narrowed
    assert listing("?q=server-1").is_narrowed
    assert listing("?last_at__gte=2026-11-21T00:00Z").is_narrowed


def test_it_shows_each_term_as_a_chip_that_can_be_taken_away():
    cl = listing("?calls=1&q=server-3&last_at__gte=2026-11-21T12:00Z")
    assert [(chip.label, chip.value) for chip in cl.chips] == [
        ("search", "server-3"),
        ("calls", "1"),
        ("last at from", "2026-11-21T12:00Z"),
    ]
    for chip in cl.chips:
        assert len(listing(chip.without).chips) == 2


def test_it_teaches_when_nothing_is_found():
    cl = listing("?calls=1&q=server-2")
    empty = cl.model_admin.nothing_found(cl.request, cl)
    assert empty.heading == "No MCP server matches both terms"
    assert [(each.term, each.count) for each in empty.dropped] == [
        ("search server-2", "6 MCP servers"),
        ("calls 1", "1 MCP server"),
    ]
    assert [example.query for example in empty.examples] == ["server-1"]
    assert parse_qs(empty.examples[0].url.removeprefix("?")) == {"q": ["server-1"], "calls": ["1"]}


def test_it_says_that_there_is_nothing_at_all():
    McpServer.objects.all().delete()
    cl = listing()
    assert cl.model_admin.nothing_found(cl.request, cl).heading == "No MCP servers yet"


@pytest.mark.parametrize("query", ["?older=nonsense", "?newer=%00", "?nonsense=1", "?calls__nonsense=1"])
def test_it_turns_away_links_it_does_not_know(query):
    with pytest.raises(admin.options.IncorrectLookupParameters):
        listing(query)


def test_it_stops_a_query_nobody_should_wait_for(monkeypatch):
    monkeypatch.setattr("audit.listing.changelist.PAGE_PATIENCE_MS", 50)

    class Slow(ServersAdmin):
        def get_queryset(self, request):
            return super().get_queryset(request).extra(where=["pg_sleep(5) IS NOT NULL"])

    cl = listing(admin_class=Slow)
    assert cl.stopped
    assert list(cl.result_list) == []


def test_it_lets_nobody_change_evidence():
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True, is_active=True)
    servers = ServersAdmin(McpServer, SITE)
    assert servers.has_view_permission(request)
    assert not servers.has_add_permission(request)
    assert not servers.has_change_permission(request)
    assert not servers.has_delete_permission(request)
    assert servers.get_actions(request) == {}


def test_it_shows_evidence_only_to_those_who_may():
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert not ServersAdmin(McpServer, SITE).has_view_permission(request)
