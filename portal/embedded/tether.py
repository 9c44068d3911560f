"""Runs a program and stops it when the process that started us is gone: for systems without Linux's death signal.

    python tether.py <descriptor> <signal> <program> [argument…]

The descriptor is the reading end of a pipe whose writing end only the parent holds; it ends when the parent does.
"""

import select
import signal
import subprocess
import sys

CHECK = 0.2  # seconds between two looks at the program


def main(arguments: list[str]) -> int:
    pipe, stop_signal = int(arguments[0]), int(arguments[1])
    child = subprocess.Popen(arguments[2:], close_fds=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda received, _frame: child.send_signal(received))
    attached = True
    while child.poll() is None:
        if attached and select.select([pipe], [], [], CHECK)[0]:
            attached = False
            child.send_signal(stop_signal)
        elif not attached:
            child.wait()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
