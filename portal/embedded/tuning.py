"""The embedded server's settings: for a machine of a few cores that it shares with the portal's processes."""

import os
from pathlib import Path

MIB = 1024 * 1024


def settings(version: int, sockets: Path, *, durable: bool = True) -> dict[str, str]:
    """By name. `durable=False` is for throw-away servers: what they hold is gone after a crash of the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    chosen = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "timezone": "UTC",
        "shared_buffers": f"{_bounded(memory // 8, 128, 1024)}MB",
        "effective_cache_size": f"{max(memory // 2, 256)}MB",
        "maintenance_work_mem": f"{_bounded(memory // 32, 64, 256)}MB",
        "work_mem": "16MB",
        "wal_buffers": "16MB",
        "wal_init_zero": "off",  # a new segment is written once, not twice: half of a busy writer's time was this
        "min_wal_size": "256MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "synchronous_commit": "on",  # an acknowledged record survives the power cord
        "random_page_cost": "1.1",
        "jit": "off",
        "max_locks_per_transaction": "256",  # every partition and each of its indexes takes one
        "autovacuum_max_workers": "2",
        "log_timezone": "UTC",
        "log_line_prefix": "%m ",
        "log_checkpoints": "off",
        # Telemetry never reaches the log: no statement, no parameter, no "failing row contains".
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_parameter_max_length": "0",
    }
    if not durable:
        chosen |= {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB", "max_wal_size": "1GB"}
    return chosen


def _bounded(value: int, lowest: int, highest: int) -> int:
    return max(lowest, min(value, highest))
