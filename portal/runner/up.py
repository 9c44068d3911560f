"""`manage.py up`: the whole portal in the foreground, until Ctrl-C or SIGTERM."""

import contextlib
import time
from collections.abc import Iterator
from functools import partial

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connections

from audit.signer import Signer
from connectors import credentials
from portal import env, state
from portal.embedded import lease
from portal.embedded.accounts import account
from portal.embedded.broker import Broker
from portal.embedded.errors import ServerError
from portal.embedded.hosting import START_WITHIN, Server
from portal.embedded.postgres import Postgres
from portal.runner import first_start, orphans, ports, static
from portal.runner.log import Log
from portal.runner.parts import portal_parts
from portal.runner.supervisor import Part, Supervisor

LISTENERS = (  # process, host, port, and the setting that changes them
    ("web", settings.WEB_HOST, settings.WEB_PORT, "PORTAL_BIND"),
    ("receiver", settings.OTLP_HTTP_HOST, settings.OTLP_HTTP_PORT, "OTLP_HTTP_BIND"),
)
LISTENS_WITHIN = 60.0
ORPHANS_PORTS = 10.0  # seconds until a killed process's ports are free


def run(log: Log) -> None:
    """Start everything, keep it running, stop it. ServerError, before anything runs, if it could not."""
    here = state.here()
    begun = time.monotonic()
    with lease.held(here, "manage.py up"):
        patience = ORPHANS_PORTS if orphans.clear(here) else 0.0
        servers = _servers(here)
        for process, host, port, setting in LISTENERS:
            ports.require_free(host, port, setting, process, patience)
        with _supervisor(log, servers) as supervisor:
            _start(supervisor, servers, here, begun)
            supervisor.run()
            log.line("up", "stopping")
        here.remove_sockets()
        log.line("up", "stopped")


def _servers(here: state.State) -> list[Server]:
    """The embedded ones: those for which the settings name no other."""
    owner = account(here.postgres, here.broker)
    servers: list[Server] = []
    if not env.text("DATABASE_URL"):
        servers.append(Postgres(here, owner))
    if not env.text("CELERY_BROKER_URL"):
        servers.append(Broker(here, owner))
    return servers


@contextlib.contextmanager
def _supervisor(log: Log, servers: list[Server]) -> Iterator[Supervisor]:
    supervisor = Supervisor(log)
    supervisor.heed_signals()
    try:
        yield supervisor
    finally:
        supervisor.stop()
        for server in servers:
            server.close()


def _start(supervisor: Supervisor, servers: list[Server], here: state.State, begun: float) -> None:
    """In order: each server until it answers, the schema, static files, first accounts, then the portal's processes."""
    for server in servers:
        supervisor.add([Part.of_server(server)])
        if not supervisor.wait_until(server.ready, START_WITHIN, server.name):
            return
        server.provision()
    lines = _prepare(supervisor.log, here)
    if supervisor.stopping:
        return
    supervisor.add(portal_parts(here))
    listening = [_listens(supervisor, *listener[:3]) for listener in LISTENERS]
    _greet(supervisor.log, lines, time.monotonic() - begun if all(listening) else None)


def _listens(supervisor: Supervisor, process: str, host: str, port: int) -> bool:
    """Whether it does within a reasonable time. If not, its own lines say why, and it goes on being tried."""
    try:
        return supervisor.wait_until(partial(ports.is_open, host, port), LISTENS_WITHIN, process)
    except ServerError:
        return False


def _prepare(log: Log, here: state.State) -> list[str]:
    """In this process, before there are others. Its connections are closed: it only supervises from then on."""
    log.line("migrate", "bringing the schema up to date")
    try:
        call_command("migrate", database="owner", interactive=False, verbosity=0)
    except OperationalError as error:
        raise ServerError(f"The database does not answer (DATABASE_URL, DATABASE_OWNER_URL): {error}") from error
    static.collect(here)
    _require_key()
    _require_key_ring(log)
    lines = first_start.prepare()
    connections.close_all()
    return lines


def _require_key() -> None:
    """The ledger's signing key, made on the first start and never again: a second key would sign another history."""
    signer = Signer(settings.AUDIT_SIGNER_FOLDER)
    if signer.has_key or not settings.AUDIT_SIGNS:
        return
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM audit_checkpoint)")
        (signed,) = cursor.fetchone()
    if signed:
        raise ServerError(
            f"The ledger was signed before, but its key is not in {settings.AUDIT_SIGNER_FOLDER}; put that folder back "
            "from the backup, or set AUDIT_SIGNS=0 if another host signs."
        )
    signer.make_key()


def _require_key_ring(log: Log) -> None:
    """The key ring of sealed secrets, made on the first start. Without it evidence still comes in: it is only told."""
    try:
        credentials.current_key()
    except credentials.NoKey as error:
        log.line("keys", str(error))


def _greet(log: Log, lines: list[str], seconds: float | None) -> None:
    """The lines are shown whatever happened: what is in them is kept nowhere else."""
    up = "The portal is not up yet; the lines above say why." if seconds is None else f"Up after {seconds:.1f} s."
    for line in ("", f"{up} {settings.PUBLIC_URL}/admin/   Ctrl-C stops it.", *lines, ""):
        log.plain(line)
