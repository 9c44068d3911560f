"""Rules over a Collector's YAML, line by line: only what is often wrong with an exporter that leads here."""

import re
from collections.abc import Iterator

from connectors.linter.pasted import Pasted
from connectors.linter.remarks import DOUBT, MISSING, WRONG, Here, Remark

_TOKEN = re.compile(r"agp_(?:ing|api)_[0-9A-Za-z]{16,}")
_RULES = (
    (
        re.compile(r"^\s+otlphttp(/[\w.-]+)?:"),
        DOUBT,
        "otlphttp",
        "The exporter is called otlp_http now; the old name is an alias that will go.",
    ),
    (
        re.compile(r"^\s+endpoint:\s*\S+/v1/(logs|metrics|traces)\b"),
        WRONG,
        "endpoint",
        "The exporter adds /v1/<signal> by itself: leave it off, or say logs_endpoint.",
    ),
    (
        re.compile(r"^\s+endpoint:\s*\S*https?://\S+:4317\b"),
        WRONG,
        "endpoint",
        "Port 4317 is gRPC's: for otlp_http it is 4318, or the proxy's port.",
    ),
    (_TOKEN, DOUBT, "token", "A token stands in the file: say ${env:AGENT_GOVERNANCE_TOKEN}, and put it there."),
    (
        re.compile(r"^\s+compression:\s*(zstd|snappy|zlib|deflate|lz4)"),
        WRONG,
        "compression",
        "The portal reads gzip, and what is not compressed.",
    ),
    (re.compile(r"^\s+insecure_skip_verify:\s*true"), DOUBT, "tls", "Whoever stands between can then read the token."),
)


def remarks(pasted: Pasted, here: Here) -> Iterator[Remark]:
    for number, line in enumerate(pasted.text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        for pattern, kind, subject, told in _RULES:
            if pattern.search(line):
                yield Remark(kind, number, subject, told)
    host = here.endpoint.partition("://")[2]
    if host not in pasted.text:
        yield Remark(MISSING, 0, "endpoint", f"No exporter leads to this portal: {here.endpoint}.")
    if not re.search(r"^\s+storage:\s*\S", pasted.text, re.MULTILINE):
        told = "The queue is in memory: what waits is lost when the Collector ends. A file_storage extension keeps it."
        yield Remark(DOUBT, 0, "sending_queue", told)
