"""The navigation, by task. An entry is shown to those who may open it, and only when there is something to open."""

from dataclasses import dataclass

from django.apps import apps
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, slots=True)
class Entry:
    """A change list (`model`, shown to those who may view it) or a page (`view`, shown to holders of `permission`).

    `also` names further models whose pages belong to this entry.
    """

    label: str
    icon: str
    model: str = ""
    view: str = ""
    permission: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """`current` is the value of aria-current: `page` on the page itself, `true` on pages below it."""

    label: str
    icon: str
    url: str
    current: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    links: list[Link]

    @property
    def current(self) -> Link | None:
        return next((link for link in self.links if link.current), None)


GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Evidence",
        (
            Entry("Overview", "grid", view="admin:index"),
            Entry("Sessions", "list", "audit.session"),
            Entry("Events", "search", "audit.event"),
            Entry("Permission decisions", "check", "audit.tooluse"),
            Entry("Mode changes", "mode", "audit.modechange"),
            Entry("MCP connections", "chain", "audit.mcpconnection"),
        ),
    ),
    (
        "Oversight",
        (
            Entry("MCP servers", "plug", "audit.mcpserver"),
            Entry(
                "Usage",
                "coins",
                view="admin:connectors_usage",
                permission="connectors.view_usageday",
                also=("connectors.usageday", "connectors.price"),
            ),
            Entry("Coverage", "flag", "connectors.covered", also=("connectors.seat", "connectors.device")),
            Entry("People", "users", "connectors.person", also=("connectors.identity", "connectors.team")),
        ),
    ),
    (
        "Connectors",
        (
            Entry(
                "Connections",
                "chain",
                "connectors.connection",
                also=("connectors.pull", "connectors.backfill", "connectors.reported"),
            ),
            Entry("Ingestion tokens", "key", "connectors.ingesttoken"),
            Entry("Sources", "inbox", "connectors.source"),
            Entry("Installations", "list", "connectors.installation"),
            Entry("Endpoint tests", "check", "connectors.canaryrun"),
            Entry("Check settings", "eye", view="admin:connectors_linter", permission="connectors.view_ingesttoken"),
            Entry("Key ring", "lock", "connectors.keyrotation"),
        ),
    ),
    (
        "Ledger",
        (
            Entry("Evidence packs", "shield", "audit.evidencepack"),
            Entry("Verifications", "check", "audit.verification"),
            Entry("Quarantine", "warn", "ingest.quarantined"),
            Entry("Receiver answers", "inbox", "ingest.answered"),
        ),
    ),
    (
        "Privacy",
        (
            Entry("Legal holds", "hold", "audit.hold"),
            Entry("Erasures", "slash", "audit.erasure"),
            Entry("Retention", "clock", "audit.retentionrun"),
            Entry("Retention rules", "list", "audit.retentionrule"),
        ),
    ),
    (
        "Administration",
        (
            Entry("People and roles", "users", "auth.user", also=("auth.group",)),
            Entry("Log-ins", "lock", "axes.accessattempt", also=("axes.accesslog", "axes.accessfailurelog")),
            Entry("API tokens", "key", "connectors.apitoken"),
            Entry(
                "Schedules",
                "clock",
                "django_celery_beat.periodictask",
                also=(
                    "django_celery_beat.intervalschedule",
                    "django_celery_beat.crontabschedule",
                    "django_celery_beat.clockedschedule",
                ),
            ),
        ),
    ),
)


def navigation(site: AdminSite, request: HttpRequest) -> list[Group]:
    """What this person may open, in the order of GROUPS; groups that would be empty are left out."""
    groups = []
    for label, entries in GROUPS:
        links = [link for entry in entries if (link := _link(site, request, entry))]
        if links:
            groups.append(Group(label, links))
    return groups


def _link(site: AdminSite, request: HttpRequest, entry: Entry) -> Link | None:
    if entry.model:
        url = list_url(site, request, entry.model)
    else:
        permitted = not entry.permission or request.user.has_perm(entry.permission)
        url = _reversed(entry.view) if permitted else ""
    if not url:
        return None
    below = [url, *filter(None, (list_url(site, request, model) for model in entry.also))]
    return Link(entry.label, entry.icon, url, _current(request.path, below))


def list_url(site: AdminSite, request: HttpRequest, model: str) -> str:
    """The change list of that model (`app.model`); "" when it is not in the admin or this person may not view it."""
    try:
        registered = apps.get_model(model)
    except LookupError:
        return ""
    if not site.is_registered(registered):
        return ""
    if not site.get_model_admin(registered).has_view_or_change_permission(request):
        return ""
    return _reversed(f"admin:{model.replace('.', '_')}_changelist")


def _reversed(view: str) -> str:
    try:
        return reverse(view)
    except NoReverseMatch:
        return ""


def _current(path: str, below: list[str]) -> str:
    if path in below:
        return "page"
    index = _reversed("admin:index")
    return "true" if any(path.startswith(url) for url in below if url != index) else ""
