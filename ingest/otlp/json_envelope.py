"""An OTLP/JSON export request cut into its records, each left as it was written."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ingest.otlp.json_scan import NotJSON, Scanner
from ingest.otlp.json_tree import parse_tree
from ingest.otlp.json_values import UINT32, JSONValues, integer, member, text
from ingest.otlp.limits import Budget, Malformed, RecordRefused
from ingest.otlp.records import Emitter
from ingest.otlp.wire import Slices

Names = tuple[str, str, str]

NAMES: dict[str, Names] = {
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
    "traces": ("resourceSpans", "scopeSpans", "spans"),
}


@dataclass(slots=True)
class Members:
    """An object's members but its children, as they were written; of a repeated name the last, and `repeated`."""

    values: dict[str, bytes] = field(default_factory=dict)
    repeated: bool = False

    def add(self, name: str, value: bytes) -> None:
        self.repeated |= name in self.values
        self.values[name] = value

    def read(self, names: Iterable[str], budget: Budget, flags: set[str]) -> dict[str, Any]:
        """Some of the members, read. Raises RecordRefused."""
        return {name: parse_tree(self.values[name], budget.limits, flags) for name in names if name in self.values}

    def opening(self, name: str) -> bytes:
        """The object again as far as the value of a last member."""
        members = [json.dumps(key).encode() + b":" + value for key, value in self.values.items()]
        return b"{" + b",".join([*members, json.dumps(name).encode() + b":"])


@dataclass(slots=True)
class Group:
    """The records under one scope."""

    names: Names
    resource: Members
    scope: Members
    elements: Slices

    def request(self, *element: bytes) -> bytes:
        """An export request of one element, which may come in pieces."""
        resources, scopes, elements = self.names
        around = (Members().opening(resources), self.resource.opening(scopes), self.scope.opening(elements))
        return b"".join((b"[".join((*around, b"")), *element, b"]}" * 3))


def groups(body: bytes, names: Names, budget: Budget, count_element: Callable[[], None]) -> list[Group]:
    """The request's groups in order; raises Malformed, and TooLarge as soon as a budget is used up."""
    scanner = Scanner(body)
    try:
        found = list(_groups(scanner, names, budget, count_element))
        scanner.end()
    except NotJSON as exc:
        raise Malformed("the body is not an OTLP/JSON export request") from exc
    return found


def children(scanner: Scanner, name: str, members: Members, budget: Budget) -> Iterator[None]:
    """Stops before each element of an object's list of that name; gathers its other members meanwhile.

    Where the name occurs twice, the elements of both count: a record must not vanish that way.
    """
    seen = False
    for key in scanner.members():
        budget.envelope_field()
        if key == name:
            members.repeated |= seen
            seen = True
            yield from scanner.elements()
        else:
            members.add(key, scanner.skip())


class Emitters:
    """Reads each resource once, however many scopes it has."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._members: Members | None = None
        self._resource: Emitter | RecordRefused = Emitter()

    def read(self, group: Group) -> Emitter:
        """Raises RecordRefused."""
        if group.resource is not self._members:
            self._members = group.resource
            try:
                self._resource = self._read_resource(group.resource)
            except RecordRefused as why:
                self._resource = why
        if isinstance(self._resource, RecordRefused):
            raise self._resource.again()
        return self._read_scope(group.scope, self._resource)

    def _read_resource(self, members: Members) -> Emitter:
        values, tree, resource = self._read(members, "resource")
        return Emitter(
            resource=tuple(values.attributes(resource)),
            resource_schema_url=text(tree, "schemaUrl", values.flags),
            resource_dropped=integer(resource, "droppedAttributesCount", UINT32),
            flags=frozenset(values.flags),
        )

    def _read_scope(self, members: Members, resource: Emitter) -> Emitter:
        values, tree, scope = self._read(members, "scope")
        return replace(
            resource,
            scope=tuple(values.attributes(scope)),
            scope_name=text(scope, "name", values.flags),
            scope_version=text(scope, "version", values.flags),
            scope_schema_url=text(tree, "schemaUrl", values.flags),
            scope_dropped=integer(scope, "droppedAttributesCount", UINT32),
            flags=resource.flags | values.flags,
        )

    def _read(self, members: Members, name: str) -> tuple[JSONValues, dict[str, Any], dict[str, Any]]:
        """Where to read values, the object itself, and its member of that name."""
        values = JSONValues(self._budget)
        if members.repeated:
            values.flags.add("duplicate_key")
        tree = members.read((name, "schemaUrl"), self._budget, values.flags)
        return values, tree, member(tree, name, dict, {})


def _groups(scanner: Scanner, names: Names, budget: Budget, count_element: Callable[[], None]) -> Iterator[Group]:
    request = Members()
    empty = True
    for _ in children(scanner, names[0], request, budget):
        budget.envelope_field()
        empty = False
        resource, scopes = Members(), []
        for _ in children(scanner, names[1], resource, budget):
            budget.envelope_field()
            scope, elements = Members(), []
            for _ in children(scanner, names[2], scope, budget):
                count_element()
                elements.append(scanner.pass_over())
            scopes.append((scope, Slices(scanner.text, elements)))
        yield from (Group(names, resource, scope, elements) for scope, elements in scopes)
    if empty and request.values:
        raise Malformed(f"the body has no {names[0]}")
