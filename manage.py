#!/usr/bin/env python3
"""The portal's one command: `python3 manage.py up`, `test`, `help`. It needs Python 3.11 with pip and nothing else."""

import sys


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 - said here, in words that an old Python can still read
        sys.exit("manage.py: Python 3.11 or newer is needed; this is {}.{}.".format(*sys.version_info))
    if sys.platform == "win32":
        sys.exit("manage.py: the portal runs on Linux and macOS; on Windows, in WSL.")
    from portal import bootstrap

    bootstrap.ensure_environment(sys.argv[1] if len(sys.argv) > 1 else "help")
    from portal.runner import entry

    return entry.run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
