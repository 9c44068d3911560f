"""Ordinary work: what people ask, which tools that takes, what is answered."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.demo.calls import Call
from portal.demo.cast import Repository

HOME = "/home/work"

PROMPTS = (
    (
        "Fix the rounding bug in {file} and add a regression test",
        "Fixed: amounts are rounded half to even now, and a test covers 0.005.",
    ),
    (
        "Why does {file} fail when the list is empty? Don't change anything yet.",
        "An empty list skips the initialisation, so the total stays unset.",
    ),
    ("Rename the field in {file} and everything that uses it", "Renamed in four places; the tests pass."),
    ("Run the tests and fix what fails", "Two tests failed over a changed default; both pass again."),
    ("Add input validation to {file}", "Inputs are checked at the boundary and refused with a clear message."),
    ("Review the last commit and tell me what is risky", "One finding: the retry has no upper bound."),
    (
        "Update the dependencies and make sure it still builds",
        "Everything builds; one major version was left alone on purpose.",
    ),
    ("Write a short runbook for {file}", "The runbook covers start, stop, rollback and the two usual alarms."),
    ("Make {file} faster, it takes seconds on large inputs", "The quadratic loop is gone; 10 000 rows take 40 ms."),
    ("Explain how retries work here", "Retries are exponential with jitter, bounded at five."),
    ("Open a pull request with this change", "The pull request is open and its checks run."),
    ("Remove the dead code in {file}", "Three unused functions are gone; nothing imported them."),
)
READING = ("Read", "Grep", "Glob", "LS")
SAFE = frozenset({"git", "ls", "cat", "rg", "head"})
REFUSED_BY_RULE = ("curl", "sudo", "scp")
FAILURES = (
    ("ShellError", "Shell command failed"),
    ("Error:ENOENT", "File does not exist. Note: your current working directory has changed."),
)


@dataclass(frozen=True, slots=True)
class Job:
    prompt: str
    calls: tuple[Call, ...]
    answer: str


def jobs(repository: Repository, rng: random.Random) -> Iterator[Job]:
    """Endless ordinary work in a repository."""
    while True:
        prompt, answer = rng.choice(PROMPTS)
        file = rng.choice(repository.files)
        number = rng.choice((1, 2, 3, 3, 4, 5, 6, 8))
        yield Job(prompt.format(file=file), tuple(_calls(repository, file, number, rng)), answer)


def _calls(repository: Repository, file: str, number: int, rng: random.Random) -> Iterator[Call]:
    """Reading first, then changing, then checking."""
    path = f"{HOME}/{repository.name}/{file}"
    for position in range(number):
        if position < number / 3:
            yield _reading(path, rng)
        elif rng.random() < 0.12 and repository.servers:
            server = rng.choice(repository.servers)
            tool, given = rng.choice(server.calls)
            yield Call(tool, dict(given), server=server, took=rng.uniform(0.1, 2))
        elif position < number * 2 / 3:
            yield _editing(path, rng)
        else:
            yield _running(repository, file, rng)


def _reading(path: str, rng: random.Random) -> Call:
    tool = rng.choice(READING)
    given = {
        "Read": {"file_path": path},
        "Grep": {"pattern": rng.choice(("def .*total", "TODO", "retry", "import decimal")), "path": path},
        "Glob": {"pattern": "**/*test*"},
        "LS": {"path": path.rpartition("/")[0]},
    }[tool]
    return Call(tool, given, took=rng.uniform(0.01, 0.2), result_bytes=rng.randint(100, 9000))


def _editing(path: str, rng: random.Random) -> Call:
    if rng.random() < 0.2:
        return Call("Write", {"file_path": path, "content": "# …[2400 chars]"}, took=0.05, result_bytes=162)
    old, new = rng.choice(
        (("int(amount * 100)", "round(amount * 100)"), ("timeout=None", "timeout=30"), ("== None", "is None"))
    )
    given = {"file_path": path, "old_string": old, "new_string": new, "replace_all": False}
    return Call("Edit", given, took=0.04, result_bytes=144)


def _running(repository: Repository, file: str, rng: random.Random) -> Call:
    commands: Sequence[tuple[str, str]] = (
        (repository.test, "Run the tests"),
        (repository.test, "Run the tests again"),
        (repository.build, "Build"),
        ("git status --short", "See what changed"),
        ("git diff --stat", "Look at the change"),
        (f"git add {file} && git commit -m 'Fix rounding'", "Commit"),
        ("git push origin HEAD", "Push the branch"),
        ("gh pr create --fill", "Open a pull request"),
        (f"rg -n 'retry' {file}", "Find retries"),
        ("curl -s https://status.acme.example/api/health", "Ask the status page"),
    )
    command, description = rng.choice(commands)
    error = rng.choice(FAILURES) if rng.random() < 0.08 else None
    committed = f"{rng.getrandbits(160):040x}" if "git commit" in command and not error else ""
    return Call(
        "Bash",
        {"command": command, "description": description},
        took=rng.uniform(0.1, 25),
        error=error,
        committed=committed,
        result_bytes=rng.randint(0, 4000),
    )
