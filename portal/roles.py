"""The roles, in one table. Migrations seed them as groups; administrators may add groups of their own.

A permission is `app.codename`, where `*` stands for any text; the rights a role had when it was seeded can be changed
in the admin, and stay changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    purpose: str
    permissions: tuple[str, ...]
    api_only: bool = False


ROLES = (
    Role(
        "Compliance reviewer",
        "Reads all evidence, with content and identities, and downloads it. Changes no settings, sees no tokens.",
        (
            "audit.view_*",
            "audit.export_evidence",
            "connectors.view_usageday",
            "connectors.view_person",
            "connectors.view_team",
            "connectors.view_identity",
            "connectors.view_seat",
            "connectors.view_installation",
        ),
    ),
    Role(
        "Privacy officer",
        "Places legal holds, erases people, sets how long evidence is kept. Sees identities, not content.",
        (
            "audit.*_hold",
            "audit.*_erasure",
            "audit.*_retentionrule",
            "audit.*_retentionrun",
            "audit.view_identity",
            "audit.view_subject",
        ),
    ),
    Role(
        "SIEM exporter",
        "Reads evidence over REST with an API token. Cannot open the admin.",
        ("audit.view_*", "audit.export_evidence"),
        api_only=True,
    ),
    Role(
        "Connector administrator",
        "Issues, rotates and revokes tokens and looks after sources and keys. Sees no evidence.",
        ("connectors.*",),
    ),
    Role(
        "Portal administrator",
        "Looks after people, roles, schedules, log-ins and quarantine. Sees no evidence unless given that role too.",
        (
            "auth.*_user",
            "auth.*_group",
            "django_celery_beat.*",
            "axes.view_*",
            "axes.delete_accessattempt",
            "ingest.*",
            "connectors.*_apitoken",
        ),
    ),
)


def matches(role: Role, app_label: str, codename: str) -> bool:
    """Whether the role is seeded with that permission."""
    return any(fnmatchcase(f"{app_label}.{codename}", pattern) for pattern in role.permissions)


def seed(groups: Any, permissions: Any, roles: Iterable[Role] = ROLES) -> None:
    """Make each role's group, if it is missing, and give it those of the permissions that are its.

    `groups` and `permissions` are querysets, so that a migration can bring its own models and database; the rows
    between them are written here, as a related manager would ask the router for a database.
    """
    known = list(permissions.select_related("content_type"))
    held = groups.model.permissions.through
    for role in roles:
        group, _ = groups.get_or_create(name=role.name)
        wanted = (each for each in known if matches(role, each.content_type.app_label, each.codename))
        rows = [held(group_id=group.pk, permission_id=each.pk) for each in wanted]
        held.objects.using(groups.db).bulk_create(rows, ignore_conflicts=True)


def purpose(name: str) -> str:
    """What a seeded role is for; "" for a group an administrator made."""
    return next((role.purpose for role in ROLES if role.name == name), "")


def is_api_only(user: Any) -> bool:
    """Whether all of the user's roles are for the API. Nobody without a role is, and no superuser.

    Kept with the user, as Django keeps a user's permissions: it is asked several times in a request.
    """
    if not user.is_authenticated or user.is_superuser:
        return False
    if not hasattr(user, "_portal_api_only"):
        names = set(user.groups.values_list("name", flat=True))
        user._portal_api_only = bool(names) and not for_browsers(names)
    return bool(user._portal_api_only)


def for_browsers(names: Iterable[str]) -> set[str]:
    """Those of the roles that are used in the admin; a group an administrator made is one."""
    return set(names) - {role.name for role in ROLES if role.api_only}
