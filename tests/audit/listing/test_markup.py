import datetime as dt
import re

import pytest

from audit.listing import markup

AT = dt.datetime(2020, 11, 21, 6, 7, 41, 516_789, tzinfo=dt.UTC)
HOSTILE = '<img src=x onerror=alert(1)>\u202e"'


@pytest.mark.parametrize(
    "html",
    [
        markup.tag(HOSTILE),
        markup.claim(HOSTILE),
        markup.claim("x", HOSTILE),
        markup.mode(HOSTILE),
        markup.state("ok", HOSTILE),
        markup.warning(HOSTILE),
        markup.grade("b", HOSTILE),
        markup.minibar({HOSTILE: 2, "default": 1}),
        markup.badge(HOSTILE, HOSTILE, HOSTILE),
        markup.outcome(HOSTILE),
        markup.time(AT, note=HOSTILE),
        markup.icon(HOSTILE),
    ],
    ids=[
        "tag",
        "claim",
        "claim's source",
        "mode",
        "state",
        "warning",
        "grade",
        "minibar",
        "badge",
        "outcome",
        "time",
        "icon",
    ],
)
def test_it_lets_no_text_become_markup(html):
    assert "<img" not in html
    assert re.findall(r'="[^"]*"[^ >/]', html) == []


def test_it_says_when_a_decision_was_inferred():
    assert "inferred" in markup.badge("accept", "person", "inferred")
    assert "Inferred" in markup.badge("accept", "person", "inferred")
    assert "nferred" not in markup.badge("accept", "person", "stated")


def test_it_writes_derived_modes_in_italics_and_says_so():
    assert 'class="mode bypass derived"' in markup.mode("bypassPermissions", "derived")
    assert "Derived" in markup.mode("bypassPermissions", "derived")
    assert markup.mode("bypassPermissions", "stated") == '<span class="mode bypass">bypassPermissions</span>'


def test_it_does_not_give_an_unknown_mode_a_colour():
    assert markup.mode(None) == '<span class="mode unknown">not known</span>'
    assert 'class="mode unknown"' in markup.mode("yolo")


def test_it_never_lets_a_grade_stand_without_its_reason():
    assert "3 missing" in re.sub(r"<[^>]*>", "", markup.grade("b", "3 missing"))
    assert 'aria-label="Completeness B: 3 missing"' in markup.grade("b", "3 missing", told=False)


def test_what_is_not_judged_yet_gets_no_grade_and_says_why():
    html = markup.unjudged("3 missing so far")
    assert re.sub(r"<[^>]*>", "", html) == "not judged yet: 3 missing so far"
    assert "a minute old" in html
    assert "grade" not in html
    assert re.sub(r"<[^>]*>", "", markup.unjudged("")) == "not judged yet"


def test_it_draws_shares_in_the_order_of_permissiveness():
    html = markup.minibar({"bypassPermissions": 1, "default": 2, "plan": 1})
    assert re.findall('class="fill-([a-z]+)"', html) == ["plan", "default", "bypass"]
    assert 'aria-label="plan 25 %, default 50 %, bypassPermissions 25 %"' in html
    assert "bypassPermissions 25 %</span>" in html
    assert "style" not in html


def test_it_says_that_there_was_no_decision_to_draw():
    assert "no decision" in markup.minibar({})
    assert "no decision" in markup.minibar({"default": 0})


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ("moment", "21 Nov 2020 06:07:41"),
        ("clock", "06:07:41"),
        ("precise", "21 Nov 2020 06:07:41.516"),
        ("date", "21 Nov 2020"),
    ],
)
def test_it_tells_a_time_in_utc(shape, told):
    html = markup.time(AT.astimezone(dt.timezone(dt.timedelta(hours=9))), shape)
    assert (
        f'datetime="2020-11-21T06:07:41.516789Z" title="2020-11-21 06:07:41.516 UTC" data-shape="{shape}">{told}<'
        in html
    )


def test_it_tells_how_long_ago():
    now = dt.datetime.now(dt.UTC)
    assert ">2 h ago<" in markup.time(now - dt.timedelta(hours=2), "ago")
    assert ">in 9 d<" in markup.time(now + dt.timedelta(days=9, minutes=1), "ago")
    assert "data-shape" not in markup.time(now, "ago")


def test_it_shows_zeros_faint_and_says_what_is_not_known():
    assert markup.number(0) == '<span class="zero">0</span>'
    assert "not known" in markup.number(None)
    assert "not known" in markup.time(None)


@pytest.mark.parametrize(
    ("outcome", "duration", "told"),
    [
        ("success", 143, "143 ms"),
        ("success", None, "success"),
        ("failure", 4, "failed · 4 ms"),
        ("not_run", None, "not run"),
        ("unknown", None, "no result recorded"),
        (None, None, "no result recorded"),
    ],
)
def test_it_tells_how_a_tool_use_ended(outcome, duration, told):
    assert re.sub(r"<[^>]*>", "", markup.outcome(outcome, duration)) == told
