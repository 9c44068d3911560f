"""From what people type to the keys that big tables are indexed by. Every look-up here is small."""

import re
from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from audit.models import McpServer, Origin, Session, Subject

NAMES_AT_MOST = 1000

_PSEUDONYM = re.compile(r"p-([0-9a-f]{8})", re.ASCII)


def is_pseudonym(actor: str) -> bool:
    """Whether `actor` names nobody: `p-7f3a01c2`, or the id that an actor has in the API."""
    return _PSEUDONYM.fullmatch(actor.lower()) is not None or _uuid(actor) is not None


def people(actor: str) -> Sequence[UUID]:
    """The identities of an actor: by pseudonym or id, else by e-mail address, account or installation."""
    if is_pseudonym(actor):
        return list(_named_by(actor.lower()).values_list("id", flat=True))
    told = Q(address=actor.lower()) | Q(account_uuid=actor) | Q(account_id=actor) | Q(install_id=actor)
    return list(Subject.objects.alias(address=Lower("email")).filter(told).values_list("id", flat=True))


def _named_by(pseudonym: str) -> QuerySet[Subject]:
    match = _PSEUDONYM.fullmatch(pseudonym)
    # Some clients' account ids are UUIDs, too, so an id that is no subject's may be an account's.
    if match is None:
        return Subject.objects.filter(Q(id=pseudonym) | Q(account_uuid=pseudonym))
    first, last = (UUID(match[1] + digit * 24) for digit in "0f")
    return Subject.objects.filter(id__gte=first, id__lte=last)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def session_keys(session_id: str) -> Sequence[UUID]:
    """Our keys of the sessions that a vendor calls so; another source may use the same name."""
    return list(Session.objects.filter(session_id=session_id).values_list("id", flat=True))


def emitters(*, team: str | None = None, repository: str | None = None) -> Sequence[int]:
    """The origins of a team and a repository."""
    found = Origin.objects.all()
    if team is not None:
        found = found.filter(team=team)
    if repository is not None:
        found = found.filter(repository__in=repositories(repository))
    return list(found.values_list("id", flat=True))


def repositories(name: str) -> Sequence[str]:
    """The repositories of that name as emitters spell them: alone, or at the end of an address."""
    spelled = Q(repository=name)
    for ending in (f"/{name}", f"/{name}.git", f":{name}", f":{name}.git"):
        spelled |= Q(repository__endswith=ending)
    found = Origin.objects.filter(spelled).values_list("repository", flat=True).distinct()
    return [each for each in found if each is not None]


def servers_with(tool: str) -> Sequence[str]:
    """The MCP servers on which a tool was called; "" stands for those whose name the client hides."""
    return list(McpServer.objects.filter(tools__has_key=tool).values_list("name", flat=True))


def tool_names() -> list[str]:
    """The names of the tools that were used, at most NAMES_AT_MOST.

    A recursive query steps from each name to the next in the index; DISTINCT would read all of it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TOOL_NAMES, [NAMES_AT_MOST])
        return [name for (name,) in cursor.fetchall()]


_TOOL_NAMES = """
    WITH RECURSIVE found(name) AS (
        SELECT min(tool_name) FROM audit_tooluse
        UNION ALL
        SELECT (SELECT min(tool_name) FROM audit_tooluse WHERE tool_name > name) FROM found WHERE name IS NOT NULL
    )
    SELECT name FROM found WHERE name IS NOT NULL LIMIT %s
"""
