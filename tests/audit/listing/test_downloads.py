import csv
import datetime as dt
import io
import json
from decimal import Decimal
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.signals import request_finished
from django.db import close_old_connections, connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from audit.listing import export, markup, slots
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from audit.models import McpServer
from portal.site import PortalSite

SITE = PortalSite(name="admin")
WHOLE = [("text", lambda row: row)]


class ServersAdmin(ReadOnlyAdmin):
    keysets = {"Seen": Keyset("-last_at", "-id")}
    list_display = ("name", "last_at", "transports")
    list_filter = ("calls",)
    download_permission = "audit.export_evidence"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\0=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "  =1",
        "\xa0=1",
        "\ufeff=cmd|' /C calc'!A0",
    ],
)
def test_it_lets_no_text_start_a_formula(text):
    cell = export.csv_cell(text)
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ["ls -la", "a=b", "", "'=1", "日本", "1+1", "“=”"])
def test_it_leaves_honest_text_alone(text):
    assert export.csv_cell(text) == text


@pytest.mark.parametrize("number", [-1, 0, -2.5, Decimal("-0.000003")])
def test_it_keeps_numbers_as_numbers(number):
    assert export.csv_cell(number) == number


def test_it_guards_lists_and_mappings_too():
    assert export.csv_cell(["=1"]) == '["=1"]'
    assert export.csv_cell({"a": "ü"}) == '{"a": "ü"}'


def test_it_writes_lines_as_rfc_4180_has_them():
    text = b"".join(export.csv_lines([("a", lambda row: row), ("b", lambda row: None)], ['x"y', "x,y", "x\r\ny", "x"]))
    assert text == b'a,b\r\n"x""y",\r\n"x,y",\r\n"x\r\ny",\r\nx,\r\n'


@given(st.lists(st.text(), max_size=5))
def test_it_can_be_read_back(texts):
    lines = b"".join(export.csv_lines(WHOLE, texts)).decode()
    rows = [row[0] if row else "" for row in csv.reader(io.StringIO(lines, newline=""))][1:]
    assert [row.removeprefix("'") for row in rows] == [text.removeprefix("'") for text in texts]
    assert [row for row in rows if row[:1] in export.FORMULA_STARTS and row] == []


@given(st.lists(st.text(st.characters(exclude_categories=())) | st.none() | st.integers() | st.booleans(), max_size=5))
def test_it_writes_one_json_object_a_line(values):
    lines = b"".join(export.json_lines(WHOLE, values)).split(b"\n")[:-1]
    assert len(lines) == len(values)
    for line, value in zip(lines, values, strict=True):
        read = json.loads(line)["text"]
        assert read == value or "\\ud" in ascii(value)


def test_it_writes_times_identifiers_and_decimals_for_machines():
    at = dt.datetime(2026, 11, 21, 13, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    values = [at, UUID(int=1), Decimal("0.10"), memoryview(b"\x01\xff")]
    assert [json.loads(line)["text"] for line in export.json_lines(WHOLE, values)] == [
        "2026-11-21T12:00:00.000000Z",
        "00000000-0000-0000-0000-000000000001",
        "0.10",
        "01ff",
    ]


@pytest.fixture
def _servers(db):
    now = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
    McpServer.objects.bulk_create(
        McpServer(id=UUID(int=n), name=f"=server-{n}", first_at=now, last_at=now, calls=n, transports=["stdio"])
        for n in range(3)
    )


def request(query: str = "", **rights: bool) -> object:
    made = RequestFactory().get(f"/download/{query}")
    made.user = User(is_staff=True, is_active=True, **rights or {"is_superuser": True})
    return made


@pytest.mark.usefixtures("_servers")
def test_it_downloads_the_list_as_it_is_filtered():
    response = ServersAdmin(McpServer, SITE).download_view(request("?calls=2"), "csv")
    assert b"".join(response) == (
        b'name,last_at,transports\r\n\'=server-2,2026-11-21T12:00:00.000000Z,"[""stdio""]"\r\n'
    )
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="MCP-servers-20')
    assert response["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("_servers")
def test_it_downloads_what_columns_show_without_their_markup():
    class Shown(ServersAdmin):
        list_display = ("seen", "told")

        def seen(self, server):
            return markup.time(server.last_at)

        def told(self, server):
            return markup.tag(f"{server.name} <b>")

    response = Shown(McpServer, SITE).download_view(request("?calls=2"), "ndjson")
    assert json.loads(b"".join(response)) == {"seen": "2026-11-21T12:00:00Z", "told": "=server-2 <b>"}


@pytest.mark.usefixtures("_servers")
def test_it_downloads_more_than_a_page():
    class OneAPage(ServersAdmin):
        list_per_page = 1

    response = OneAPage(McpServer, SITE).download_view(request(), "ndjson")
    assert [json.loads(line)["name"] for line in response] == ["=server-2", "=server-1", "=server-0"]


@pytest.mark.usefixtures("_servers")
def test_it_reads_through_a_cursor_of_the_server():
    with CaptureQueriesContext(connection) as queries:
        b"".join(ServersAdmin(McpServer, SITE).download_view(request(), "csv"))
    assert not any("count(" in query["sql"].lower() and "limit" not in query["sql"].lower() for query in queries)
    with connection.cursor() as cursor:
        rows = export.streamed(McpServer.objects.all())
        next(rows)
        cursor.execute("SELECT is_holdable FROM pg_cursors WHERE name LIKE '_django%'")
        assert cursor.fetchall() == [(False,)]
        rows.close()


@pytest.fixture
def _connection_stays():
    """The end of an answer closes connections, and with them the test's transaction; Django's client does as much."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


@pytest.mark.usefixtures("_servers", "_connection_stays")
def test_more_downloads_than_may_at_once_are_asked_to_come_back(monkeypatch):
    monkeypatch.setattr(export, "downloads", slots.Slots(2))
    servers = ServersAdmin(McpServer, SITE)
    unread, begun = (servers.download_view(request(), "csv") for _ in range(2))
    assert next(iter(begun)).startswith(b"name,")
    refused = servers.download_view(request("?calls=2"), "csv")
    assert (refused.status_code, refused["Retry-After"]) == (503, "30")
    assert b"Too many downloads at once" in refused.content
    assert b"/admin/audit/mcpserver/?calls=2" in refused.content
    unread.close()
    whole = servers.download_view(request(), "csv")
    assert whole.status_code == 200
    assert servers.download_view(request(), "csv").status_code == 503
    assert b"server-2" in b"".join(whole)
    whole.close()
    again = servers.download_view(request(), "csv")
    assert again.status_code == 200
    again.close()
    begun.close()


def test_a_slot_is_free_again_after_a_fault_and_only_once():
    few = slots.Slots(1)

    def failing():
        yield b"a"
        raise ValueError("broken")

    lines = few.held(failing())
    with pytest.raises(ValueError, match="broken"):
        list(lines)
    lines.close()
    held = few.held(iter_of(b"a"))
    with pytest.raises(slots.Busy):
        few.held(iter_of(b"b"))
    assert list(held) == [b"a"]


def iter_of(*lines):
    yield from lines


@pytest.mark.usefixtures("_servers")
def test_it_refuses_those_who_may_only_look():
    servers = ServersAdmin(McpServer, SITE)
    looking = request(is_superuser=False)
    looking.user._perm_cache = {"audit.view_mcpserver"}
    assert servers.has_view_permission(looking)
    assert servers.downloads(looking, "") == []
    with pytest.raises(PermissionDenied):
        servers.download_view(looking, "csv")


@pytest.mark.usefixtures("_servers")
@pytest.mark.parametrize(("query", "form"), [("", "xlsx"), ("?nonsense=1", "csv"), ("?older=nonsense", "csv")])
def test_it_refuses_what_it_does_not_understand(query, form):
    with pytest.raises(BadRequest):
        ServersAdmin(McpServer, SITE).download_view(request(query), form)
