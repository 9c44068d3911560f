"""Resource and scope of a group of protobuf records."""

from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.logs.v1 import logs_pb2

from ingest.otlp.limits import Budget, Unreadable
from ingest.otlp.protobuf_values import ValueReader
from ingest.otlp.records import Attribute, Emitter
from ingest.otlp.schema import LENIENT, STRICT
from ingest.otlp.values import repeats
from ingest.otlp.weight import refuse_heavy
from ingest.otlp.wire import Group

_strict = STRICT.parse("logs.v1.ResourceLogs"), STRICT.parse("logs.v1.ScopeLogs")
_lenient = LENIENT.parse("logs.v1.ResourceLogs"), LENIENT.parse("logs.v1.ScopeLogs")


def emitter(group: Group, reader: ValueReader, budget: Budget) -> Emitter:
    """The group's resource and scope, which look the same in every signal. Raises RecordRefused."""
    refuse_heavy(group.resource, logs_pb2.ResourceLogs.DESCRIPTOR, budget.limits)
    refuse_heavy(group.scope, logs_pb2.ScopeLogs.DESCRIPTOR, budget.limits)
    flags: set[str] = set()
    outer, inner = _parse(group, flags)
    resource, scope = outer.resource, inner.scope
    return Emitter(
        resource=_attributes(resource.attributes, reader, budget, flags),
        scope=_attributes(scope.attributes, reader, budget, flags),
        scope_name=reader.text(scope.name, flags),
        scope_version=reader.text(scope.version, flags),
        resource_schema_url=reader.text(outer.schema_url, flags),
        scope_schema_url=reader.text(inner.schema_url, flags),
        resource_dropped=resource.dropped_attributes_count,
        scope_dropped=scope.dropped_attributes_count,
        flags=frozenset(flags),
    )


def _parse(group: Group, flags: set[str]) -> tuple[Any, Any]:
    try:
        return _strict[0](group.resource), _strict[1](group.scope)
    except DecodeError:
        flags.add("lenient")
    try:
        return _lenient[0](group.resource), _lenient[1](group.scope)
    except DecodeError as exc:
        raise Unreadable("the resource or scope is not a protobuf message") from exc


def _attributes(raws: Any, reader: ValueReader, budget: Budget, flags: set[str]) -> tuple[Attribute, ...]:
    attributes = tuple(reader.attributes[raw] for raw in raws)
    budget.elements(len(attributes))
    flags |= reader.attributes.flags(raws)
    if repeats(attributes):
        flags.add("duplicate_key")
    return attributes
