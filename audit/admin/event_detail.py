"""Everything a page or panel shows of one event, or of a tool use with both its events.

Fields read from the columns, each attribute that was sent, and the exact bytes that were hashed, part by part.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from django.utils.safestring import SafeString

from audit import leaf, parts
from audit.admin import addresses, telling
from audit.admin.rights import Rights
from audit.listing import markup
from audit.models import Content, Event, Seal, ToolUse

BYTES_SHOWN = 32 * 1024
TEXT_SHOWN = 16 * 1024


@dataclass(frozen=True, slots=True)
class Words:
    """A text that was sent: a prompt, a command, a tool's input. `cut`: there is more of it in the exact bytes."""

    label: str
    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One hashed part. `text` is None where it is not shown; `why` then says why not."""

    name: str
    size: int
    commitment: str
    text: str | None
    why: str = ""
    cut: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """Who handed the record in and when: what the portal saw itself, not what the client claims."""

    received_at: Any
    source_id: int
    source_name: str
    token_id: int
    address: str
    known: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class EventDetail:
    event: Event
    header: Header
    seal: Seal | None
    words: Sequence[Words]
    attributes: Sequence[tuple[str, str, str, SafeString]]
    parts: Sequence[Part]
    sealed_content: bool

    @property
    def url(self) -> str:
        return telling.event_url(self.event.pk)

    @property
    def leaf_hash(self) -> str:
        return bytes(self.event.leaf_hash).hex()


@dataclass(frozen=True, slots=True)
class Detail:
    """`use` is the tool use the events belong to, if that is what is shown."""

    use: ToolUse | None
    events: Sequence[EventDetail] = field(default_factory=tuple)

    @property
    def words(self) -> list[Words]:
        """The texts of all its events, each once: a result repeats what its decision said."""
        return list({words.text: words for event in reversed(self.events) for words in reversed(event.words)}.values())[
            ::-1
        ]

    @property
    def sealed_content(self) -> bool:
        return any(event.sealed_content for event in self.events)


def of_events(events: Iterable[Event], rights: Rights, use: ToolUse | None = None) -> Detail:
    """Details of a few events; queries for their contents and numbers, once."""
    events = list(events)
    ids = [event.pk for event in events]
    seals = {seal.event_id: seal for seal in Seal.objects.filter(event_id__in=ids)}
    contents = Content.objects.in_bulk(ids)
    return Detail(use, [_of_event(event, contents.get(event.pk), seals.get(event.pk), rights) for event in events])


def of_use(use: ToolUse, rights: Rights) -> Detail:
    ids = [event for event in (use.decision_event, use.result_event) if event]
    found = Event.objects.select_related("subject", "origin").in_bulk(ids)
    return of_events([found[event] for event in ids if event in found], rights, use)


def _of_event(event: Event, content: Content | None, seal: Seal | None, rights: Rights) -> EventDetail:
    stored = {
        "subject": event.subject.bytes if event.subject else None,
        "origin": event.origin.bytes if event.origin else None,
        "facts": event.facts,
        "content": content.bytes if content else None,
    }
    shown = {"subject": rights.identity, "content": rights.content}
    sent = [
        (part, key, kind, markup.visible(_short(value)))
        for part, data in stored.items()
        if shown.get(part, True)
        for key, kind, value in parts.attributes(data)
    ]
    return EventDetail(
        event,
        header(event),
        seal,
        _words(stored["content"]) if rights.content else (),
        sent,
        [_header_part(event), *(_part(event, name, data, shown.get(name, True)) for name, data in stored.items())],
        sealed_content=content is not None and not rights.content,
    )


def header(event: Event) -> Header:
    """What `ledger.header_bytes` wrote."""
    _, _, _, source_id, source_name, token_id, address, _, known = msgspec.json.decode(bytes(event.header))
    return Header(event.received_at, source_id, source_name, token_id, address, [tuple(pair) for pair in known])


_LABELS = {
    "prompt": "Prompt",
    "prompt_text": "Prompt",
    "response": "Response",
    "tool_parameters": "Parameters",
    "tool_input": "Input",
    "error": "Error",
}


def _words(data: bytes | memoryview | None) -> list[Words]:
    """The texts of the content that people look for, each once, in the order of `_LABELS`."""
    values = parts.values(parts.attributes(data))
    found: list[Words] = []
    for key, label in _LABELS.items():
        value = values.get(key)
        if not isinstance(value, str) or not value or any(value == other.text for other in found):
            continue
        text = "not sent by the client" if value == parts.REDACTED else value
        found.append(Words(label, text[:TEXT_SHOWN], len(text) > TEXT_SHOWN))
    return [words for words in found if words.text != "not sent by the client"] or found[:1]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 300 else f"{text[:300]}…"


def _header_part(event: Event) -> Part:
    data = bytes(event.header)
    return Part("header", len(data), "", data.decode("utf-8", "replace"), url=part_url(event.pk, "header"))


def _part(event: Event, name: str, data: bytes | memoryview | None, shown: bool) -> Part:
    commitment = commitment_of(event, name)
    if commitment == leaf.ABSENT:
        return Part(name, 0, commitment.hex(), None, "This event has no such part.")
    if data is None:
        return Part(name, 0, commitment.hex(), None, "Erased. The commitment stays, and the proof holds.")
    raw = bytes(data)
    if not shown:
        return Part(name, len(raw), commitment.hex(), None, "Seen only with the right to.")
    text = raw[:BYTES_SHOWN].decode("utf-8", "replace")
    return Part(name, len(raw), commitment.hex(), text, cut=len(raw) > BYTES_SHOWN, url=part_url(event.pk, name))


def commitment_of(event: Event, name: str) -> bytes:
    return event.commitments[leaf.PARTS.index(name)]


def part_url(event_id: UUID, name: str) -> str:
    return addresses.of("admin:audit_event_part", event_id, name)
