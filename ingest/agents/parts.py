"""Which of the four parts an attribute belongs to: subject, origin, facts or content (docs/ledger.md).

Identity goes to the subject and the emitter to the origin, whichever agent sent them and wherever they stand. What an
agent's mapping allow-lists is a fact. Everything else is content: shown only with the right, and erasable.
"""

from collections.abc import Iterable, Mapping

from ingest.agents.values import Reader, names, raw

SUBJECT, ORIGIN, FACTS, CONTENT = range(4)

IDENTITY = names(
    """
    user.id user.email user.name user.full_name user.hash user.roles user.groups user.account_uuid user.account_id
    enduser.id enduser.role enduser.scope enduser.pseudo.id organization.id organization.name organization.uuid
    host.name host.id host.ip host.mac identity.source installation.id cursor.user.id
    """
)

EMITTER = names(
    """
    host.arch host.type wsl.version terminal.type app.entrypoint app.version
    anthropic.provider anthropic.custom_base_url anthropic.plan user.customer_type user.subscription_type
    team team_id team_name department cost_center cost_centre costcenter cost.center cost.centre
    repo repository repo_name repo_url deployment.environment deployment.environment.name
    """
)

_EMITTER_FAMILIES = (
    "service.",
    "os.",
    "team.",
    "cost_center.",
    "cost_centre.",
    "cost.center.",
    "repo.",
    "repository.",
    "vcs.repository.",
    "vcs.owner.",
    "vcs.provider.",
    "telemetry.sdk.",
    "telemetry.distro.",
)
# One value per process: as part of the origin it would make one origin row per process.
_NOT_OF_THE_EMITTER = frozenset({"service.instance.id"})

_organisations_own: set[str] = set()

_REMEMBERED_KEYS = 4096
_REMEMBERED_KEY_CHARACTERS = 128

Placed = tuple[int, str, str | None, Reader]
"""(part, canonical key, column that takes the value or None, how it is read)"""


def place_in_origin(keys: Iterable[str]) -> None:
    """Take an organisation's own keys for team, cost center or repository into the origin. For the start only."""
    _organisations_own.update(keys)


def shared_part(key: str) -> int:
    """The part of an attribute that no mapping calls a fact: SUBJECT, ORIGIN or CONTENT."""
    if key in IDENTITY:
        return SUBJECT
    if (
        key in EMITTER
        or key in _organisations_own
        or (key.startswith(_EMITTER_FAMILIES) and key not in _NOT_OF_THE_EMITTER)
    ):
        return ORIGIN
    return CONTENT


class Placement(dict[str, Placed]):
    """Where attributes of one place (`@`, `resource@`, `scope@`) go, by key.

    Unlisted keys are placed on first sight and remembered, up to a bound, because hostile keys never end.
    """

    def __init__(
        self, prefix: str, facts: Iterable[str] = (), columns: Mapping[str, tuple[str, Reader]] | None = None
    ) -> None:
        super().__init__()
        self._prefix = prefix
        for key in facts:
            self[key] = (FACTS, prefix + key, None, raw)
        for key, (column, reader) in (columns or {}).items():
            self[key] = (*self[key][:2], column, reader)

    def __missing__(self, key: str) -> Placed:
        placed = (shared_part(key), self._prefix + key, None, raw)
        if len(self) < _REMEMBERED_KEYS and len(key) <= _REMEMBERED_KEY_CHARACTERS:
            self[key] = placed
        return placed


RESOURCE = Placement("resource@")
SCOPE = Placement("scope@")
