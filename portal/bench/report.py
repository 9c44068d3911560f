"""The figures as text for a terminal: each with what it is and its unit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from portal.bench.ledger import EVENTS

Figures = Mapping[str, Any]


def table(figures: Figures) -> str:
    return "\n".join(_lines(figures))


def _lines(figures: Figures) -> Iterator[str]:
    before, after = figures["machine"], figures["machine_after"]
    yield (
        f"Machine: {before['cores']} cores, load {before['load_1m']} before and {after['load_1m']} after, "
        f"{before['system']}, PostgreSQL {figures['postgresql']}."
    )
    if fill := figures.get("fill"):
        loaded, folded = fill["loaded_s"], fill["drained_after_s"]
        yield f"Filled with {fill['events']:,} events in {loaded:,} s, all folded {folded:,} s later."
    if runs := figures.get("ingest"):
        yield from _ingest(runs)
    if copy := figures.get("copy"):
        yield from _copy(copy)
    if ledger := figures.get("ledger"):
        yield from _ledger(ledger)
    if connectors := figures.get("connectors"):
        yield from _connectors(connectors)
    if size := figures.get("size"):
        yield ""
        events, sessions = size["events"], size["sessions"]
        yield f"Size: {events:,} events, {sessions:,} sessions, {size['database_mib']:,} MiB in the database."
    if feed := figures.get("feed"):
        yield from _feed(feed)
    if pages := figures.get("pages"):
        yield from _pages("Pages and searches, one client, over HTTP", pages)
    if usage := figures.get("usage"):
        yield from _usage(usage)


def _ingest(runs: Sequence[Figures]) -> Iterator[str]:
    first = runs[0]
    yield ""
    yield f"Ingest over {first['connections']} connections, answered after the durable commit"
    columns = ("events/s", "requests/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "settled events/s", "receiver MiB")
    yield from _rows(
        ("encoding, records a request", *columns),
        [
            (
                f"{run['encoding']}, {run['records_a_request']}",
                *(
                    run[name]
                    for name in ("events_per_second", "requests_per_second", "p50_ms", "p95_ms", "p99_ms", "max_ms")
                ),
                run["settled_events_per_second"],
                run["receiver_peak_mib"],
            )
            for run in runs
        ],
    )
    names = list(first["cpu_us_per_event"])
    yield ""
    yield "CPU, µs an event by process, until all is numbered and folded; how old the oldest waiting event was, in s"
    yield from _rows(
        ("encoding, records a request", *names, "all", "unsealed p50", "max", "unfolded p50", "max"),
        [
            (
                f"{run['encoding']}, {run['records_a_request']}",
                *run["cpu_us_per_event"].values(),
                round(sum(run["cpu_us_per_event"].values()), 1),
                *run["oldest_unsealed_s"].values(),
                *run["oldest_unfolded_s"].values(),
            )
            for run in runs
        ],
    )
    for run in runs:
        if others := {status: count for status, count in run["statuses"].items() if status != "200"}:
            yield f"Other answers at {run['encoding']}, {run['records_a_request']}: {others}"


def _copy(copy: Figures) -> Iterator[str]:
    yield ""
    if "skipped" in copy:
        yield f"COPY FROM a file, the limit: {copy['skipped']}."
        return
    yield (
        f"COPY FROM a file, the limit: {copy['events']['rows_per_second']:,} rows/s into the table of events, "
        f"{copy['both_events_per_second']:,} events/s with their contents."
    )
    if "ingest_to_copy_of_events" in copy:
        yield (
            f"Ingest at 100 records a request is {copy['ingest_to_copy_of_events']} of the first, "
            f"{copy['ingest_to_copy_of_both']} of the second."
        )


def _ledger(ledger: Figures) -> Iterator[str]:
    yield ""
    if "skipped" in ledger:
        yield f"Ledger: {ledger['skipped']}."
        return
    proof = ledger["proof"]
    yield (
        f"Ledger of {ledger['size']:,} events: hashing {ledger['hashing_us_per_event']} µs an event, sealing "
        f"{ledger['sealing_us_per_event']} µs, of which the tree in memory {ledger['tree_us_per_event']} µs."
    )
    yield (
        f"A proof: p50 {proof['p50_ms']} ms, p95 {proof['p95_ms']} ms; {ledger['proof_in_a_pack_us']} µs each where "
        f"{EVENTS:,} are made at once."
    )
    yield (
        f"A dump of {ledger['dumped']:,} events ({ledger['dump_megabytes']} MB): written at "
        f"{ledger['dump_events_per_second']:,} events/s, verified at {ledger['verifier_events_per_second']:,} events/s "
        f"(exit code {ledger['verifier_exit']})."
    )


def _connectors(connectors: Figures) -> Iterator[str]:
    yield ""
    if "skipped" in connectors:
        yield f"Connectors: {connectors['skipped']}."
        return
    yield (
        f"{connectors['events']:,} events counted into {connectors['user_days']:,} user-days: "
        f"{connectors['counting_us_per_event']} µs an event. {connectors['joined']:,} identities joined into "
        f"{connectors['people']:,} people in {connectors['joining_s']} s."
    )
    yield (
        f"{connectors['folded']:,} events folded into {connectors['installations']:,} installations: "
        f"{connectors['folding_us_per_event']} µs an event. Coverage looked at in {connectors['coverage_s']} s."
    )


def _feed(feed: Figures) -> Iterator[str]:
    if "status" in feed:
        yield f"Feed: answered {feed['status']}."
    else:
        costs = ", ".join(f"{name} {cost}" for name, cost in feed["cpu_us_per_event"].items())
        yield (
            f"Feed, pages of 10,000: {feed['events_per_second']:,} events/s, {feed['megabytes_per_second']} MB/s; "
            f"CPU, µs an event: {costs}."
        )


def _usage(usage: Figures) -> Iterator[str]:
    if "skipped" in usage:
        yield ""
        yield f"Usage of many people: {usage['skipped']}."
        return
    title = f"Usage of {usage['people']:,} people, of whom two feeds speak, {usage['user_days']:,} rows"
    yield from _pages(title, usage["pages"])


def _pages(title: str, pages: Sequence[Figures]) -> Iterator[str]:
    yield ""
    yield title
    yield from _rows(
        ("what", "p50 ms", "p95 ms", "max ms", "KiB"),
        [
            (each["name"], each["p50_ms"], each["p95_ms"], each["max_ms"], each["bytes"] // 1024)
            if "status" not in each
            else (each["name"], f"answered {each['status']}", "", "", "")
            for each in pages
        ],
    )


def _rows(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Columns under their heads, numbers to the right."""
    shown = [[str(cell) if not isinstance(cell, int) else f"{cell:,}" for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(head))]
    for row in shown:
        first, *others = (cell.ljust(width) if not index else cell.rjust(width)
                          for index, (cell, width) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        yield "  ".join((first, *others)).rstrip()
