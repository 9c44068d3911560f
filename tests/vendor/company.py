"""Whom the fake vendor has figures about, and what they did on each day: the same again for the same seed.

Some members never use anything, some only chat, some deleted their account. A day that was restated has other figures
than before, and says so the same way each time (its revision).
"""

import datetime as dt
import functools
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

FIRST = ("Ada", "Bruno", "Chidi", "Dana", "Emeka", "Fatima", "Goran", "Hana", "Ines", "Jonas", "Kirsi", "Liam", "Mei")
LAST = ("Abel", "Berg", "Costa", "Duarte", "Eze", "Fischer", "Gupta", "Haddad", "Ito", "Jansen", "Kovacs", "Lindholm")
MODELS = {  # dollars a million tokens: input, output, read from a cache, written to one
    "claude-opus-5-5": (4, 20, 0.2, 5),
    "claude-sonnet-5-5": (2, 10, 0.2, 2.5),
    "claude-haiku-5-5": (0.1, 0.5, 0.01, 0.125),
}
TERMINALS = ("vscode", "iTerm.app", "Apple_Terminal", "tmux", "pycharm", "claude-code-desktop")
API_KEYS = ("ci-pipeline", "nightly-review")
WORKSPACES = ("wrkspc_01Platform", "wrkspc_02Payments", None)


@dataclass(frozen=True)
class Member:
    id: str
    email: str
    name: str
    role: str
    added_at: str
    habit: str  # develops, chats, idle
    deleted: bool = False


@dataclass(frozen=True)
class Company:
    users: int = 60
    days: int = 90
    last_day: dt.date = dt.date(2026, 11, 27)
    seed: str = "acme"
    revisions: dict[dt.date, int] = field(default_factory=dict, hash=False, compare=False)

    @property
    def first_day(self) -> dt.date:
        return self.last_day - dt.timedelta(days=self.days - 1)

    @functools.cached_property
    def id(self) -> str:
        return str(UUID(int=self._chance("organization").getrandbits(128), version=4))

    @functools.cached_property
    def members(self) -> list[Member]:
        return [self._member(number) for number in range(self.users)]

    def restate(self, day: dt.date) -> None:
        """From now on that day has other figures."""
        self.revisions[day] = self.revisions.get(day, 0) + 1

    def records(self, day: dt.date) -> list[dict[str, Any]]:
        """Claude Code's records of a day, as the Admin API words them."""
        if not self.first_day <= day <= self.last_day:
            return []
        return self._records(day, self.revisions.get(day, 0))

    def chats(self, day: dt.date) -> list[tuple[Member, int, dict[str, Any]]]:
        """Who chatted how often, and with how many tokens of which model."""
        if not self.first_day <= day <= self.last_day:
            return []
        return self._chats(day, self.revisions.get(day, 0))

    def messages(self, day: dt.date) -> list[dict[str, Any]]:
        """All use of the API of a day: by model, workspace and key."""
        found = []
        for number, workspace in enumerate(WORKSPACES):
            for model in MODELS if self.first_day <= day <= self.last_day else ():
                chance = self._chance("messages", day, self.revisions.get(day, 0), workspace, model)
                found.append(
                    {"workspace_id": workspace, "model": model, "api_key_id": f"apikey_{number}", **_tokens(chance, 40)}
                )
        return found

    @functools.lru_cache(maxsize=400)  # noqa: B019 - a company lives as long as its tests
    def _records(self, day: dt.date, revision: int) -> list[dict[str, Any]]:
        found = []
        actors = [({"type": "user_actor", "email_address": each.email}, each.id) for each in self.members
                  if each.habit == "develops" and not each.deleted]  # fmt: skip
        actors += [({"type": "api_actor", "api_key_name": name}, name) for name in API_KEYS[: max(self.users // 10, 1)]]
        for actor, who in actors:
            chance = self._chance("works", who, day, revision)
            if self._chance("works", who, day).random() > (0.8 if day.weekday() < 5 else 0.15):
                continue
            terminal = TERMINALS[self._chance("terminal", who).randrange(len(TERMINALS))]
            places = [(terminal, False)]
            if chance.random() < 0.15:
                places.append((terminal, True))
            if chance.random() < 0.15:
                places.append(("non-interactive", False))
            found += [self._record(day, actor, place, chance) for place in places]
        return found

    def _record(
        self, day: dt.date, actor: dict[str, str], place: tuple[str, bool], chance: random.Random
    ) -> dict[str, Any]:
        sessions = chance.randint(1, 9)
        subscription = actor["type"] == "user_actor" and self._chance("plan", actor["email_address"]).random() < 0.3
        return {
            "date": f"{day}T00:00:00Z",
            "actor": actor,
            "organization_id": self.id,
            "customer_type": "subscription" if subscription else "api",
            "subscription_type": "enterprise" if subscription else None,
            "terminal_type": place[0],
            "is_remote": place[1],
            "core_metrics": {
                "num_sessions": sessions,
                "lines_of_code": {"added": chance.randint(0, 400) * sessions, "removed": chance.randint(0, 90)},
                "commits_by_claude_code": chance.randint(0, sessions),
                "pull_requests_by_claude_code": chance.randint(0, 2),
            },
            "tool_actions": {
                tool: {"accepted": chance.randint(0, 30), "rejected": chance.randint(0, 4)}
                for tool in ("edit_tool", "multi_edit_tool", "write_tool", "notebook_edit_tool")
            },
            "model_breakdown": [
                {
                    "model": model,
                    "tokens": (tokens := _spent(chance, sessions)),
                    "estimated_cost": {"currency": "USD", "amount": _cents(model, tokens)},
                }
                for model in chance.sample(list(MODELS), chance.randint(1, len(MODELS)))
            ],
        }

    @functools.lru_cache(maxsize=400)  # noqa: B019
    def _chats(self, day: dt.date, revision: int) -> list[tuple[Member, int, dict[str, Any]]]:
        found = []
        for member in self.members:
            chance = self._chance("chats", member.id, day, revision)
            if member.habit != "idle" and self._chance("chats", member.id, day).random() < 0.5:
                messages = chance.randint(1, 40)
                found.append((member, messages, {"model": "claude-sonnet-5-5", **_tokens(chance, messages)}))
        return found

    def _member(self, number: int) -> Member:
        first, last = FIRST[number % len(FIRST)], LAST[(number // len(FIRST) + number) % len(LAST)]
        habit = "idle" if number % 10 == 7 else "chats" if number % 10 == 4 else "develops"
        added = dt.date(2025, 6, 1) + dt.timedelta(days=number % 200)
        return Member(
            id=f"user_{self._chance('member', number).getrandbits(80):020x}",
            email=f"{first}.{last}.{number}@acme.example".lower(),
            name=f"{first} {last}",
            role="admin" if number == 0 else "developer" if habit == "develops" else "user",
            added_at=f"{added}T09:00:00Z",
            habit=habit,
            deleted=number % 25 == 13,
        )

    def _chance(self, *about: object) -> random.Random:
        return random.Random("/".join(map(str, (self.seed, *about))))


def _spent(chance: random.Random, sessions: int) -> dict[str, int]:
    return {
        "input": chance.randint(200, 90_000) * sessions,
        "output": chance.randint(100, 30_000) * sessions,
        "cache_read": chance.randint(0, 900_000) * sessions,
        "cache_creation": chance.randint(0, 60_000) * sessions,
    }


def _tokens(chance: random.Random, often: int) -> dict[str, Any]:
    return {
        "uncached_input_tokens": chance.randint(50, 9_000) * often,
        "output_tokens": chance.randint(50, 3_000) * often,
        "cache_read_input_tokens": chance.randint(0, 20_000) * often,
        "cache_creation": {
            "ephemeral_5m_input_tokens": chance.randint(0, 900) * often,
            "ephemeral_1h_input_tokens": chance.randint(0, 90) * often,
        },
        "server_tool_use": {"web_search_requests": chance.randint(0, 3)},
    }


def _cents(model: str, tokens: dict[str, int]) -> float:
    """A number of cents, with fractions."""
    price = dict(zip(("input", "output", "cache_read", "cache_creation"), MODELS[model], strict=True))
    return round(sum(tokens[name] * price[name] for name in tokens) / 10_000, 4)
