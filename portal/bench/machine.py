"""What the kernel says of processes: CPU time with that of their children, memory (Linux's /proc, proc(5))."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_STATE, _PARENT, _TIMES = 0, 1, slice(11, 15)  # of the fields after the program's name


def describe() -> dict[str, object]:
    """Cores, load and what this runs on."""
    one, five, _ = os.getloadavg()
    system = os.uname()
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_1m": round(one, 2),
        "load_5m": round(five, 2),
        "system": f"{system.sysname} {system.release} {system.machine}",
    }


def cpu_seconds(roots: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """User and system time of the processes of each name with all their descendants, ended ones included."""
    processes = dict(_processes())
    children: dict[int, list[int]] = {}
    for pid, fields in processes.items():
        children.setdefault(int(fields[_PARENT]), []).append(pid)
    return {
        name: sum(sum(map(int, processes[pid][_TIMES])) for pid in _tree(pids, children) if pid in processes) / _TICKS
        for name, pids in roots.items()
    }


def parent(pid: int) -> int:
    return int(_fields(Path(f"/proc/{pid}/stat").read_bytes())[_PARENT])


def peak_memory(pid: int) -> int:
    """The most memory a process ever held, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _tree(roots: Iterable[int], children: Mapping[int, Iterable[int]]) -> Iterable[int]:
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children.get(pid, ())


def _processes() -> Iterable[tuple[int, list[bytes]]]:
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            yield int(entry.parent.name), _fields(entry.read_bytes())
        except OSError:  # it ended meanwhile
            continue


def _fields(stat: bytes) -> list[bytes]:
    """The fields after the program's name, which may hold spaces and parentheses."""
    return stat.rpartition(b")")[2].split()
