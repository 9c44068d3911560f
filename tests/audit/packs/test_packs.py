"""Packs of real sessions, written from the shell and looked at by an auditor who trusts nothing but the policy."""

import datetime as dt
import hashlib
import json
from uuid import uuid4

import pytest
from django.core.management import CommandError

from audit import leaf
from audit.models import Event, Gap, Session
from audit.verifier import verify
from tests.audit.packs.auditing import assert_valid, files, lines, manifest, report, with_lines
from tests.audit.packs.conftest import ASKED
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(ledger) -> Session:
    """The one with the most decisions."""
    return max(Session.objects.all(), key=lambda each: sum(each.decisions.values()))


def parts_withheld(path) -> set[str]:
    return {name for line in lines(path) for name in leaf.PARTS if line[name] and "withheld" in line[name]}


@pytest.mark.parametrize(
    ("scope", "options", "gone"),
    [
        ("session", (), set()),
        ("session", ("--without-content",), {"content"}),
        ("session", ("--without-identity",), {"subject"}),
        ("range", (), set()),
        ("range", ("--without-content", "--without-identity"), {"content", "subject"}),
    ],
)
def test_what_is_packed_verifies_and_withholds_what_it_should(exported, session, ledger, scope, options, gone):
    asked = (
        ["--session", session.session_id] if scope == "session" else ["--from-seq", "3", "--to-seq", f"{ledger - 2}"]
    )
    path = exported(*asked, *options)
    told = assert_valid(path)
    events = session.events if scope == "session" else ledger - 4
    assert f"{events} of {events} events disclosed" in told
    assert ("that the selection is complete" in told) is (scope == "session")
    assert ("no event between the first and the last is missing" in told) is (scope == "range")
    assert parts_withheld(path) == gone
    texts = {name: file.decode() for name, file in files(path).items()}
    assert manifest(path)["complete"] is (scope == "range")
    identity = session.subject.install_id
    assert (identity in texts["events.ndjson"]) is ("subject" not in gone)
    if "subject" in gone:
        assert not any(identity in text for text in texts.values())


def test_each_bound_of_a_range_is_proved(exported, ledger):
    for first, last in ((0, 0), (0, ledger - 1), (ledger - 1, ledger - 1), (7, 8)):
        path = exported("--from-seq", str(first), "--to-seq", str(last))
        assert f"seq {first} to {last}" in assert_valid(path)


def drop(rows):
    return rows[:4] + rows[5:]


def drop_first(rows):
    return rows[1:]


def drop_last(rows):
    return rows[:-1]


def swap(rows):
    return [*rows[:4], rows[5], rows[4], *rows[6:]]


def replace(rows):
    """An event under the number of another."""
    forged = json.loads(rows[5]) | {"seq": json.loads(rows[4])["seq"]}
    return [*rows[:4], json.dumps(forged).encode() + b"\n", *rows[5:]]


def shift(rows):
    """Every event one number further."""
    return [json.dumps(line | {"seq": line["seq"] + 1}).encode() + b"\n" for line in map(json.loads, rows)]


def another_word(rows):
    return [row.replace(b"accept", b"reject") for row in rows]


@pytest.mark.parametrize("scope", ["session", "range"])
def test_who_tampers_with_the_lines_is_found_out(exported, session, ledger, scope, capsys):
    asked = (
        ["--session", session.session_id] if scope == "session" else ["--from-seq", "2", "--to-seq", f"{ledger - 2}"]
    )
    path = exported(*asked)
    assert_valid(path)
    policy = ["--policy", str(path.parent / "policy.json")]
    for edit in (drop, drop_first, drop_last, swap, replace, shift, another_word):
        assert verify.main([str(with_lines(path, edit)), *policy]) == verify.TAMPERED, edit.__name__
        assert "TAMPERED" in capsys.readouterr().out


def test_an_event_that_is_replaced_by_its_hash_is_counted(exported, ledger):
    def bare(rows):
        line = json.loads(rows[4])
        return [*rows[:4], json.dumps({key: line[key] for key in ("seq", "leaf_hash")}).encode() + b"\n", *rows[5:]]

    path = with_lines(exported("--from-seq", "0", "--to-seq", f"{ledger - 1}"), bare)
    assert f"{ledger - 1} of {ledger} events disclosed" in assert_valid(path)


def test_who_asked_when_and_why_stands_in_the_pack_and_in_the_ledger(exported, session):
    path = exported("--session", session.session_id)
    stated = manifest(path)
    assert (stated["made_by"], stated["reason"]) == (ASKED[1], ASKED[3])
    acts = {event.event_name: event for event in Event.objects.filter(agent="portal")}
    assert set(acts) == {"pack.requested", "pack.made"}
    assert ASKED[3] in bytes(acts["pack.requested"].content.bytes).decode()
    made = bytes(acts["pack.made"].facts).decode()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in made
    assert all(event.subject.email == ASKED[1] for event in acts.values())


def test_what_is_not_signed_yet_is_told_and_not_packed(exported, session, signs):
    evidence(draft(session_id=session.session_id))
    path = exported("--session", session.session_id)
    assert f"{session.events} of {session.events} events disclosed" in assert_valid(path)
    assert "1 event of the session had no number under the signed checkpoint" in report(path)


def test_the_agents_own_numbering_is_told(exported, session):
    Session.objects.filter(pk=session.pk).update(unjudged=[session.chains[0]])
    assert "the session is unjudged" in report(exported("--session", session.session_id))
    Session.objects.filter(pk=session.pk).update(unjudged=[], missing=3)
    Gap.objects.create(id=uuid4(), session=session, chain=1, after=41, before=45, missing=3, at=dt.datetime.now(dt.UTC))
    told = report(exported("--session", session.session_id))
    assert "3 events of the session are missing" in told
    assert "between 41 and 45" in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--session", "nobody"), "No session is called"),
        (("--from-seq", "0"), "--from-seq and --to-seq"),
        (("--from-seq", "3", "--to-seq", "2"), "--from-seq and --to-seq"),
        (("--from-seq", "0", "--to-seq", "100000"), "The signed checkpoint ends before #100000"),
        (("--session", "s", "--from-seq", "0", "--to-seq", "1"), "A pack is of --session, or of"),
        ((), "A pack is of --session, or of"),
        (("--from-seq", "0", "--to-seq", "1", "--reason", "why not"), "at least 10 characters"),
        (("--from-seq", "0", "--to-seq", "1", "--by", " "), "--by names who asks"),
    ],
)
def test_what_cannot_be_packed_is_said(exported, tmp_path, options, words):
    with pytest.raises(CommandError, match=words):
        exported(*options)
    assert not (tmp_path / "pack.zip").exists()
    assert not Event.objects.filter(event_name__startswith="pack.").exists()
