"""What the levels are said to send, held against what Claude Code did send in the captures."""

import json
from functools import cache
from pathlib import Path

import pytest

from connectors import snippets
from connectors.snippets import arrivals
from tests.ingest.agents.captured import SPECIMENS, bodies

METRICS, METADATA, DETAILS, FULL = snippets.LEVELS
OUR_OWN = {"team.id", "cost_center", "repo", "policy"}
"""OTEL_RESOURCE_ATTRIBUTES of the set-up, copied onto every record."""

AT = {
    METADATA: ("j-toggles-none.json", "b-bash-allow-rule.pb", "h-mcp.json", "k-metrics-entrypoint1"),
    DETAILS: ("j-toggles-details.json", "h-mcp.json.details"),
    FULL: (
        "j-toggles-all.json",
        "m-git-commit-pr.json",
        "m-subagent.json.details",
        "m-skills-commands-plugins-hooks.json",
    ),
}
"""Captures made with the switches of a level, or with fewer."""


@cache
def seen(scenario):
    """(event, attribute, value) of every record of a scenario."""
    return [
        ({key: value for key, _, value in record.attributes}["event.name"], key, value)
        for records in bodies(scenario)
        for record in records
        for key, _, value in record.attributes
    ]


def said(level):
    """By event: what arrives, and the words that stand in for something."""
    rows = {each.name: each for each in snippets.arriving(level)}
    common = [
        rows.pop(name) for name in ("every request", "every event and count", "… of a Claude account", "every event")
    ]
    arriving = {attribute for row in common for attribute in row.arrives}
    return {
        name: (arriving | set(row.arrives), dict(row.masked))
        for name, row in rows.items()
        if not name.startswith("claude_code.")
    }


@pytest.mark.parametrize(
    ("level", "scenario"), [(level, scenario) for level, scenarios in AT.items() for scenario in scenarios]
)
def test_nothing_arrived_that_its_level_does_not_name(level, scenario):
    said_by_event = said(level)
    for event, attribute, value in seen(scenario):
        arriving, masked = said_by_event[event]
        if attribute in masked:
            assert value == masked[attribute] or is_builtin(value), (event, attribute, value)
        else:
            assert attribute in arriving | OUR_OWN, (event, attribute, value)


def is_builtin(value):
    """Names that are Claude Code's own are never hidden."""
    return str(value).startswith("cc-plugin-") or value in {"builtin", "general-purpose", "compact", "exit", "clear"}


@pytest.mark.parametrize("scenario", ["j-toggles-details.json", "j-toggles-prompts.json", "j-toggles-all.json"])
def test_the_captures_hold_what_metadata_says_it_does_not_send(scenario):
    """The check above can fail: what more switches send is more than what `metadata` names."""
    arriving = said(METADATA)
    more = [
        (event, attribute)
        for event, attribute, value in seen(scenario)
        if attribute not in OUR_OWN
        and attribute not in arriving[event][0]
        and value not in set(arriving[event][1].values())
    ]
    assert more


def test_every_event_that_was_seen_is_told():
    names = {
        event
        for folder in SPECIMENS.iterdir()
        if any(Path(folder).glob("*.logs.*"))
        for event, _, _ in seen(folder.name)
    }
    assert names == set(arrivals.EVENTS)


def test_every_metric_that_was_seen_is_told_with_its_attributes():
    found = {}
    for path in SPECIMENS.glob("j-toggles-*.json/*.metrics.json"):
        for resource in json.loads(path.read_text())["resourceMetrics"]:
            for metric in (each for scope in resource["scopeMetrics"] for each in scope["metrics"]):
                for point in metric["sum"]["dataPoints"]:
                    found.setdefault(metric["name"], set()).update(each["key"] for each in point["attributes"])
    rows = {each.name: each for each in snippets.arriving(FULL)}
    common = {*rows["every event and count"].arrives, *rows["… of a Claude account"].arrives}
    assert found
    for name, attributes in found.items():
        assert attributes - common - OUR_OWN <= set(rows[name].arrives), name


def test_metrics_only_tells_of_no_event():
    names = {each.name for each in snippets.arriving(METRICS)}
    assert not names & set(arrivals.EVENTS)
    assert "claude_code.cost.usage" in names


def test_higher_levels_only_add():
    for lower, higher in ((METADATA, DETAILS), (DETAILS, FULL)):
        for before, after in zip(snippets.arriving(lower), snippets.arriving(higher), strict=True):
            assert set(before.arrives) <= set(after.arrives)
    assert not any(each.masked or each.missing for each in snippets.arriving(FULL))
