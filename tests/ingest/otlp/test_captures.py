"""Every request that a real agent was seen to send."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from ingest.otlp import Export, Limits, LogRecord, MetricPoint, decode
from ingest.otlp.json_plain_logs import PlainLogs
from ingest.otlp.limits import Budget

SPECIMENS = Path(__file__).parents[2] / "specimens"
CLAUDE_CODE = SPECIMENS / "claude_code"
REQUESTS = sorted(
    path
    for path in SPECIMENS.rglob("*")
    if {"logs", "metrics", "traces"} & set(path.name.split(".")) and path.is_file()
)


def decoded(path: Path) -> Export:
    body = path.read_bytes()
    if path.suffix == ".gz":
        body = gzip.decompress(body)
    (signal,) = {"logs", "metrics", "traces"} & set(path.name.split("."))
    return decode(signal, "json" if ".json" in path.name else "protobuf", body, Limits())  # type: ignore[arg-type]


def of(signal: str) -> list[Path]:
    return [path for path in REQUESTS if signal in path.name.split(".")]


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: str(path.relative_to(SPECIMENS)))
def test_it_keeps_every_record_of_a_real_request(path: Path) -> None:
    export = decoded(path)
    assert export.unusable == []
    assert export.total > 0
    if "traces" not in path.name.split("."):
        assert export.total == len(export.records)
        assert {flag for record in export.records for flag in record.flags} == set()
        assert all(record.attributes or record.body for record in export.records if isinstance(record, LogRecord))


def test_it_reads_what_claude_code_writes() -> None:
    record = next(
        record
        for record in decoded(CLAUDE_CODE / "a-plain-prompt.json" / "0001.logs.json").records
        if isinstance(record, LogRecord) and ("event.name", "string", "user_prompt") in record.attributes
    )
    assert record.body == ("string", "claude_code.user_prompt")
    assert record.time_unix_nano == record.observed_time_unix_nano > 1_795_000_000_000_000_000
    assert ("event.sequence", "int", 4) in record.attributes
    assert record.emitter.scope_name == "com.anthropic.claude_code.events"
    assert record.emitter.scope_version == "2.1.329"
    assert ("service.name", "string", "claude-code") in record.emitter.resource
    assert (record.severity_number, record.event_name, record.trace_id) == (0, "", "")


def test_it_reads_the_ids_of_a_trace() -> None:
    ids = {
        (len(record.trace_id), len(record.span_id))
        for path in CLAUDE_CODE.glob("l-traces.*/*.logs.*")
        for record in decoded(path).records
        if isinstance(record, LogRecord)
    }
    assert ids == {(0, 0), (32, 16)}


def test_it_reads_the_temporality_of_sums() -> None:
    def sums(folder: str) -> Counter[tuple[str | None, bool | None]]:
        points = [point for path in (CLAUDE_CODE / folder).glob("*.metrics.*") for point in decoded(path).records]
        return Counter((point.temporality, point.monotonic) for point in points if isinstance(point, MetricPoint))

    assert set(sums("a-plain-prompt.json")) == {("delta", True)}
    assert set(sums("k-metrics-cumulative")) == {("cumulative", True)}


def test_it_reads_points_and_histograms_of_other_agents() -> None:
    points = [point for path in of("metrics") for point in decoded(path).records if isinstance(point, MetricPoint)]
    assert {point.instrument for point in points} == {"sum", "histogram"}
    for point in points:
        if point.instrument == "histogram":
            assert len(point.data["bucket_counts"]) == len(point.data["bounds"]) + 1
            assert sum(point.data["bucket_counts"]) == point.data["count"]
        else:
            assert isinstance(point.value, int | float)


@pytest.mark.parametrize(
    "path", [path for path in of("logs") if path.suffix == ".json"], ids=lambda path: path.parent.name
)
def test_it_reads_real_json_at_once_and_record_by_record_alike(path: Path) -> None:
    body = path.read_bytes()
    at_once = PlainLogs(Budget(Limits())).request(body)
    assert at_once is not None
    assert at_once == decode("logs", "json", b'{"later":1,' + body[1:], Limits()).records


@pytest.mark.parametrize("path", of("logs"), ids=lambda path: str(path.relative_to(SPECIMENS)))
def test_it_shares_one_emitter_among_the_records_of_a_scope(path: Path) -> None:
    records = [record for record in decoded(path).records if isinstance(record, LogRecord)]
    assert len({id(record.emitter) for record in records}) == len({record.emitter.scope_name for record in records})
