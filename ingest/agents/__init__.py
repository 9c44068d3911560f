"""From what an agent sends to what is recorded: one mapping a file, and the shared ways of cutting a record.

Pure: no database, no settings. Whatever a record holds, it becomes a draft; an odd value becomes a flag.
"""

from collections.abc import Sequence

from audit.drafts import EventDraft
from ingest.agents import claude_code, other
from ingest.agents.emitters import CutEmitter, cut_emitter
from ingest.agents.knowledge import SessionKnowledge, SessionMemory
from ingest.agents.recognition import CLAUDE_CODE, agent_of_event, agent_of_sender, identify
from ingest.otlp.records import LogRecord
from ingest.secrets import Scrubber

__all__ = ["SessionKnowledge", "SessionMemory", "draft", "drafts", "identify"]


def drafts(
    records: Sequence[LogRecord],
    hint: str | None,
    knowledge: SessionKnowledge,
    *,
    scrubber: Scrubber,
    received_at_us: int,
) -> list[EventDraft]:
    """One draft for each record of a request, in order.

    `hint` is the <agent> of /api/v1/otel/<agent>/…, if it came in on that path. What any record of the request shows
    of a session counts for all of them: an API event after a decision may be what tells that nobody was there.
    """
    emitters: dict[int, CutEmitter] = {}
    made: list[EventDraft] = []
    undecided: list[tuple[EventDraft, claude_code.Open]] = []
    for record in records:
        emitter = emitters.get(id(record.emitter))
        if emitter is None:
            emitter = emitters[id(record.emitter)] = cut_emitter(record.emitter, scrubber)
        agent = emitter.agent_by_scope or agent_of_event(record) or agent_of_sender(record.emitter, hint)
        if agent != CLAUDE_CODE:
            made.append(other.draft(record, agent, emitter, scrubber, received_at_us))
            continue
        event, open_decision = claude_code.draft(record, emitter, knowledge, scrubber, received_at_us)
        made.append(event)
        if open_decision is not None:
            undecided.append((event, open_decision))
    for event, open_decision in undecided:
        claude_code.settle(event, open_decision, knowledge)
    return made


def draft(
    record: LogRecord, hint: str | None, knowledge: SessionKnowledge, *, scrubber: Scrubber, received_at_us: int
) -> EventDraft:
    """The draft of one record by itself, as `drafts`."""
    return drafts([record], hint, knowledge, scrubber=scrubber, received_at_us=received_at_us)[0]
