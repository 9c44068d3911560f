"""What is done to people by hand: mapped, merged, split, renamed, and undone. Each leaves a row and an act.

Names that somebody gave a person stay given: nothing that is joined later takes them away (timelines.FROZEN).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from audit import acts
from connectors.models import Identity, Membership, Person, PersonChange
from connectors.people import identities, join, timelines
from connectors.people.identities import Name, settled

_ROW = ("id", "person_id", "basis", "first_day", "last_day")
_DETAIL_DAYS = ("first_day", "last_day")
_CALLED = ("name", "email")


class Refused(Exception):
    """A change that cannot be made; its text says why and what to do."""


def give(
    names: Sequence[Name], person: Person | None, *, by: acts.Who, reason: str, from_day: dt.date | None = None
) -> None:
    """Maps names to a person from a day on (None: for all time); to nobody: they are set aside as nobody's."""
    with settled():
        of_whom = person or _owner(names)
        change = _Change("mapped" if person else "unmapped", of_whom, by, reason)
        change.move(names, person, from_day)
        change.record(names)


def merge(source: Person, target: Person, *, by: acts.Who, reason: str) -> PersonChange:
    """Makes two people one: all that is the source's becomes the target's. Raises Refused."""
    with settled():
        source, target = _locked(source, target)
        if source.pk == target.pk:
            raise Refused("These are the same person already.")
        if source.merged_into_id or target.merged_into_id:
            raise Refused("One of them was merged into somebody else meanwhile. Look the two up again.")
        change = _Change("merged", target, by, reason, other=source.pk)
        rows = list(Identity.objects.filter(person=source).order_by("pk"))
        names = sorted({(row.kind, row.value) for row in rows})
        change.begin(names)
        unnamed = [field for field in _CALLED if not getattr(target, field)]
        for row in rows:
            derived = row.basis not in timelines.FROZEN and row.kind != Identity.Kind.EMAIL
            row.person, row.basis = target, row.basis if derived else "manual"
            row.save(update_fields=["person", "basis"])
        if not target.memberships.exclude(basis="telemetry").exists():
            moved = source.memberships.exclude(basis="telemetry")
            change.detail["memberships"] = sorted(moved.values_list("pk", flat=True))
            moved.update(person=target)
        source.merged_into = target
        source.save(update_fields=["merged_into"])
        change.end(names)
        target.refresh_from_db(fields=_CALLED)
        change.detail["named"] = [field for field in unnamed if getattr(target, field)]
        return change.record(names)


def split(
    person: Person, rows: Sequence[Identity], *, by: acts.Who, reason: str, from_day: dt.date | None = None
) -> Person:
    """Makes a new person of some of a person's identities, from a day on. Raises Refused."""
    with settled():
        (person,) = _locked(person)
        mine = set(Identity.objects.filter(person=person).values_list("pk", flat=True))
        if not rows or not {row.pk for row in rows} <= mine:
            raise Refused("Choose which of this person's names become somebody else's.")
        if len(rows) == len(mine) and from_day is None:
            raise Refused("That would leave nothing of this person. Rename them instead.")
        names = sorted({(row.kind, row.value) for row in rows})
        address = next((value for kind, value in names if kind == Identity.Kind.EMAIL), "")
        made = Person.objects.create(email=address)
        change = _Change("split", person, by, reason, other=made.pk)
        change.move(names, made, from_day)
        change.record(names)
        return made


def rename(person: Person, *, name: str, email: str, by: acts.Who) -> None:
    """What they are called, and the address they are known by."""
    with settled():
        (person,) = _locked(person)
        if (person.name, person.email) == (name, email):
            return
        person.name, person.email = name, email
        person.save(update_fields=["name", "email"])
        _Change("renamed", person, by, "").record([])


def undo(change: PersonChange, *, by: acts.Who) -> None:
    """Takes a merge, split or mapping back. Raises Refused if something came in between."""
    with settled():
        change = PersonChange.objects.select_for_update().get(pk=change.pk)
        detail = change.detail
        if not is_undoable(change):
            raise Refused("This was undone already, or is nothing that can be.")
        now = {row["id"]: row for row in _snapshot(_names_of(detail["after"]))}
        decided = [row for row in detail["after"] if row["basis"] in timelines.FROZEN]
        if [now.get(row["id"]) for row in decided] != decided:
            raise Refused("Some of these names were moved again since. Undo that first, or map them one by one.")
        names = _names_of(detail["after"])
        _restore(detail)
        if change.act == "merged":
            other = Person.objects.get(pk=detail["other"])
            other.merged_into = None
            other.save(update_fields=["merged_into"])
            Membership.objects.filter(pk__in=detail.get("memberships", [])).update(person=other)
            _unname(change.person, other, detail.get("named", ()))
        change.detail = {**detail, "undone_by": str(by), "undone_at": timezone.now().isoformat()}
        change.save(update_fields=["detail"])
        join.settle(names)
        if change.act == "split":
            _take_back(change)
        _Change(f"{change.act}_undone", change.person, by, "", other=detail.get("other")).record(names, row=False)


def _take_back(change: PersonChange) -> None:
    """Whom a split made goes with it, if they have no name left; if they have a history, they point back instead."""
    made = Person.objects.filter(pk=change.detail["other"], identities=None).first()
    if made is None:
        return
    decided = about(made).exclude(pk=change.pk).exists() or made.absorbed.exists()
    if decided or made.memberships.exclude(basis="telemetry").exists():
        made.merged_into = change.person
        made.save(update_fields=["merged_into"])
    else:
        made.delete()


def about(person: Person) -> QuerySet[PersonChange]:
    """What was decided about somebody, on either side of it."""
    return PersonChange.objects.filter(Q(person=person) | Q(detail__other=person.pk))


def was_taken_back(person: Person) -> bool:
    """Whether a split made them that was undone since: they point back, and were not merged."""
    made = PersonChange.objects.filter(act="split", detail__other=person.pk, detail__has_key="undone_at")
    return person.merged_into_id is not None and made.exists()


def _unname(person: Person, other: Person, fields: Sequence[str]) -> None:
    """What a person was called after whom they were merged with goes with them; what they were called since stays."""
    taken = [field for field in fields if getattr(person, field) == getattr(other, field)]
    for field in taken:
        setattr(person, field, "")
    person.save(update_fields=taken)


def is_undoable(change: PersonChange) -> bool:
    return change.act in ("merged", "split", "mapped", "unmapped") and (
        "after" in change.detail and "undone_at" not in change.detail
    )


class _Change:
    """One change under way: what the rows were before, what they are after, and who did it why."""

    def __init__(self, act: str, person: Person | None, by: acts.Who, reason: str, other: int | None = None) -> None:
        self.act, self.person, self.by, self.reason = act, person, by, reason
        self.detail: dict[str, Any] = {"reason": reason} if reason else {}
        if other is not None:
            self.detail["other"] = other

    def begin(self, names: Iterable[Name]) -> None:
        self.detail["before"] = _snapshot(names)

    def move(self, names: Sequence[Name], person: Person | None, from_day: dt.date | None) -> None:
        self.begin(names)
        for name in names:
            timelines.move(name, person, from_day, "manual")
        self.end(names)

    def end(self, names: Sequence[Name]) -> None:
        """What hangs on the names follows them."""
        join.settle(names)
        self.detail["after"] = _snapshot(names)

    def record(self, names: Iterable[Name], *, row: bool = True) -> PersonChange:
        by, person = str(self.by), self.person
        change = PersonChange(by=by, act=self.act, person=person, detail=self.detail)
        if row and person is not None:
            change.save()
        facts = [("person.id", str(person.pk))] if person else []
        facts += [("person.other", str(self.detail["other"]))] if "other" in self.detail else []
        facts += [("identity.id", str(each["id"])) for each in self.detail.get("after", [])]
        told = ", ".join(value for _, value in names)
        whom = " ".join(filter(None, (person.name, person.email))) if person else ""
        content = {name: text for name, text in (("reason", self.reason), ("person", whom), ("names", told)) if text}
        acts.require(f"person.{self.act}", by=self.by, facts=facts, content=content)
        return change


def _owner(names: Iterable[Name]) -> Person | None:
    """Whose they are now, for the history of what is taken from them."""
    rows = [row for found in identities.of(names).values() for row in found if row.person_id]
    return rows[-1].person if rows else None


def _locked(*people: Person) -> list[Person]:
    found = Person.objects.select_for_update().order_by("pk").in_bulk([each.pk for each in people])
    if len(found) < len({each.pk for each in people}):
        raise Refused("One of them is no longer there.")
    return [found[each.pk] for each in people]


def _snapshot(names: Iterable[Name]) -> list[dict[str, Any]]:
    """The rows of the names without the names, which are personal and found again by id."""
    rows = sorted((row for found in identities.of(names).values() for row in found), key=lambda row: row.pk)
    return [{name: _plain(getattr(row, name)) for name in _ROW} for row in rows]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _names_of(rows: Iterable[Mapping[str, Any]]) -> list[Name]:
    found = Identity.objects.filter(pk__in=[row["id"] for row in rows])
    return sorted(set(found.values_list("kind", "value")))


def _restore(detail: Mapping[str, Any]) -> None:
    """The rows as they were; those that the change made go."""
    before = {row["id"]: row for row in detail["before"]}
    made = [row["id"] for row in detail["after"] if row["id"] not in before]
    rows = list(Identity.objects.filter(pk__in=before))
    for row in rows:
        told = before[row.pk]
        row.person_id, row.basis = told["person_id"], told["basis"]
        for name in _DETAIL_DAYS:
            setattr(row, name, dt.date.fromisoformat(told[name]) if told[name] else None)
        row.save()
    for kind in {row.kind for row in rows} | set(Identity.objects.filter(pk__in=made).values_list("kind", flat=True)):
        values = [row.value for row in rows if row.kind == kind]
        timelines.follow(kind, values, made)
