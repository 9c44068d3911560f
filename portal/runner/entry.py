"""What `manage.py` does once it runs in the project's environment."""

import os
import sys

from portal.embedded import session
from portal.embedded.errors import ServerError
from portal.env import SettingError
from portal.runner import testing
from portal.runner.orphans import MARK

# Commands that start their own servers, run below a process that did, or need none.
WITHOUT_DATABASE = {
    "up", "help", "version", "--help", "-h", "--version", "collectstatic", "compilemessages", "diffsettings",
    "bench", "findstatic", "makemessages", "replay", "startapp", "startproject", "testserver", "witness",
}  # fmt: skip
ABOUT_THE_SCHEMA = {"check", "dbshell", "makemigrations", "migrate", "showmigrations", "sqlmigrate", "squashmigrations"}


def run(arguments: list[str]) -> int:
    """`arguments` as in sys.argv. Returns the exit code; a reason someone can act on is one sentence on stderr."""
    command = arguments[1] if len(arguments) > 1 else "help"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        if command == "test":
            return testing.run(arguments[2:])
        if command in WITHOUT_DATABASE or "--help" in arguments or MARK in os.environ:
            _django(arguments)
        else:
            with session.database(f"manage.py {command}") as only_for_us:
                if only_for_us and command not in ABOUT_THE_SCHEMA:
                    _migrate()
                _django(arguments)
    except (ServerError, SettingError) as error:
        print(f"manage.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _migrate() -> None:
    """A command that comes before the first `up`, or after an upgrade, finds the schema that it needs."""
    import django

    django.setup()
    from django.core.management import call_command

    from portal.health import migrations_waiting

    if migrations_waiting("owner"):
        call_command("migrate", database="owner", interactive=False, verbosity=0)


def _django(arguments: list[str]) -> None:
    """Django is loaded this late because its settings read where the servers are."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(arguments)
