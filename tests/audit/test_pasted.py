"""Secrets that people paste into what they write."""

import pytest

from audit import pasted
from connectors.tokens import spelling

ANTHROPIC, OPENAI = "sk-ant-admin01-" + "Aa0_-" * 16, "sk-proj-" + "Aa0_-" * 10


@pytest.mark.parametrize(
    ("secret", "mark"),
    [
        (spelling.generate("ingest"), "[redacted:agp_ing]"),
        (spelling.generate("api"), "[redacted:agp_api]"),
        (ANTHROPIC, "[redacted:sk-ant]"),
        (OPENAI, "[redacted:sk-proj]"),
    ],
    ids=["ingestion", "api", "anthropic", "openai"],
)
def test_each_is_masked_where_it_stands(secret, mark):
    assert pasted.masked(f"it was {secret}, and “{secret}”") == f"it was {mark}, and “{mark}”"
    assert pasted.holds_secret(f"x{secret}")
    assert len(mark) <= len(secret)


@pytest.mark.parametrize("text", ["", "agp_ing_ is how they begin", "task-ant-colony", "sk-ant-…", "agp_api_Ab12"])
def test_what_is_none_stays(text):
    assert pasted.masked(text) == text
    assert not pasted.holds_secret(text)
