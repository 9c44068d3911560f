import contextlib
import functools
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.verifier import verify
from tests.audit.verifier import packs


class Auditor:
    """Runs the verifier in this process on bytes; `run` gives its exit code, `report` what it said last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.report: dict[str, Any] = {}
        self.policy = packs.policy()
        self.text = ""

    def file(self, name: str, content: bytes | str) -> str:
        path = self._folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def run(self, evidence: bytes | dict[str, bytes], *options: str, now: int = packs.NOW) -> int:
        data = packs.zipped(evidence) if isinstance(evidence, dict) else evidence
        arguments = [self.file("evidence", data), "--policy", self.file("policy.json", json.dumps(self.policy))]
        with contextlib.redirect_stdout(io.StringIO()) as output:
            code = verify.main([*arguments, "--json", "--now", str(now), *options])
        self.report = json.loads(output.getvalue())
        assert self.report["exit"] == code
        return code

    def said(self) -> str:
        return "\n".join(f"{each['verdict']}: {each['where']}: {each['text']}" for each in self.report["findings"])


@pytest.fixture
def auditor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Auditor:
    """With signatures remembered, so that thousands of runs cost what differs between them."""
    monkeypatch.setattr(verify, "ed25519_holds", _remembered(verify.ed25519_holds))
    return Auditor(tmp_path)


@functools.cache
def _remembered(function: Callable[..., bool]) -> Callable[..., bool]:
    return functools.lru_cache(100_000)(function)
