"""`manage.py bench`: what it sends is what it says it sends, and it measures with real processes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest import otlp
from ingest.otlp.records import LogRecord
from portal.bench import filling, machine, report, templates
from tests.processes import PROJECT

LENGTHS = (120, 250)
SESSION, INSTALLATION = b"0f8fad5b-d9cb-469f-a165-70867728950e", b"e" * 64


def decoded(body: bytes, encoding: otlp.Encoding) -> list[LogRecord]:
    export = otlp.decode("logs", encoding, body, otlp.Limits())
    assert not export.unusable
    return export.records  # type: ignore[return-value]


def plain(record: LogRecord) -> dict[str, object]:
    return {key: value for key, _, value in record.attributes}


def test_it_sends_the_same_records_in_both_encodings() -> None:
    (_, template) = templates.templates(LENGTHS)
    sent = [
        [(r.time_unix_nano, r.body, r.attributes, r.emitter.resource) for r in decoded(body, encoding)]
        for encoding in ("protobuf", "json")
        for body in template.requests(250, encoding)
    ]
    assert sent[0] == sent[1]
    assert len(sent[0]) == 250


def test_it_stamps_session_installation_and_time_and_nothing_else() -> None:
    now = time.time()
    for encoding in ("protobuf", "json"):
        for template in templates.templates(LENGTHS):
            for body in templates.bodies(template, 50, encoding):
                before = decoded(body.data, encoding)
                after = decoded(body.stamped(SESSION, INSTALLATION, now), encoding)
                for old, new in zip(before, after, strict=True):
                    expected = plain(old) | {"session.id": SESSION.decode(), "user.id": INSTALLATION.decode()}
                    assert plain(new) | {"event.timestamp": templates.STAMP} == expected
                    assert -2400 < new.time_unix_nano / 1e9 - now < 0
                    assert new.time_unix_nano == new.observed_time_unix_nano


def test_each_copy_of_a_session_has_tool_uses_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made = templates.templates(LENGTHS)
    monkeypatch.setattr(templates, "templates", lambda: made)
    (source, _) = filling._copies()
    sessions = ("0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7")
    copies = [source.batch(0, session, "e" * 64, 1_770_000_000_000_000) for session in sessions]
    used = [{draft.tool_use_id for draft in copy} - {None} for copy in copies]
    assert used[0]
    assert len(used[0]) == len(used[1])
    assert used[0].isdisjoint(used[1])
    for copy in copies:
        assert all({key: value for key, _, value in d.facts}.get("@tool_use_id") == d.tool_use_id for d in copy)


def test_it_works_for_a_template_of_every_length_it_uses() -> None:
    made = templates.templates()
    assert [len(each.records) for each in made] == list(templates.LENGTHS)
    assert len({each.person.email for each in made}) == templates.PEOPLE
    assert len({each.person.team for each in made}) == 5


def test_it_counts_the_cpu_time_of_a_process_with_its_children() -> None:
    burn = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.3: pass"
    nested = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\ninput()"
    with subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE) as process:
        deadline = time.monotonic() + 20
        while machine.cpu_seconds({"it": [process.pid]})["it"] < 0.3 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert machine.cpu_seconds({"it": [process.pid]})["it"] >= 0.3
        assert machine.peak_memory(process.pid) > 1 << 20
        process.communicate(b"\n")


def test_it_measures_every_part_and_ends_well(tmp_path: Path) -> None:
    few = ["--seconds", "0.3", "--sizes", "100", "--encodings", "protobuf", "--fill", "1500", "--requests", "2"]
    few += ["--people", "3"]
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("DATABASE_", "PORTAL_", "OTLP_"))
    }
    run = subprocess.run(
        [sys.executable, str(PROJECT / "manage.py"), "bench", "--json", *few],
        env={**environment, "PORTAL_NO_BOOTSTRAP": "1", "PORTAL_VAR": str(tmp_path)},
        capture_output=True,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr.decode()
    figures = json.loads(run.stdout)
    assert [run["records_a_request"] for run in figures["ingest"]] == [100]
    for each in figures["ingest"]:
        assert set(each["statuses"]) == {"200"}
        assert set(each["cpu_us_per_event"]) == {"receiver", "sealer", "projector", "postgres", "generator"}
        assert each["events_per_second"] > 0
    assert figures["copy"]["events"]["rows"] >= 1500
    assert figures["copy"]["ingest_to_copy_of_events"] > 0
    assert figures["ledger"]["verifier_exit"] == 0
    assert figures["ledger"]["dumped"] == figures["ledger"]["size"] > 1500
    assert figures["connectors"]["events"] > 1500
    assert figures["connectors"]["user_days"] > 0
    assert figures["connectors"]["installations"] > 0
    assert figures["size"]["events"] > 1500
    assert figures["feed"]
    assert len(figures["pages"]) > 10
    assert not [page for page in figures["pages"] if "status" in page]
    assert figures["usage"]["user_days"] > 3 * 90 * 2 * 3
    assert not [page for page in figures["usage"]["pages"] if "status" in page]
    text = report.table(figures)
    assert "Usage of 3 people" in text
    assert "Ingest over 16 connections" in text
    assert "protobuf, 100" in text
    assert "a dump of" in text.lower()
    assert not (tmp_path / "postgres").exists()
