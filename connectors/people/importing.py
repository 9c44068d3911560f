"""Makes people what an imported list says. The same list again changes nothing."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from audit import acts
from connectors.models import Identity, Membership, Person, PersonChange, Team
from connectors.people import identities, join, memberships, timelines
from connectors.people.identities import Name, settled
from connectors.people.mapping import Entry

MOST_TOLD = 500


@dataclass(slots=True)
class Outcome:
    """What an import changes, or would: `told` and `kept` are sentences with their line, the first MOST_TOLD of them.

    `kept`: what the list says otherwise, but somebody decided by hand.
    """

    people: set[int] = field(default_factory=set)
    changes: int = 0
    told: list[tuple[int, str]] = field(default_factory=list)
    kept: list[tuple[int, str]] = field(default_factory=list)

    def change(self, line: int, person: Person, told: str) -> None:
        self.changes += 1
        self.people.add(person.pk)
        if len(self.told) < MOST_TOLD:
            self.told.append((line, told))

    def keep(self, line: int, told: str) -> None:
        if len(self.kept) < MOST_TOLD:
            self.kept.append((line, told))


def preview(rows: Sequence[tuple[int, Entry]]) -> Outcome:
    """What `apply` would change: it is done, and taken back."""
    with settled():
        outcome = _Import(rows).run()
        transaction.set_rollback(True)
    return outcome


def apply(rows: Sequence[tuple[int, Entry]], *, by: acts.Who, text: str) -> Outcome:
    with settled():
        outcome = _Import(rows).run()
        if outcome.changes:
            PersonChange.objects.bulk_create(
                [PersonChange(by=str(by), act="imported", person_id=pk) for pk in sorted(outcome.people)], 1000
            )
            digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
            facts = {"list.lines": len(rows), "list.sha256": digest, "people.changed": len(outcome.people)}
            acts.require("people.imported", by=by, facts=facts)
    return outcome


class _Import:
    def __init__(self, rows: Sequence[tuple[int, Entry]]) -> None:
        self.rows = rows
        self.outcome = Outcome()
        names = {(Identity.Kind.EMAIL.value, entry.email) for _, entry in rows}
        self.held = identities.of(names.union(*(entry.names for _, entry in rows)))
        self.people: dict[str, Person] = {}
        self.settle: set[Name] = set()
        self.emptied: dict[int, Person] = {}
        """Who lost a name, and to whom."""

    def run(self) -> Outcome:
        self._find_people()
        self._name_people()
        self._give_names()
        self._place()
        join.settle(self.settle)
        self._absorb()
        return self.outcome

    def _find_people(self) -> None:
        """The person of each address, made where there is none; addresses that were set aside by hand stay so."""
        owners = Person.objects.in_bulk({row.person_id for rows in self.held.values() for row in rows if row.person_id})
        missing: dict[str, int] = {}
        for line, entry in self.rows:
            rows = self.held.get((Identity.Kind.EMAIL.value, entry.email), [])
            person = owners.get(rows[-1].person_id or 0) if rows else None
            if person is not None:
                self.people[entry.email] = person
            elif rows and rows[-1].basis in timelines.FROZEN:
                self.outcome.keep(line, f"{entry.email} was set aside as nobody’s by hand.")
            else:
                missing.setdefault(entry.email, line)
        made = Person.objects.bulk_create([Person(email=email) for email in missing], 1000)
        self.people |= {person.email: person for person in made}
        new = [person for person in made if (Identity.Kind.EMAIL.value, person.email) not in self.held]
        Identity.objects.bulk_create(
            [Identity(kind=Identity.Kind.EMAIL, value=each.email, person=each, basis="imported") for each in new], 1000
        )
        for person in made:
            name = (Identity.Kind.EMAIL.value, person.email)
            self.outcome.change(missing[person.email], person, f"{person.email} becomes a person.")
            self.settle.add(name)
            if name in self.held:
                timelines.move(name, person, None, "imported")

    def _name_people(self) -> None:
        known = [person.pk for person in self.people.values()]
        by_hand = set(PersonChange.objects.filter(act="renamed", person__in=known).values_list("person_id", flat=True))
        changed: dict[int, Person] = {}
        for line, entry in self.rows:
            person = self.people.get(entry.email)
            if person is None or not entry.name or person.name == entry.name:
                continue
            if person.pk in by_hand:
                self.outcome.keep(line, f"{entry.email} was named “{person.name}” by hand.")
                continue
            self.outcome.change(line, person, f"{entry.email} is called “{entry.name}”.")
            person.name = entry.name
            changed[person.pk] = person
        Person.objects.bulk_update(changed.values(), ["name"], 1000)

    def _give_names(self) -> None:
        new: list[Identity] = []
        for line, entry in self.rows:
            person = self.people.get(entry.email)
            for name in entry.names if person else ():
                assert person is not None
                rows = self.held.get(name, [])
                if not rows:
                    row = Identity(kind=name[0], value=name[1], person=person, basis="imported")
                    new.append(row)
                    self.held[name] = [row]
                elif all(row.person_id == person.pk and row.basis in timelines.FROZEN for row in rows):
                    continue
                elif any(row.basis == "manual" for row in rows):
                    self.outcome.keep(line, f"“{name[1]}” was given to somebody by hand.")
                    continue
                else:
                    self.emptied |= {row.person_id: person for row in rows if row.person_id not in (None, person.pk)}
                    timelines.move(name, person, None, "imported")
                self.settle.add(name)
                self.outcome.change(line, person, f"“{name[1]}” is {entry.email}’s.")
        Identity.objects.bulk_create(new, 1000)

    def _absorb(self) -> None:
        """Whoever was made of nothing but a name that turned out to be somebody else's is that person."""
        for person in Person.objects.filter(pk__in=self.emptied, identities=None, merged_into=None):
            person.merged_into = self.emptied[person.pk]
            person.save(update_fields=["merged_into"])

    def _place(self) -> None:
        """Imported memberships become those of the list, for the people that it places at all."""
        wanted: dict[int, list[tuple[int, Entry]]] = {}
        people = {person.pk: person for person in self.people.values()}
        for line, entry in self.rows:
            if entry.team and entry.email in self.people:
                wanted.setdefault(self.people[entry.email].pk, []).append((line, entry))
        current: dict[int, list[Membership]] = {}
        for each in Membership.objects.filter(person__in=wanted).select_related("team").order_by("first_day", "pk"):
            current.setdefault(each.person_id, []).append(each)
        teams = self._teams(entry for _, entry in self.rows)
        new: list[Membership] = []
        dead: list[int] = []
        for pk, lines in wanted.items():
            made, old = self._placed(people[pk], lines, current.get(pk, []), teams)
            new += made
            dead += old
        Membership.objects.filter(pk__in=dead).delete()
        Membership.objects.bulk_create(new, 1000)

    def _placed(
        self, person: Person, lines: Sequence[tuple[int, Entry]], current: Sequence[Membership], teams: dict[str, Team]
    ) -> tuple[list[Membership], list[int]]:
        """The memberships to be made, and those to go."""
        by_hand = [each for each in current if each.basis == "manual"]
        imported = {
            _key(each.team_id, each.first_day, each.last_day): each for each in current if each.basis == "imported"
        }
        new: list[Membership] = []
        kept: set[Any] = set()
        for line, entry in lines:
            team, days = teams[entry.team.lower()], (entry.first, entry.last)
            key = _key(team.pk, *days)
            if any(memberships.overlaps(days, (each.first_day, each.last_day)) for each in by_hand):
                self.outcome.keep(line, f"{entry.email} was placed by hand at that time.")
            elif key in imported:
                kept.add(key)
            else:
                self.outcome.change(line, person, f"{entry.email} is in “{team.name}” {_days(entry)}.")
                new.append(
                    Membership(person=person, team=team, first_day=entry.first, last_day=entry.last, basis="imported")
                )
        gone = [each for key, each in imported.items() if key not in kept]
        for each in gone:
            self.outcome.change(lines[0][0], person, f"{lines[0][1].email} is no longer in “{each.team.name}”.")
        overtaken = [
            each.pk
            for each in current
            if each.basis == "telemetry"
            and any(memberships.overlaps((each.first_day, each.last_day), (n.first_day, n.last_day)) for n in new)
        ]
        return new, [*(each.pk for each in gone), *overtaken]

    def _teams(self, entries: Iterable[Entry]) -> dict[str, Team]:
        """By name in lower case, made where they are missing; a cost centre that is told is taken over."""
        found = {team.name.lower(): team for team in Team.objects.all()}
        for entry in entries:
            name = entry.team.lower()
            if not name:
                continue
            team = found.get(name)
            if team is None:
                found[name] = Team.objects.create(name=entry.team, cost_center=entry.cost_center)
            elif entry.cost_center and team.cost_center != entry.cost_center:
                team.cost_center = entry.cost_center
                team.save(update_fields=["cost_center"])
        return found


def _key(*of: Any) -> tuple[Any, ...]:
    return of


def _days(entry: Entry) -> str:
    told = [f"from {entry.first}" if entry.first else "", f"to {entry.last}" if entry.last else ""]
    return " ".join(filter(None, told)) or "on all days"
