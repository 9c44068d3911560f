"""What lists come as: JSON, and CSV with the same columns flattened (`actor.email`), in which lists are JSON text."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, get_args, get_type_hints

import msgspec
from rest_framework.renderers import BaseRenderer

from audit.listing.export import Column, csv_lines


class JSONRenderer(BaseRenderer):
    """msgspec's JSON, which also takes rows that are structs."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else msgspec.json.encode(data)


class CSVRenderer(BaseRenderer):
    """One page of a list; the `Link` header tells where the next one is. Evidence streams instead (audit.api.views)."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if data is None:
            return b""
        rows = [dict(_flat(msgspec.to_builtins(row))) for row in data.get("results", [data])]
        names = dict.fromkeys(name for row in rows for name in row)
        return b"".join(csv_lines([(name, partial(_value, name)) for name in names], rows))


def _value(name: str, row: Mapping[str, Any]) -> Any:
    return row.get(name)


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def columns(row: type[msgspec.Struct], prefix: str = "", path: tuple[str, ...] = ()) -> list[Column]:
    """The columns of a kind of row, the same whatever is in the rows."""
    found: list[Column] = []
    hints = get_type_hints(row)
    for name in row.__struct_fields__:
        inner = next((each for each in (hints[name], *get_args(hints[name])) if _is_struct(each)), None)
        if inner is not None:
            found += columns(inner, f"{prefix}{name}.", (*path, name))
        else:
            found.append((prefix + name, _Reached((*path, name))))
    return found


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


class _Reached:
    """The value at a path of attributes; None where the path ends early."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path

    def __call__(self, row: Any) -> Any:
        for name in self.path:
            row = getattr(row, name) if row is not None else None
        return row
