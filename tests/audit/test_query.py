import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit import query
from audit.query import Fault, Field, Term

FIELDS = {
    "tool": Field("the tool"),
    "decision": Field("how it was decided", choices=("accept", "reject", "cancel")),
    "mode": Field(
        "the mode",
        choices=("plan", "default", "acceptEdits", "bypassPermissions"),
        open=True,
        aliases={"bypass": "bypassPermissions"},
    ),
    "after": Field("not before", time=True),
    "path": Field("a part of a path"),
    "person": Field("who", refused="person is for those who may see identities."),
}
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def terms(text: str) -> list[Term]:
    read = query.parse(text, FIELDS)
    assert read.faults == []
    return list(read.terms)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("   ", []),
        ("tool:Bash", [Term("tool", "Bash")]),
        ("tool:Bash decision:reject", [Term("tool", "Bash"), Term("decision", "reject")]),
        ("-decision:accept", [Term("decision", "accept", True)]),
        ('path:"my files/"', [Term("path", "my files/")]),
        (r'path:"a \"b\" c\\d"', [Term("path", r'a "b" c\d')]),
        ("rounding", [Term("", "rounding")]),
        ('"fix the rounding" bug', [Term("", "fix the rounding"), Term("", "bug")]),
        ('-"fix the rounding"', [Term("", "fix the rounding", True)]),
        ("-rf", [Term("", "-rf")]),
        ("mode:bypass", [Term("mode", "bypassPermissions")]),
        ("mode:yolo", [Term("mode", "yolo")]),
        ("https://evil.example/x.sh", [Term("", "https://evil.example/x.sh")]),
        ("C:\\Users", [Term("", "C:\\Users")]),
        ("12:30", [Term("", "12:30")]),
        ("path:a:b", [Term("path", "a:b")]),
        ("after:-7d", [Term("after", "-7d")]),
        ("after:2026-11-21T06:30", [Term("after", "2026-11-21T06:30")]),
        ("tool:\u202eBash", [Term("tool", "\u202eBash")]),
    ],
)
def test_it_reads_terms(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "words", "message", "suggestion"),
    [
        ("tool:Bash mode:bypas after:-7d", "bypas", "mode has no value “bypas”.", "bypassPermissions"),
        ("decision:refuse", "refuse", "decision has no value “refuse”.", ""),
        ("decision:Reject", "Reject", "decision has no value “Reject”.", "reject"),
        ("toll:Bash", "toll", "There is no field “toll”.", "tool"),
        ("x -toll:Bash", "toll", "There is no field “toll”.", "tool"),
        ("-person:dana x", "person", "person is for those who may see identities.", ""),
        ("zzz:1", "zzz", "There is no field “zzz”.", ""),
        ('path:"open', '"open', "The quotation mark is not closed.", '"open"'),
        ("after:soon", "soon", "“soon” is no time.", ""),
        ("tool: x", "tool:", "tool needs a value.", ""),
        ("tool:", "tool:", "tool needs a value.", ""),
    ],
)
def test_it_names_the_characters_it_cannot_read(text, words, message, suggestion):
    (fault,) = query.parse(text, FIELDS).faults
    assert (text[fault.start : fault.end], fault.message, fault.suggestion) == (words, message, suggestion)


def test_what_can_be_read_stays():
    read = query.parse("tool:Bash mode:bypas rounding", FIELDS)
    assert read.terms == [Term("tool", "Bash"), Term("", "rounding")]
    assert len(read.faults) == 1


def test_an_error_offers_the_other_values():
    (fault,) = query.parse("mode:bypas", FIELDS).faults
    assert fault.others == ["plan", "default", "acceptEdits"]


def test_words_are_joined_and_negated_ones_are_not_searched_for():
    assert query.parse('fix tool:Bash "the rounding" -"not this"', FIELDS).words == "fix the rounding"


VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
NAMED = st.builds(Term, st.sampled_from(["tool", "path"]), VALUES, st.booleans())
WORDS = st.builds(Term, st.just(""), VALUES, st.booleans())


@given(st.lists(NAMED | WORDS, max_size=5))
@example([Term("", "tool:x")])
@example([Term("", "-rf"), Term("", "-rf", True)])
@example([Term("path", "\\")])
@example([Term("", "-")])
def test_what_is_spelled_reads_the_same(given_terms):
    read = query.parse(query.spell(given_terms), FIELDS)
    assert read.faults == []
    assert read.terms == given_terms


@given(st.text(max_size=80))
@example('"')
@example("-")
@example('-"')
@example('tool:"\\')
def test_any_text_is_read_or_its_fault_is_named(text):
    read = query.parse(text, FIELDS)
    for fault in read.faults:
        assert 0 <= fault.start < fault.end <= len(text), fault
    assert [term.start for term in read.terms] == sorted(term.start for term in read.terms)


def test_a_query_longer_than_anyone_types_is_cut():
    assert len(query.parse("x " * 5000, FIELDS).text) == query.LONGEST


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-7d", NOW - dt.timedelta(days=7)),
        ("90m", NOW - dt.timedelta(minutes=90)),
        ("+1h", NOW + dt.timedelta(hours=1)),
        ("2026-11-01", dt.datetime(2026, 11, 1, tzinfo=dt.UTC)),
        ("2026-11-01T06:30+01:00", dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC)),
        ("yesterday", None),
        ("-999999w", None),
        ("2026-13-01", None),
    ],
)
def test_times_are_read_as_people_write_them(text, expected):
    assert query.moment(text, NOW) == expected


@pytest.mark.parametrize(
    ("value", "told"), [("-7d", "-7 days"), ("1h", "-1 hour"), ("+2w", "+2 weeks"), ("2026-11-01", "2026-11-01")]
)
def test_a_chip_says_a_span_in_words(value, told):
    assert query.told(value) == told


def test_a_term_can_be_taken_out_and_put_in():
    read = query.parse("tool:Bash decision:reject", FIELDS)
    assert query.without(read, read.terms[0]) == "decision:reject"
    assert query.with_value(read, "tool", "Edit") == "decision:reject tool:Edit"
    assert query.with_value(read, "tool", None) == "decision:reject"


def test_a_fault_knows_where_it_stands():
    assert query.parse("ok decision:no", FIELDS).faults == [
        Fault(12, 14, "decision has no value “no”.", "", ["accept", "reject", "cancel"])
    ]
