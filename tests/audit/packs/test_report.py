"""report.html: a page for people that runs nothing, loads nothing, and shows what it was sent as what it is."""

import re
from html import unescape

import pytest

from audit.models import ToolUse
from audit.packs import tally
from audit.vocabulary import Kind
from tests.audit.admin.evidence import a_session
from tests.audit.admin.test_hostile import RAW, hostile
from tests.audit.packs.auditing import assert_valid, report
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db


@pytest.fixture
def ledger(db) -> None:
    """Each test records its own."""


@pytest.fixture
def told(signs, exported):
    """The words of the report on everything there is."""

    def tell(*options: str) -> str:
        path = exported("--from-seq", "0", "--to-seq", str(signs() - 1), *options)
        assert_valid(path)
        return words(report(path))

    return tell


def words(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<body>")[2])))


def test_it_tells_the_steps_in_words(told):
    a_session()
    page = told()
    for step in (
        "Prompt in session s-1 Fix the rounding",
        "Asked to use Bash in session s-1 rm -rf build Accepted by person, once default",
        "Result of Bash in session s-1 rm -rf build success, 143 ms",
        "Asked to use Bash in session s-1 Rejected by hook",
        "Mode default → bypassPermissions in session s-1 by shift_tab",
        "MCP server prod-db in session s-1 connected, stdio",
        "Asked to use prod-db › query in session s-1 Accepted by policy bypassPermissions",
        "Result of prod-db › query in session s-1 failed, McpToolCallError",
    ):
        assert step in page


def test_without_content_it_tells_none(told):
    a_session()
    page = told("--without-content", "--without-identity")
    assert "Asked to use Bash in session s-1 Accepted by person, once default" in page
    assert "Withheld in 3 events: the content" in page
    assert "Withheld in 11 events: who it was" in page
    assert not any(text in page for text in ("rm -rf", "rounding", "dana@"))


def test_a_decision_that_is_understood_better_now_is_told_so(told):
    a_session()
    ToolUse.objects.filter(tool_use_id="t-1").update(decided_by="policy", basis="inferred")
    assert "Accepted by policy, once, inferred, understood later" in told()


def test_it_counts_the_secrets_that_were_replaced(told):
    mark = "curl -H [redacted:bearer:0123abcd] -d [redacted:bearer:0123abcd]"
    evidence(draft(content=[("@tool_input", "string", mark)]), draft(content=[("@prompt", "string", "[redacted:x]")]))
    assert "A secret of the kind “bearer” was replaced before anything was stored, 2 times." in told()
    assert "bearer" not in told("--without-content").partition("What happened")[0]


def test_it_stays_a_page_however_much_there_is(told, monkeypatch):
    monkeypatch.setattr(tally, "MOST_STEPS", 3)
    a_session()
    page = told()
    assert page.count("in session s-1") == 3
    assert "7 more steps are in events.ndjson only." in page


def test_hostile_text_stays_text_and_the_page_is_alone(signs, exported):
    evidence(*(hostile(kind, number) for number, kind in enumerate(Kind)))
    page = report(exported("--from-seq", "0", "--to-seq", str(signs() - 1)))
    assert "alert(1)" in page
    assert not RAW.search(page)
    assert not re.search(
        r"<(?!/?(?:style|meta|title|span|code))\w+[^>]*onerror|<script|<img|<link|url\(|\bsrc=\"|href=", page
    )
    assert "default-src 'none'" in page
