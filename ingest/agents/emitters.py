"""One resource and scope, cut into parts once for all the records that came under it."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.drafts import Attribute
from ingest.agents.parts import FACTS, ORIGIN, RESOURCE, SCOPE, Placement
from ingest.agents.recognition import agent_of_scope
from ingest.otlp.records import Emitter
from ingest.secrets import Scrubber

Parts = tuple[list[Attribute], list[Attribute], list[Attribute], list[Attribute]]
"""subject, origin, facts, content"""


@dataclass(frozen=True, slots=True)
class CutEmitter:
    """What the parts of every record under this emitter begin with, scrubbed. `texts`: the resource's, by key."""

    agent_by_scope: str | None
    parts: Parts
    texts: dict[str, str]
    flags: tuple[str, ...]


def cut_emitter(emitter: Emitter, scrubber: Scrubber) -> CutEmitter:
    """Scope name and version belong to the origin; dropped counts and schema addresses are facts."""
    names = _texts(("scope.name", emitter.scope_name), ("scope.version", emitter.scope_version))
    scrubbed = [scrubber.attributes(group) for group in (emitter.resource, names, emitter.scope, _envelope(emitter))]
    resource, scope_names, scope, envelope = (attributes for attributes, _ in scrubbed)
    parts: Parts = ([], [], [], [])
    _place(resource, RESOURCE, parts)
    parts[ORIGIN].extend(scope_names)
    _place(scope, SCOPE, parts)
    parts[FACTS].extend(envelope)
    flags = sorted(emitter.flags)
    if any(redacted for _, redacted in scrubbed):
        flags.append("secret_redacted")
    texts = {key: value for key, kind, value in emitter.resource if kind == "string"}
    return CutEmitter(agent_of_scope(emitter.scope_name), parts, texts, tuple(flags))


def _envelope(emitter: Emitter) -> list[Attribute]:
    counts: list[Attribute] = [
        ("resource.dropped_attributes_count", "int", emitter.resource_dropped),
        ("scope.dropped_attributes_count", "int", emitter.scope_dropped),
    ]
    return [count for count in counts if count[2]] + _texts(
        ("resource.schema_url", emitter.resource_schema_url), ("scope.schema_url", emitter.scope_schema_url)
    )


def _texts(*named: tuple[str, str]) -> list[Attribute]:
    return [(key, "string", text) for key, text in named if text]


def _place(attributes: Iterable[Attribute], places: Placement, parts: Parts) -> None:
    for key, kind, value in attributes:
        part, name, _, _ = places[key]
        parts[part].append((name, kind, value))
