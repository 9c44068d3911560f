"""Pages of the feed, as rendered from the database."""

import io
import json
import sys

import pytest
from django.core.management import CommandError, call_command

from audit.export import cursor, feed, reading
from audit.export.reading import Reader
from audit.models import Event
from tests.factories import acts, draft, evidence, record, seal

pytestmark = pytest.mark.django_db


def everything() -> Reader:
    return Reader(with_content=True, with_identity=True)


def page_of(after: int = cursor.BEFORE_FIRST, limit: int = feed.LIMIT, reader: Reader | None = None) -> bytes:
    return feed.page(after, limit, reader or everything()).lines


def lines(data: bytes) -> list[dict]:
    return [json.loads(line) for line in data.splitlines()]


def prompt(text: str, **columns):
    return draft("prompt", content=[("@prompt", "string", text)], **columns)


def test_an_empty_ledger_gives_an_empty_page_and_a_cursor_that_misses_nothing():
    page = feed.page(cursor.BEFORE_FIRST, 10, everything())
    assert (page.lines, page.has_more) == (b"", False)
    evidence(draft(), draft())
    assert [line["seq"] for line in lines(page_of(cursor.parse(page.next)))] == [0, 1]


def test_it_follows_the_numbers():
    ids = [str(event.id) for event in [*evidence(draft(), draft(), draft()), *evidence(draft())]]
    assert [(line["seq"], line["id"]) for line in lines(page_of())] == list(enumerate(ids))


@pytest.mark.parametrize(
    ("after", "limit", "seen", "more", "following"),
    [
        (-1, 2, [0, 1], True, "0.1"),
        (1, 2, [2, 3], True, "0.3"),
        (3, 2, [4], False, "0.4"),
        (2, 2, [3, 4], False, "0.4"),
        (4, 2, [], False, "0.4"),
        (9, 2, [], False, "0.9"),
        (10**30, 2, [], False, f"0.{10**30}"),
        (-1, 10_000, [0, 1, 2, 3, 4], False, "0.4"),
    ],
)
def test_a_page_begins_after_its_cursor_and_says_whether_there_is_more(after, limit, seen, more, following):
    evidence(*(draft() for _ in range(5)))
    page = feed.page(after, limit, everything())
    assert [line["seq"] for line in lines(page.lines)] == seen
    assert (page.has_more, page.next) == (more, following)


def test_what_is_not_sealed_is_not_shown():
    evidence(draft())
    record(draft())
    assert len(lines(page_of())) == 1
    seal()
    assert len(lines(page_of())) == 2


def test_the_same_page_is_the_same_bytes_whatever_comes_later():
    evidence(prompt("Fix it"), draft("tool_decision", decision="accept", decided_by="unknown", tool_use_id="toolu_1"))
    evidence(draft(subject=(("@user.email", "string", "bo@acme.example"),)))
    first = page_of(limit=3)
    evidence(draft("api_request", query_source="repl_main_thread"), draft("tool_result", tool_use_id="toolu_1"))
    assert page_of(limit=3) == first
    assert len(first.splitlines()) == 3


def walk(limit: int) -> list[bytes]:
    pages = [feed.page(cursor.BEFORE_FIRST, limit, everything())]
    while pages[-1].has_more:
        pages.append(feed.page(cursor.parse(pages[-1].next), limit, everything()))
    return [page.lines for page in pages]


@pytest.mark.parametrize("limit", [1, 5, 11, 12, 13])
def test_pages_of_any_size_are_the_same_lines(limit):
    evidence(*(prompt(f"number {number}") for number in range(12)))
    assert b"".join(walk(limit)) == page_of()


def test_a_page_of_large_events_ends_early_and_the_next_goes_on(monkeypatch):
    evidence(*(prompt("x" * 5000) for number in range(7)))
    whole = page_of()
    monkeypatch.setattr(feed, "PAGE_BYTES", 15_000)
    assert [len(lines(page)) for page in walk(10_000)] == [3, 3, 1]
    assert b"".join(walk(10_000)) == whole


def test_chunks_join_seamlessly(monkeypatch):
    evidence(*(prompt(f"number {number}") for number in range(12)))
    whole = page_of()
    monkeypatch.setattr(reading, "CHUNK", 5)
    monkeypatch.setattr(reading, "REMEMBERED", 0)
    assert page_of() == whole


def test_a_part_of_any_size_is_shown_whole():
    long = "x" * (reading.LARGE_BYTES + 1)
    evidence(
        prompt(long), prompt("short"),
        draft(facts=[("@long", "string", long)], origin=[("@anthropic.plan", "string", long)]),
    )  # fmt: skip
    first, second, third = lines(page_of())
    assert (first["content"]["prompt"], second["content"]["prompt"]) == (long, "short")
    assert (third["attributes"]["long"], third["origin"]["attributes"]["anthropic.plan"]) == (long, long)
    assert (first["seq"], first["sealed_at"]) == (0, second["sealed_at"])


def test_identity_and_content_show_by_right():
    evidence(prompt("Fix it"))
    (line,) = lines(page_of(reader=Reader(with_content=False, with_identity=False)))
    event = Event.objects.get()
    assert line["content"] is None
    assert line["actor"] == {
        "id": str(event.subject_id), "email": None, "account_uuid": None, "account_id": None, "install_id": None,
        "organization_id": None, "provenance": "client",
    }  # fmt: skip
    (line,) = lines(page_of())
    assert line["content"] == {"prompt": "Fix it"}
    assert (line["actor"]["email"], line["actor"]["install_id"]) == ("dana@acme.example", "install-5f1d")


def test_a_line_says_who_handed_it_in_and_when():
    evidence(draft(), source_id=3, source_name="build farm", token_id=8, address="2001:db8::7",
             received_at_us=1_795_240_414_605_123)  # fmt: skip
    (line,) = lines(page_of())
    assert line["source"] == {"id": "3", "name": "build farm", "token_id": "8", "address": "2001:db8::7"}
    assert line["received_at"] == "2026-11-21T05:53:34.605123Z"
    assert line["leaf_hash"] == bytes(Event.objects.get().leaf_hash).hex()


def test_an_event_of_nobody_and_nowhere_shows_nulls():
    evidence(draft(subject=(), origin=()))
    (line,) = lines(page_of())
    assert set(line["actor"].values()) == {None}
    assert line["origin"]["attributes"] == {}


def test_decision_and_mode_are_those_recorded():
    evidence(
        draft("tool_decision", tool_use_id="toolu_1", decision="accept", decided_by="unknown", basis="inferred",
              decision_raw="decision=accept source=user_temporary"),
        draft("api_request", query_source="repl_main_thread"),
    )  # fmt: skip
    assert lines(page_of())[0]["decided_by"] == "unknown"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", ["audit_content", "audit_subject"])
def test_an_erased_part_is_null_and_flagged(part, database_superuser):
    evidence(prompt("Fix it"))
    with database_superuser.transaction():
        database_superuser.execute("SET LOCAL session_replication_role = replica")
        if part == "audit_content":
            database_superuser.execute("DELETE FROM audit_content")
        else:
            database_superuser.execute("UPDATE audit_subject SET bytes = NULL, email = NULL, install_id = NULL")
    (line,) = lines(page_of())
    assert line["flags"] == ["erased"]
    assert line["content"] == (None if part == "audit_content" else {"prompt": "Fix it"})
    assert (line["actor"]["email"] is None) == (part == "audit_subject")


@pytest.mark.django_db(transaction=True)
def test_evidence_that_was_damaged_is_shown_as_far_as_it_can_be_read(database_superuser):
    evidence(prompt("Fix it"), draft())
    with database_superuser.transaction():
        database_superuser.execute("SET LOCAL session_replication_role = replica")
        database_superuser.execute("UPDATE audit_event SET facts = '\\xff', header = '\\x00', occurred_at = 'infinity'")
        database_superuser.execute("UPDATE audit_content SET bytes = '[['")
        database_superuser.execute("UPDATE audit_origin SET bytes = '{}'")
    first, second = lines(page_of())
    assert first["flags"] == second["flags"] == ["unreadable"]
    assert (first["attributes"], first["content"], first["source"]["id"], first["occurred_at"]) == (None,) * 4


def export(capsysbinary, *arguments: str) -> tuple[bytes, str]:
    told = io.StringIO()
    call_command("export_events", *arguments, stderr=told)
    sys.stdout.flush()
    return capsysbinary.readouterr().out, told.getvalue()


def test_the_command_writes_the_feed(capsysbinary):
    evidence(*(prompt(f"number {number}") for number in range(5)))
    assert export(capsysbinary) == (page_of(), "Next cursor: 0.4\n")
    assert export(capsysbinary, "--after", "0.2") == (page_of(2), "Next cursor: 0.4\n")
    assert export(capsysbinary, "--limit", "2") == (page_of(limit=2), "Next cursor: 0.1\n")
    assert export(capsysbinary, "--after", "0.4") == (b"", "Next cursor: 0.4\n")


def test_the_command_follows_what_is_sealed_meanwhile(capsysbinary, monkeypatch):
    evidence(draft(), draft())
    monkeypatch.setattr("time.sleep", lambda seconds: evidence(draft()))
    written, told = export(capsysbinary, "--follow", "--limit", "4")
    assert [line["seq"] for line in lines(written)] == [0, 1, 2, 3]
    assert told == "Next cursor: 0.3\n"


def test_the_command_writes_to_a_file(tmp_path, capsysbinary):
    evidence(prompt("Fix it"))
    target = tmp_path / "events.ndjson"
    assert export(capsysbinary, "--output", str(target), "--without-content", "--without-identity")[0] == b""
    assert target.read_bytes() == page_of(reader=Reader(with_content=False, with_identity=False))


def test_each_export_is_recorded_with_what_it_left_out(capsysbinary, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    evidence(draft())
    export(capsysbinary)
    export(capsysbinary, "--after", "0.0", "--without-content")
    told = [(act["by"], act["format"], act["after"], act["content.shown"], act["identity.shown"]) for act in acts()]
    assert told == [("root", "native", "", True, True), ("root", "native", "0.0", False, True)]


def test_an_export_that_cannot_be_recorded_writes_nothing(capsysbinary, unrecordable):
    evidence(draft())
    with unrecordable(), pytest.raises(CommandError, match="could not be recorded"):
        call_command("export_events")
    assert capsysbinary.readouterr().out == b""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--after", "x"], "cursor"),
        (["--after", "9.1"], "begin again"),
        (["--limit", "0"], "at least 1"),
        (["--output", "/nowhere/at/all"], "No such file"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("export_events", *arguments)
