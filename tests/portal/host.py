"""A process that runs the embedded servers of a folder, as `up` does, and nothing else: to be started and killed.

    python host.py <folder> [postgres | throwaway-postgres] [broker]

Prints `ready` when they answer. Ends cleanly on SIGTERM.
"""

import sys
from pathlib import Path

from portal.embedded.accounts import account
from portal.embedded.broker import Broker
from portal.embedded.errors import ServerError
from portal.embedded.hosting import Server
from portal.embedded.postgres import Postgres
from portal.runner.log import Log
from portal.runner.supervisor import Part, Supervisor
from portal.state import State


def main(folder: str, *names: str) -> int:
    state = State(Path(folder))
    supervisor = Supervisor(Log(sys.stderr))
    supervisor.heed_signals()
    owner = account(state.postgres, state.broker)
    makers = {
        "postgres": lambda: Postgres(state, owner),
        "throwaway-postgres": lambda: Postgres(state, owner, durable=False),
        "broker": lambda: Broker(state, owner),
    }
    servers: list[Server] = [makers[name]() for name in names]
    try:
        for server in servers:
            supervisor.add([Part.of_server(server)])
            supervisor.wait_until(server.ready, 60, server.name)
            server.provision()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        supervisor.run()
    except ServerError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    finally:
        supervisor.stop()
        for server in servers:
            server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
