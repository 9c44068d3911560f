"""What the lines of a pack disclose, counted as they go by: nothing is kept of them but the first steps, in words."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audit import leaf
from audit.packs.steps import Step, Verdicts, step
from audit.stored import Stored
from audit.vocabulary import Agent

MOST_STEPS = 2000
"""Rows of the report: a page that people can still read and print. The rest is in events.ndjson."""

_MARK = re.compile(r"\[redacted:([a-z_]{1,32}):[0-9a-f]{8}\]")
"""What stands in place of a secret (ingest/secrets.py)."""


@dataclass(slots=True)
class Tally:
    events: int = 0
    withheld: Counter[str] = field(default_factory=Counter)
    erased: Counter[str] = field(default_factory=Counter)
    secrets: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    agents: Counter[str] = field(default_factory=Counter)
    steps: list[Step] = field(default_factory=list)
    steps_left_out: int = 0
    purged: int = 0
    """Events that are gone altogether; nothing else here counts them."""
    tombstones: set[int] = field(default_factory=set)
    """Numbers of the events that say why a part or an event is not there."""

    def add(self, stored: Stored, line: Mapping[str, Any], verdicts: Verdicts) -> None:
        """One event with its line as it stands in the pack."""
        self.events += 1
        self.kinds[stored.columns["kind"]] += 1
        self.agents[stored.columns["agent"]] += 1
        for name in leaf.PARTS:
            self._part(name, line[name])
        told = step(stored, verdicts, with_content=line["content"] is not None and "bytes" in line["content"])
        if told is None:
            return
        if len(self.steps) < MOST_STEPS:
            self.steps.append(told)
        else:
            self.steps_left_out += 1

    @property
    def of_agents(self) -> list[str]:
        """The agents whose events these are; the portal's own acts aside."""
        return sorted(self.agents.keys() - {Agent.PORTAL})

    def _part(self, name: str, part: Mapping[str, Any] | None) -> None:
        if part is None:
            return
        if "withheld" in part:
            self.withheld[name] += 1
        elif "erased_by" in part:
            self.erased[name] += 1
        elif "[redacted:" in part["bytes"]:
            self.secrets.update(_MARK.findall(part["bytes"]))
