"""What a case is: a story that a visitor should be able to find."""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from portal.demo.calls import Call
from portal.demo.claude import Claude
from portal.demo.process import Process
from portal.demo.work import HOME


class Played(NamedTuple):
    """The processes of a case, in the order in which they ran, and the session to look at."""

    processes: tuple[Process, ...]
    session_id: str


Play = Callable[[dt.datetime, random.Random], Played]


@dataclass(frozen=True, slots=True)
class Case:
    """`look` says what the visitor sees in the session; the story begins `days_ago` at `hour` UTC."""

    look: str
    days_ago: int
    hour: int
    play: Play


def bash(command: str, description: str, **more: Any) -> Call:
    return Call("Bash", {"command": command, "description": description}, **more)


def read(claude: Claude, file: str, **more: Any) -> Call:
    return Call("Read", {"file_path": f"{HOME}/{claude.repository.name}/{file}"}, **more)


def edit(claude: Claude, file: str, old: str, new: str, **more: Any) -> Call:
    given = {"file_path": f"{HOME}/{claude.repository.name}/{file}", "old_string": old, "new_string": new}
    return Call("Edit", {**given, "replace_all": False}, **more)


def played(*processes: Claude) -> Played:
    """The usual case: the session of the last process."""
    return Played(processes, processes[-1].session_id)
