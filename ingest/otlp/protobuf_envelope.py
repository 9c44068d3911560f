"""Resource and scope of a group of protobuf records."""

from dataclasses import replace
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError
from opentelemetry.proto.logs.v1 import logs_pb2

from ingest.otlp.limits import Budget, RecordRefused, Unreadable
from ingest.otlp.protobuf_values import Attributes
from ingest.otlp.records import Attribute, Emitter
from ingest.otlp.schema import LENIENT, STRICT
from ingest.otlp.values import repeats
from ingest.otlp.weight import refuse_heavy
from ingest.otlp.wire import Group

# Resource* and Scope* are the same in every signal but for their children, which are not among a group's bytes.
_RESOURCE: Descriptor = logs_pb2.ResourceLogs.DESCRIPTOR
_SCOPE: Descriptor = logs_pb2.ScopeLogs.DESCRIPTOR
_parsers = {
    message: (STRICT.parse(f"logs.v1.{message.name}"), LENIENT.parse(f"logs.v1.{message.name}"))
    for message in (_RESOURCE, _SCOPE)
}


class Emitters:
    """Reads each resource once, however many scopes it has."""

    def __init__(self, attributes: Attributes, budget: Budget) -> None:
        self._known = attributes
        self._values = attributes.reader
        self._budget = budget
        self._raw: bytes | None = None
        self._resource: Emitter | RecordRefused = Emitter()

    def read(self, group: Group) -> Emitter:
        """Raises RecordRefused."""
        if group.resource is not self._raw:
            self._raw = group.resource
            try:
                self._resource = self._read_resource(group.resource)
            except RecordRefused as why:
                self._resource = why
        if isinstance(self._resource, RecordRefused):
            raise self._resource.again()
        return self._read_scope(group.scope, self._resource)

    def _read_resource(self, raw: bytes) -> Emitter:
        flags: set[str] = set()
        message = self._parse(raw, _RESOURCE, flags)
        return Emitter(
            resource=self._attributes(message.resource.attributes, flags),
            resource_schema_url=self._values.text(message.schema_url, flags),
            resource_dropped=message.resource.dropped_attributes_count,
            flags=frozenset(flags),
        )

    def _read_scope(self, raw: bytes, resource: Emitter) -> Emitter:
        flags: set[str] = set()
        message = self._parse(raw, _SCOPE, flags)
        scope = message.scope
        return replace(
            resource,
            scope=self._attributes(scope.attributes, flags),
            scope_name=self._values.text(scope.name, flags),
            scope_version=self._values.text(scope.version, flags),
            scope_schema_url=self._values.text(message.schema_url, flags),
            scope_dropped=scope.dropped_attributes_count,
            flags=resource.flags | flags,
        )

    def _parse(self, raw: bytes, descriptor: Descriptor, flags: set[str]) -> Any:
        refuse_heavy(raw, descriptor, self._budget.limits)
        strict, lenient = _parsers[descriptor]
        try:
            return strict(raw)
        except DecodeError:
            flags.add("lenient")
        try:
            return lenient(raw)
        except DecodeError as exc:
            raise Unreadable("a resource or scope is not a protobuf message") from exc

    def _attributes(self, raws: Any, flags: set[str]) -> tuple[Attribute, ...]:
        attributes = tuple(self._known[raw] for raw in raws)
        self._budget.elements(len(attributes))
        flags |= self._known.flags(raws)
        if repeats(attributes):
            flags.add("duplicate_key")
        return attributes
