"""The table of wire-claude-code.md A6 and DESIGN §4, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.decisions import Verdict, Words, asks_session, interpret_claude, parse, reinterpret, spell
from audit.vocabulary import Basis, DecidedBy, Decision, Grant

INTERACTIVE, SDK, UNKNOWN = "interactive", "sdk", "unknown"

# what happened: decision, source, permission_mode, classifier, entrypoint, session → decision, who, grant, basis
ROWS = {
    "read-only tool": ("accept config default - - unknown", "accept policy - stated"),
    "allow rule, interactive": ("accept config default - cli interactive", "accept policy - stated"),
    "allow rule, headless, user settings": (
        "accept user_permanent default - sdk-cli sdk",
        "accept policy always inferred",
    ),
    "allow rule, headless, entry point not sent": (
        "accept user_permanent default - - sdk",
        "accept unknown always inferred",
    ),
    "allow rule, nothing known yet": ("accept user_permanent default - - unknown", "accept unknown always inferred"),
    "allow rule, headless, project settings": ("accept config default - sdk-cli sdk", "accept policy - stated"),
    "acceptEdits": ("accept config acceptEdits - - unknown", "accept policy - stated"),
    "bypassPermissions": ("accept config bypassPermissions - - unknown", "accept policy - stated"),
    "auto without a verdict": ("accept config auto - - interactive", "accept policy - stated"),
    "person: yes once": ("accept user_temporary default - cli unknown", "accept person once stated"),
    "person: yes once, known from the session": (
        "accept user_temporary default - - interactive",
        "accept person once stated",
    ),
    "person: do not ask again": ("accept user_permanent default - cli unknown", "accept person always stated"),
    "person: no": ("reject user_reject default - cli unknown", "reject person - stated"),
    "person in VS Code, which drives the SDK": (
        "accept user_temporary default - claude-vscode sdk",
        "accept person once stated",
    ),
    "person at the desktop": ("reject user_reject default - claude-desktop sdk", "reject person - stated"),
    "interrupted while asked": ("reject user_abort default - cli unknown", "cancel person - stated"),
    "interrupted by an SDK host": ("reject user_abort default - - sdk", "cancel unknown - inferred"),
    "plan approved": ("accept user_temporary plan - - interactive", "accept person once stated"),
    "deny rule": ("reject config bypassPermissions - - unknown", "reject policy - stated"),
    "deny rule, headless, user settings": (
        "reject user_reject default - sdk-cli unknown",
        "reject policy - inferred",
    ),
    "deny rule, headless, entry point not sent": ("reject user_reject default - - sdk", "reject unknown - inferred"),
    "headless, nobody to ask": ("reject config default - sdk-cli sdk", "reject policy - stated"),
    "mode dontAsk": ("reject config dontAsk - - unknown", "reject nobody - inferred"),
    "allowed under dontAsk": ("accept config dontAsk - - unknown", "accept policy - stated"),
    "hook allows": ("accept hook default - - unknown", "accept hook - stated"),
    "hook denies": ("reject hook default - sdk-cli sdk", "reject hook - stated"),
    "hook denies under dontAsk": ("reject hook dontAsk - - unknown", "reject hook - stated"),
    "SDK host answers": ("accept user_temporary default - sdk-ts unknown", "accept person once inferred"),
    "SDK host denies": ("reject user_reject default - sdk-py sdk", "reject person - inferred"),
    "classifier not available": ("reject config auto unavailable - unknown", "reject reviewer_model - stated"),
    "classifier allows": ("accept config auto allow - interactive", "accept reviewer_model - stated"),
    "classifier blocks under dontAsk": ("reject config dontAsk block - unknown", "reject reviewer_model - stated"),
    "source classifier": ("accept classifier auto - - unknown", "accept reviewer_model - stated"),
    "source unknown": ("accept unknown default - - interactive", "accept unknown - inferred"),
    "source not sent": ("accept - default - cli interactive", "accept unknown - inferred"),
    "a word to come": ("accept user_telepathic default - cli interactive", "accept unknown - inferred"),
    "a decision to come": ("defer hook default - - unknown", "- hook - stated"),
    "words that contradict each other": ("accept user_reject default - cli unknown", "accept unknown - inferred"),
    "an entry point to come, person known": (
        "accept user_temporary default - claude-on-mars interactive",
        "accept person once stated",
    ),
    "an entry point to come, nothing known": (
        "accept user_temporary default - claude-on-mars unknown",
        "accept unknown once inferred",
    ),
}


def words_of(row: str) -> list[str | None]:
    return [None if word == "-" else word for word in row.split()]


@pytest.mark.parametrize(("asked", "expected"), ROWS.values(), ids=ROWS.keys())
def test_it_reads_the_wires_words(asked: str, expected: str) -> None:
    decision, source, mode, classifier, entrypoint, session = words_of(asked)
    assert session
    verdict = interpret_claude(decision, source, mode, classifier, entrypoint, session)
    assert list(verdict) == words_of(expected)


@pytest.mark.parametrize(("asked", "expected"), ROWS.values(), ids=ROWS.keys())
def test_it_reads_a_recorded_decision_the_same_way_later(asked: str, expected: str) -> None:
    decision, source, mode, classifier, entrypoint, session = words_of(asked)
    assert session
    recorded = spell(Words(decision, source, classifier))
    assert list(reinterpret(recorded, mode, session, entrypoint)) == words_of(expected)


def test_it_spells_the_vendors_own_words() -> None:
    spelled = spell(Words("accept", "config", "unavailable"))
    assert spelled == "decision=accept source=config classifier_verdict=unavailable"
    assert spell(Words("reject", "user_reject")) == "decision=reject source=user_reject"
    assert spell(Words(None, None)) == ""


OPTIONAL_TEXT = st.none() | st.text() | st.sampled_from(["accept", 'a" source=hook', "source=config", "\\", "\ud800"])


@given(st.builds(Words, OPTIONAL_TEXT, OPTIONAL_TEXT, OPTIONAL_TEXT))
def test_it_reads_back_whatever_it_spelled(words: Words) -> None:
    assert parse(spell(words)) == words


@given(st.text(), OPTIONAL_TEXT, OPTIONAL_TEXT)
def test_it_reads_any_recorded_text_without_failing(raw: str, mode: str | None, entrypoint: str | None) -> None:
    verdict = reinterpret(raw, mode, UNKNOWN, entrypoint)
    assert verdict.decided_by in set(DecidedBy)


def test_it_uses_no_word_outside_the_vocabulary() -> None:
    decisions = ("accept", "reject", "maybe", None)
    sources = ("config", "hook", "classifier", "user_temporary", "user_permanent", "user_reject", "user_abort", None)
    for decision in decisions:
        for source in sources:
            for entrypoint in (None, "cli", "sdk-cli", "sdk-ts", "claude-vscode"):
                for session in (INTERACTIVE, SDK, UNKNOWN):
                    verdict = interpret_claude(decision, source, "default", None, entrypoint, session)
                    assert verdict.decision in {None, *Decision}
                    assert verdict.decided_by in set(DecidedBy)
                    assert verdict.grant in {None, *Grant}
                    assert verdict.basis in set(Basis)


def test_it_never_shows_a_person_in_a_session_that_a_program_drove() -> None:
    for source, decision in (("user_temporary", "accept"), ("user_permanent", "accept"), ("user_reject", "reject")):
        verdict: Verdict = interpret_claude(decision, source, "default", None, None, SDK)
        assert verdict.decided_by == "unknown"


def test_it_asks_for_the_session_only_where_the_record_does_not_tell() -> None:
    assert asks_session("user_permanent", None)
    assert asks_session("user_reject", "claude-on-mars")
    assert not asks_session("user_permanent", "sdk-cli")
    assert not asks_session("user_permanent", "cli")
    assert not asks_session("config", None)
