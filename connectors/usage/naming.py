"""What people are called: by name for those who may see people, else by a pseudonym that stays the same.

`person-7` is a person of the portal's, `identity-12` a name that belongs to nobody yet. Neither number says who it is.
"""

from collections.abc import Iterable, Mapping

from connectors.models import Identity, Person

Known = Person | Identity


def split(who: str) -> tuple[str, int]:
    """`person-7` as ("person", 7); ("", 0) for what is no pseudonym."""
    kind, _, number = who.partition("-")
    if kind in ("person", "identity") and number.isascii() and number.isdecimal() and len(number) <= 18:
        return kind, int(number)
    return "", 0


def spelled(number: int) -> str:
    """The number that queries know somebody by, as a pseudonym."""
    return f"person-{number}" if number > 0 else f"identity-{-number}"


def number(who: str) -> int:
    """The inverse; 0, which is nobody, for what is no pseudonym."""
    kind, digits = split(who)
    return -digits if kind == "identity" else digits


def known(everybody: Iterable[str]) -> dict[str, Known]:
    """Those pseudonyms' people and identities, in two queries."""
    keys = {who: split(who) for who in everybody}
    people = Person.objects.in_bulk([number for kind, number in keys.values() if kind == "person"])
    names = Identity.objects.in_bulk([number for kind, number in keys.values() if kind == "identity"])
    of_kind: Mapping[str, Mapping[int, Known]] = {"person": people, "identity": names}
    return {who: found for who, (kind, number) in keys.items() if (found := of_kind.get(kind, {}).get(number))}


def of(everybody: Iterable[str], *, named: bool) -> dict[str, str]:
    """What each is called; their pseudonym without the right to see names."""
    everybody = list(everybody)
    found = known(everybody) if named else {}
    return {who: _called(found[who]) if who in found else who for who in everybody}


def _called(known: Known) -> str:
    """What is no person says what it is."""
    if isinstance(known, Identity) and known.kind in (Identity.Kind.API_KEY, Identity.Kind.INSTALL):
        return f"{known.get_kind_display()} {known.value}"
    return str(known)


def pseudonym(identity: Identity) -> str:
    """Of an identity whose person is loaded, as `believing` spells it."""
    person = identity.person
    return f"person-{person.merged_into_id or person.pk}" if person else f"identity-{identity.pk}"


def find(text: str) -> str:
    """The pseudonym of whoever has this e-mail address or other name; "" for nobody."""
    name = text.strip()
    found = (
        Identity.objects.select_related("person").filter(value__in={name, name.lower()}).order_by("-last_seen", "pk")
    ).first()
    if found is not None:
        return pseudonym(found)
    person = Person.objects.filter(email=name.lower()).order_by("pk").first() if name else None
    return f"person-{person.merged_into_id or person.pk}" if person else ""
