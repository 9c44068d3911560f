"""OTLP's message classes with some fields left as bytes, derived from the official descriptors.

`STRICT` leaves attributes and bodies unparsed: most of them repeat from record to record, so that they are worth
looking up by their bytes (values.py of either encoding), and one that is broken costs no other. `LENIENT` moreover
takes every string as bytes, which is the same on the wire: Python's protobuf refuses a whole message for one
string that is not UTF-8.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

from ingest.otlp import wire

FILES: tuple[ModuleType, ...] = (common_pb2, resource_pb2, logs_pb2, metrics_pb2)
UNPARSED = frozenset({"attributes", "body", "entity_refs", "exemplars", "metadata"})

Parser = Callable[[bytes], Any]

_WIRE_TYPES = {
    FieldDescriptor.TYPE_DOUBLE: wire.FIXED64,
    FieldDescriptor.TYPE_FIXED64: wire.FIXED64,
    FieldDescriptor.TYPE_SFIXED64: wire.FIXED64,
    FieldDescriptor.TYPE_FIXED32: wire.FIXED32,
    FieldDescriptor.TYPE_SFIXED32: wire.FIXED32,
    FieldDescriptor.TYPE_FLOAT: wire.FIXED32,
    FieldDescriptor.TYPE_STRING: wire.LENGTH,
    FieldDescriptor.TYPE_BYTES: wire.LENGTH,
    FieldDescriptor.TYPE_MESSAGE: wire.LENGTH,
}


def wire_types(message: Descriptor) -> Mapping[int, frozenset[int]]:
    """Per field number, the wire types it may have; repeated numbers also come packed."""
    return {
        field.number: frozenset(
            {_WIRE_TYPES.get(field.type, wire.VARINT)} | ({wire.LENGTH} if field.is_repeated else set())
        )
        for field in message.fields
    }


class Schema:
    """Parsers of one derived schema: `parse("logs.v1.LogRecord")` gives a function from bytes to a message."""

    def __init__(self, *, strings_as_bytes: bool) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        for module in FILES:
            file = descriptor_pb2.FileDescriptorProto()
            module.DESCRIPTOR.CopyToProto(file)
            for message in file.message_type:
                for field in message.field:
                    is_string = field.type == FieldDescriptorProto.TYPE_STRING
                    if field.name in UNPARSED or (strings_as_bytes and is_string):
                        _read_as_bytes(field)
            self._pool.Add(file)

    def parse(self, name: str) -> Parser:
        descriptor = self._pool.FindMessageTypeByName(f"opentelemetry.proto.{name}")
        parser: Parser = message_factory.GetMessageClass(descriptor).FromString
        return parser


def _read_as_bytes(field: FieldDescriptorProto) -> None:
    field.type = FieldDescriptorProto.TYPE_BYTES
    field.ClearField("type_name")


STRICT = Schema(strings_as_bytes=False)
LENIENT = Schema(strings_as_bytes=True)
