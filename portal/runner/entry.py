"""What `manage.py` does once it runs in the project's environment."""

import os
import sys

from portal.embedded import session
from portal.embedded.errors import ServerError
from portal.env import SettingError
from portal.runner import testing

# Commands that start their own servers, run below a process that did, or need none.
WITHOUT_DATABASE = {
    "up", "help", "version", "--help", "-h", "--version", "collectstatic", "compilemessages", "diffsettings",
    "findstatic", "makemessages", "startapp", "startproject", "testserver",
}  # fmt: skip


def run(arguments: list[str]) -> int:
    """`arguments` as in sys.argv. Returns the exit code; a reason someone can act on is one sentence on stderr."""
    command = arguments[1] if len(arguments) > 1 else "help"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        if command == "test":
            return testing.run(arguments[2:])
        if command in WITHOUT_DATABASE or "--help" in arguments or os.environ.get("PORTAL_SUPERVISED"):
            _django(arguments)
        else:
            with session.database(f"manage.py {command}"):
                _django(arguments)
    except (ServerError, SettingError) as error:
        print(f"manage.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _django(arguments: list[str]) -> None:
    """Django is loaded this late because its settings read where the servers are."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(arguments)
