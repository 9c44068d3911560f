import contextlib
import json
import os
import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.bench import plan, report, usage
from portal.embedded import session, throwaway
from portal.state import PROJECT


class Command(BaseCommand):
    help = (
        "Measures ingest, the feed, pages and searches with the portal's own processes on a throw-away database, or on "
        "the configured one with --here (what is sent stays there). Asserts nothing. docs/bench.md explains the rows."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON instead of a table.")
        parser.add_argument("--fill", type=int, default=0, metavar="N", help="Load N events first.")
        parser.add_argument("--seconds", type=float, default=8.0, help="Length of each ingest run. Default: 8")
        parser.add_argument("--only", nargs="+", choices=plan.PARTS, default=list(plan.PARTS), help="Parts to measure.")
        parser.add_argument("--sizes", nargs="+", type=int, default=list(plan.SIZES), help="Records a request.")
        parser.add_argument("--encodings", nargs="+", choices=plan.ENCODINGS, default=list(plan.ENCODINGS))
        parser.add_argument("--requests", type=int, default=plan.REQUESTS, help="Of each page. Default: %(default)s")
        parser.add_argument("--people", type=int, default=usage.PEOPLE, help="Of the usage part. Default: %(default)s")
        parser.add_argument("--here", action="store_true", help="Use the configured database.")
        parser.add_argument("--inside", action="store_true", help="Everything is prepared; used by the command itself.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["inside"]:
            raise SystemExit(_around(options["here"]))
        figures = plan.run(plan.Wanted(**{name: options[name] for name in plan.Wanted.__annotations__}))
        self.stdout.write(json.dumps(figures, indent=2) if options["json"] else report.table(figures))


def _around(here: bool) -> int:
    """Runs this command again where it finds a migrated database and free ports."""
    with contextlib.ExitStack() as stack:
        environment = {**os.environ, **plan.addresses(), "PORTAL_NO_BOOTSTRAP": "1"}
        if here:
            stack.enter_context(session.database("manage.py bench"))
        else:
            environment |= stack.enter_context(throwaway.cluster(broker=False, durable=True))
        manage = [sys.executable, str(PROJECT / "manage.py")]
        migration = [*manage, "migrate", "--database=owner", "--verbosity=0", "--skip-checks"]
        failed = subprocess.run(migration, env=environment).returncode  # noqa: S603
        return failed or subprocess.run([*manage, *sys.argv[1:], "--inside"], env=environment).returncode  # noqa: S603
