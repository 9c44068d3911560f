"""Any agent that has no mapping of its own yet: kept whole, shown under its own words, nothing read into it.

What an attribute means is only claimed where every agent means the same: the session, the event's name and times.
"""

import re

from audit.drafts import EventDraft
from audit.vocabulary import Kind
from ingest.agents.cutting import cut, distinct, last_text, occurred_at
from ingest.agents.emitters import CutEmitter
from ingest.agents.parts import Placement
from ingest.agents.recognition import EVENT_PREFIXES
from ingest.agents.values import IDENTIFIER_CHARACTERS, bounded, identifier, integer
from ingest.otlp.records import LogRecord
from ingest.secrets import Scrubber

NAMELESS = "log"

_SESSION_KEYS = ("session.id", "conversation.id", "gen_ai.conversation.id")
_PLACES = Placement(
    "@",
    ("event.name", "event.timestamp", "event.sequence", *_SESSION_KEYS),
    {"event.sequence": ("sequence", integer)} | {key: (f"_{key}", identifier) for key in _SESSION_KEYS},
)
_NAME = re.compile(r"[\w.:/-]{1,128}", re.ASCII)
_LOCATION = re.compile(r"\.\w{1,4}:\d+$")


def draft(record: LogRecord, agent: str, emitter: CutEmitter, scrubber: Scrubber, received_at_us: int) -> EventDraft:
    """The record's draft; everything but the facts named above and what every agent shares is content."""
    made = cut(record, emitter, _PLACES, False, scrubber)
    columns, flags = made.columns, made.flags
    sessions = [columns.pop(f"_{key}", None) for key in _SESSION_KEYS]
    moment = occurred_at(record, received_at_us, flags)
    name = bounded(scrubber.text(event_name(record)), IDENTIFIER_CHARACTERS, flags)
    kind = (Kind.PROMPT if name == "user_prompt" else Kind.OTHER).value
    return EventDraft(
        agent, kind, name, made.subject, made.origin, made.facts, made.content, moment,
        session_id=next(filter(None, sessions), None), flags=distinct(flags), **columns,
    )  # fmt: skip


def event_name(record: LogRecord) -> str:
    """The attribute `event.name`, else the OTLP field or the body where that is a name and not a text.

    Without the agent's prefix. Codex writes a place in its source into the OTLP field, opencode log lines into the
    body (wire-other-agents.md A.1, A.5); such a record is called `log`.
    """
    body = record.body[1] if record.body and record.body[0] == "string" else ""
    named = last_text(record, "event.name")
    name = named or next(filter(_is_name, (record.event_name, body)), NAMELESS)
    for prefix in EVENT_PREFIXES:
        name = name.removeprefix(prefix)
    return name or NAMELESS


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and _LOCATION.search(text) is None
