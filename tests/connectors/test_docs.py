"""docs/tokens.md says what is."""

import re
from pathlib import Path

import pytest

from connectors import tokens
from connectors.roster.switches import SWITCHES

TEXT = (Path(__file__).parents[2] / "docs" / "tokens.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pattern():
    (published,) = re.findall(r"^agp_.*$", TEXT, re.MULTILINE)
    return re.compile(published)


@pytest.mark.parametrize("kind", ["ingest", "api"])
def test_the_published_pattern_finds_every_token(pattern, kind):
    for _ in range(50):
        secret = tokens.generate(kind)
        assert pattern.search(f"OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer {secret}'")[0] == secret


@pytest.mark.parametrize(
    "text", ["agp_ing_" + "A" * 48, "agp_xyz_" + "A" * 49, "AGP_ING_" + "A" * 49, "agp_ing_" + "-" * 49]
)
def test_the_published_pattern_finds_nothing_else(pattern, text):
    assert pattern.search(text) is None


def test_every_switch_that_is_inferred_is_explained():
    for switch in SWITCHES:
        last = switch.name.rpartition("_")[2]
        assert switch.name in TEXT or f"…_{last}" in TEXT, switch.name
