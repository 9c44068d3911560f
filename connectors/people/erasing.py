"""Erasing somebody of whom there is no evidence, so that no erasure of evidence could find them."""

from django.db import transaction

from audit import acts
from audit.exceptions import Held
from audit.models import Hold
from audit.privacy import erasing, people
from audit.signals import person_erased
from connectors.models import Identity, Person
from connectors.people.changes import Refused
from connectors.people.forgetting import SHORTEST_NAME


def erase(person: Person, *, by: acts.Who, reason: str) -> None:
    """Erases somebody whom only connectors know: by a vendor's list, an import, or by hand. Raises Refused."""
    with transaction.atomic():
        names = _names(person)
        try:
            erasing.erase_acts_naming(names, [("person.id", str(person.pk))])
        except Held as held:
            raise Refused(f"Legal hold {held.hold} covers records that name them.") from held
        if any(people.find(name) for name in names):
            raise Refused("There is evidence of them. Erase them under Privacy, Erasures: that takes this with it.")
        held_names = Hold.objects.filter(kind="person", released_at=None).values_list("value", flat=True)
        if any(value.strip().lower() in names for value in held_names):
            raise Refused("A legal hold covers this person.")
        acts.require("person.erased", by=by, facts={"person.id": str(person.pk)}, content={"reason": reason})
        person_erased.send(sender=Person, names=names)


def _names(person: Person) -> list[str]:
    everybody = [person, *person.absorbed.all()]
    told = [each.email for each in everybody]
    told += Identity.objects.filter(person__in=everybody).values_list("value", flat=True)
    return sorted({name.lower() for name in told if len(name) >= SHORTEST_NAME})
