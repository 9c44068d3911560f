"""What Claude Code's permission words mean: who or what decided, how far it reaches, and how sure that is.

The words on the wire mislead (DESIGN §4): `config` merges rules, modes and classifiers, and in a headless run
`user_permanent` and `user_reject` come from a settings rule that nobody clicked. This table is the only place that
knows it. The mapping asks it when a record arrives; the projector asks it again, through `reinterpret`, when a session
turns out to be headless after its decisions were recorded.
"""

import json
import re
from typing import NamedTuple

ACCEPT, REJECT, CANCEL = "accept", "reject", "cancel"
PERSON, POLICY, HOOK, REVIEWER_MODEL, NOBODY, UNKNOWN = (
    "person",
    "policy",
    "hook",
    "reviewer_model",
    "nobody",
    "unknown",
)
STATED, INFERRED = "stated", "inferred"

SESSION_INTERACTIVE, SESSION_SDK, SESSION_UNKNOWN = "interactive", "sdk", "unknown"
"""What is known of a session from outside the deciding record (ingest.agents.knowledge)."""

_DECISION_OF_USER_WORD = {
    "user_temporary": ACCEPT,
    "user_permanent": ACCEPT,
    "user_reject": REJECT,
    "user_abort": REJECT,
}
_GRANTS = {"user_temporary": "once", "user_permanent": "always"}
_INTERACTIVE_ENTRYPOINTS = frozenset({"cli", "claude-vscode", "claude-jetbrains", "claude-desktop"})

_PLAIN_WORD = re.compile(r"[\w.:+/-]+", re.ASCII)
_SPELLED = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*+"|\S+)', re.ASCII)


class Verdict(NamedTuple):
    """One decision in the portal's words; `decision` and `grant` are None where the wire gives none."""

    decision: str | None
    decided_by: str
    grant: str | None
    basis: str


class Words(NamedTuple):
    """The vendor's own words of one decision, as `decision_raw` holds them."""

    decision: str | None
    source: str | None
    classifier: str | None = None


def interpret_claude(
    decision: str | None,
    source: str | None,
    mode: str | None,
    classifier: str | None,
    entrypoint: str | None,
    session_kind: str,
) -> Verdict:
    """The table of wire-claude-code.md A6 and DESIGN §4 for one `tool_decision`.

    `mode` is its `permission_mode`, `classifier` its `classifier_verdict`, `entrypoint` the CLI's own `app.entrypoint`
    (None if it was not sent or cannot be trusted), `session_kind` one of the SESSION words. Never raises.
    """
    given = decision if decision in (ACCEPT, REJECT) else None
    if source in _DECISION_OF_USER_WORD:
        return _by_user_word(given, source, entrypoint, session_kind)
    decided_by, basis = _by_machine_word(given, source, mode, classifier)
    return Verdict(given, decided_by, None, basis)


def reinterpret(decision_raw: str | None, mode: str | None, session_kind: str, entrypoint: str | None) -> Verdict:
    """The verdict on a recorded decision, with what is known of its session now."""
    words = parse(decision_raw or "")
    return interpret_claude(words.decision, words.source, mode, words.classifier, entrypoint, session_kind)


def asks_session(source: str | None, entrypoint: str | None) -> bool:
    """Whether the verdict depends on what is known of the session."""
    return source in _DECISION_OF_USER_WORD and not _entrypoint_tells(entrypoint)


def spell(words: Words) -> str:
    """`decision=accept source=config classifier_verdict=allow`; words with odd characters are JSON-quoted."""
    named = zip(("decision", "source", "classifier_verdict"), words, strict=True)
    return " ".join(f"{name}={_quoted(word)}" for name, word in named if word is not None)


def parse(decision_raw: str) -> Words:
    """The inverse of `spell`; anything else gives words that are None."""
    found: dict[str, str] = {}
    for name, word in _SPELLED.findall(decision_raw):
        found.setdefault(name, _unquoted(word))
    return Words(found.get("decision"), found.get("source"), found.get("classifier_verdict"))


def _by_machine_word(
    decision: str | None, source: str | None, mode: str | None, classifier: str | None
) -> tuple[str, str]:
    if source == "hook":
        return HOOK, STATED
    if source == "classifier" or (source == "config" and classifier):
        return REVIEWER_MODEL, STATED
    if source != "config":
        return UNKNOWN, INFERRED
    if decision == REJECT and mode == "dontAsk":
        # A deny rule gives the same words; that nobody could be asked is the mode's own meaning.
        return NOBODY, INFERRED
    return POLICY, STATED


def _by_user_word(decision: str | None, source: str, entrypoint: str | None, session_kind: str) -> Verdict:
    if decision != _DECISION_OF_USER_WORD[source]:
        return Verdict(decision, UNKNOWN, None, INFERRED)
    decided_by, basis = _claimed_user(entrypoint, session_kind)
    return Verdict(CANCEL if source == "user_abort" else decision, decided_by, _GRANTS.get(source), basis)


def _claimed_user(entrypoint: str | None, session_kind: str) -> tuple[str, str]:
    if entrypoint == "sdk-cli":
        return POLICY, INFERRED  # headless: the word comes from a settings rule, nobody clicked
    if entrypoint is not None and entrypoint.startswith("sdk-"):
        return PERSON, INFERRED  # the SDK's host answered and says that a person did
    if entrypoint in _INTERACTIVE_ENTRYPOINTS or session_kind == SESSION_INTERACTIVE:
        return PERSON, STATED
    return UNKNOWN, INFERRED


def _entrypoint_tells(entrypoint: str | None) -> bool:
    return entrypoint is not None and (entrypoint.startswith("sdk-") or entrypoint in _INTERACTIVE_ENTRYPOINTS)


def _quoted(word: str) -> str:
    return word if _PLAIN_WORD.fullmatch(word) else json.dumps(word)


def _unquoted(word: str) -> str:
    if not word.startswith('"'):
        return word
    try:
        return str(json.loads(word))
    except ValueError:
        return word
