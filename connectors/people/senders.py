"""Who sent what: the people of telemetry's subjects, by the names that each says and the days on which it was seen."""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from connectors.models import Identity
from connectors.people import identities
from connectors.people.identities import Name
from connectors.people.joining import on
from connectors.people.names import spelled


class Sender(NamedTuple):
    """A subject, by the strongest name first, and its last day."""

    subject_id: UUID
    email: str | None
    account_uuid: str | None
    account_id: str | None
    install_id: str | None
    last_day: dt.date

    @property
    def name(self) -> Name | None:
        """The strongest name, which alone says who it is."""
        for kind in (Identity.Kind.EMAIL, Identity.Kind.ACCOUNT_UUID, Identity.Kind.ACCOUNT_ID, Identity.Kind.INSTALL):
            if value := getattr(self, kind.value):
                return (kind.value, spelled(kind, value))
        return None


def people_of(senders: Iterable[Sender]) -> dict[UUID, int]:
    """The person of each subject on its last day; without those that are nobody's."""
    named = [(sender, name) for sender in senders if (name := sender.name)]
    held = identities.pieces_of({name for _, name in named})
    found = ((sender.subject_id, on(held.get(name, []), sender.last_day)) for sender, name in named)
    return {subject: piece.person for subject, piece in found if piece is not None and piece.person is not None}
