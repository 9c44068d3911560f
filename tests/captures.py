"""Real captures as evidence: decoded, mapped and recorded by the receiver's own functions, without HTTP."""

import gzip
import json
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from audit import ledger
from ingest import agents, otlp
from ingest.secrets import Scrubber
from tests.factories import fold, raw, receipt, seal

CAPTURES = Path(__file__).parent / "specimens" / "claude_code"
_LIMITS = otlp.Limits()
_SCRUBBER = Scrubber(bytes(32))


def scenarios() -> list[str]:
    return sorted(folder.name for folder in CAPTURES.iterdir() if (folder / "index.jsonl").exists())


@cache
def bodies(scenario: str) -> tuple[tuple[str, bytes], ...]:
    """(encoding, body) of a scenario's log requests in the order they were sent, uncompressed."""
    return tuple(_bodies(CAPTURES / scenario))


def _bodies(folder: Path) -> Iterator[tuple[str, bytes]]:
    for line in (folder / "index.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["signal"] == "logs" and "file" in entry:
            data = (folder / entry["file"]).read_bytes()
            data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            yield "json" if ".json" in entry["file"] else "protobuf", data


def record(scenario: str, **receipt_overrides: Any) -> None:
    """Records a scenario's log records, each request received by itself."""
    memory = agents.SessionMemory()
    for encoding, body in bodies(scenario):
        received = receipt(received_at_us=time.time_ns() // 1000, **receipt_overrides)
        records = otlp.decode("logs", encoding, body, _LIMITS).records
        drafts = agents.drafts(
            records,
            None,
            memory.of(received.source_id),
            scrubber=_SCRUBBER,
            received_at_us=received.received_at_us,
        )
        database = raw()
        prepared = ledger.prepare(database, received, drafts)
        with database.transaction():
            ledger.append(database, prepared)


def evidence(*scenarios: str, **receipt_overrides: Any) -> None:
    """Recorded, numbered and folded."""
    for scenario in scenarios:
        record(scenario, **receipt_overrides)
    seal()
    while fold():
        pass
