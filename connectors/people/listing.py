"""Lists that are imported: CSV as spreadsheets write it, read line by line, with what is wrong said by line. Pure."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from audit import pasted

LARGEST_BYTES = 1024 * 1024
MOST_LINES = 20_000
LONGEST_FIELD = 2000
MOST_ERRORS = 100

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line; line 1 is the heading."""

    line: int
    told: str


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """The lines that can be used, with their numbers, and what is wrong with the others."""

    rows: Sequence[tuple[int, Row]] = ()
    faults: Sequence[Fault] = field(default=())


class BadLine(ValueError):
    """A line that cannot be used; its text says why."""


def decoded(data: bytes) -> str:
    """Text of a file: UTF-8, with or without its mark, UTF-16 with one, else Windows-1252. Raises BadLine."""
    if len(data) > LARGEST_BYTES:
        raise BadLine(f"The file is larger than {LARGEST_BYTES // 1024} KiB. Cut it in two.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read(
    text: str, columns: Mapping[str, Sequence[str]], required: str, row: Callable[[Mapping[str, str]], Row]
) -> Listed[Row]:
    """The lines of a list with a heading. `columns`: what a column may be called, by name, all in lower case."""
    text = text.replace("\0", "\u2400")
    if not text.strip():
        return Listed(faults=[Fault(1, "The list is empty.")])
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=False)
    rows: list[tuple[int, Row]] = []
    faults: list[Fault] = []
    heading: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if heading is None:
                heading = _heading(cells, columns)
                if required not in heading:
                    told = f"There is no column “{required}”. The first line names the columns: {', '.join(columns)}."
                    return Listed(faults=[Fault(reader.line_num, told)])
                continue
            if len(rows) + len(faults) >= MOST_LINES or len(faults) >= MOST_ERRORS:
                faults.append(Fault(reader.line_num, "Nothing was read from here on: that is enough for one list."))
                break
            try:
                rows.append((reader.line_num, row(_cells(heading, cells))))
            except BadLine as error:
                faults.append(Fault(reader.line_num, str(error)))
    except csv.Error as error:
        faults.append(Fault(reader.line_num, f"From here on this is no CSV: {error}."))
    if not rows and not faults:
        faults.append(Fault(1, "The list has a heading and no lines."))
    return Listed(rows, faults)


def _delimiter(text: str) -> str:
    """The one that the heading has most of: spreadsheets use a comma, a semicolon or a tab, by country."""
    first = text.lstrip().split("\n", 1)[0]
    return max((",", ";", "\t"), key=first.count)


def _heading(cells: Sequence[str], columns: Mapping[str, Sequence[str]]) -> list[str]:
    by_alias = {alias: name for name, aliases in columns.items() for alias in (name, *aliases)}
    return [by_alias.get(cell.strip().lower().replace("_", " "), "") for cell in cells]


def _cells(heading: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """By column, trimmed; columns nobody knows are left out. Raises BadLine."""
    if len(cells) > len(heading) and any(cell.strip() for cell in cells[len(heading) :]):
        raise BadLine("There are more cells than columns. Is a comma inside a cell that is not quoted?")
    found: dict[str, str] = {}
    for name, cell in zip(heading, cells, strict=False):
        if len(cell) > LONGEST_FIELD:
            raise BadLine(f"“{name or 'a column'}” has more than {LONGEST_FIELD} characters.")
        if name and pasted.holds_secret(cell):
            raise BadLine(f"A token or key stands in “{name}”. Leave it out: names are kept, and shown to others.")
        if name:
            found[name] = cell.strip()
    return found
