"""Claude Code's log records as drafts (wire-claude-code.md, DESIGN §4)."""

from typing import NamedTuple

from audit.decisions import SESSION_UNKNOWN, Words, asks_session, interpret_claude
from audit.drafts import EventDraft
from audit.vocabulary import Agent, Decision, Outcome
from ingest.agents.claude_columns import columns_of
from ingest.agents.claude_events import CLI_ONLY, FACTS, UNLISTED, kind_of
from ingest.agents.claude_finish import finish
from ingest.agents.cutting import cut, distinct, last_text, occurred_at
from ingest.agents.emitters import CutEmitter
from ingest.agents.knowledge import SessionKnowledge
from ingest.agents.parts import Placement
from ingest.agents.values import IDENTIFIER_CHARACTERS, bounded
from ingest.otlp.records import LogRecord
from ingest.secrets import Scrubber

PREFIX = "claude_code."

_AGENT = Agent.CLAUDE_CODE.value

_PLACES = {event: Placement("@", facts, columns_of(event)) for event, facts in FACTS.items()}


class Open(NamedTuple):
    """What a decision is settled by, once the whole request has been read: its words and its own entry point."""

    words: Words
    entrypoint: str | None


def draft(
    record: LogRecord, emitter: CutEmitter, knowledge: SessionKnowledge, scrubber: Scrubber, received_at_us: int
) -> tuple[EventDraft, Open | None]:
    """The record's draft; of a `tool_decision` also what is still open on it: who decided (see `settle`)."""
    name = event_name(record)
    listed = name in _PLACES and name != UNLISTED
    body_is_fact = record.body == ("string", PREFIX + name)
    made = cut(record, emitter, _PLACES[name if listed else UNLISTED], body_is_fact, scrubber)
    columns, flags = made.columns, made.flags
    knowledge.learn(columns.get("session_id"), columns.get("query_source"), "_decision_source" in columns)
    finish(name, columns, flags, scrubber)
    moment = occurred_at(record, received_at_us, flags)
    words, entrypoint = columns.pop("_words", None), _own(columns.pop("_entrypoint", None), emitter)
    if not listed:
        flags.append("unknown_event")
        name = bounded(scrubber.text(name), IDENTIFIER_CHARACTERS, flags)
    if not CLI_ONLY.isdisjoint(emitter.texts):
        flags.append("spoofed")
    drafted = EventDraft(
        _AGENT, kind_of(name), name, made.subject, made.origin, made.facts, made.content, moment,
        flags=distinct(flags), **columns,
    )  # fmt: skip
    return drafted, Open(words, entrypoint) if words is not None else None


def settle(draft: EventDraft, open_decision: Open, knowledge: SessionKnowledge) -> None:
    """Say who decided, by all that the request has shown of the session; what was used goes into `known`."""
    words, entrypoint = open_decision
    session_kind = SESSION_UNKNOWN
    if asks_session(words.source, entrypoint):
        session_kind = knowledge.kind(draft.session_id)
        if session_kind != SESSION_UNKNOWN:
            draft.known = (("session", session_kind),)
    verdict = interpret_claude(words.decision, words.source, draft.mode, words.classifier, entrypoint, session_kind)
    draft.decision, draft.decided_by, draft.grant, draft.basis = verdict
    if verdict.decision in (Decision.REJECT, Decision.CANCEL):
        draft.outcome = Outcome.NOT_RUN.value


def event_name(record: LogRecord) -> str:
    """The event's short name: the attribute `event.name`, else the body, else the OTLP field; without the prefix."""
    kind, body = record.body or ("", "")
    spelled = body[len(PREFIX) :] if kind == "string" and body.startswith(PREFIX) else ""
    # Nearly always the two agree; that is seen quicker than the attribute is found.
    if spelled and "duplicate_key" not in record.flags and ("event.name", "string", spelled) in record.attributes:
        return spelled
    name = last_text(record, "event.name") or spelled or record.event_name
    return name.removeprefix(PREFIX)


def _own(entrypoint: str | None, emitter: CutEmitter) -> str | None:
    """The entry point if the CLI set it: what a developer put into OTEL_RESOURCE_ATTRIBUTES is copied onto records."""
    return None if entrypoint == emitter.texts.get("app.entrypoint") else entrypoint
