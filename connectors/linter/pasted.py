"""Settings as somebody pasted them: JSON, a shell's lines or a Collector's YAML, with the line each variable stands on.

Whatever the text is, reading it raises nothing; what could not be read is a remark.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LONGEST = 64 << 10
"""Characters that are looked at."""

_NAME = re.compile(r"(?:OTEL|CLAUDE_CODE|DISABLE|ENABLE|DO_NOT|BETA|COPILOT|GEMINI)_[A-Z0-9_]{1,60}")
_LINE = re.compile(
    r"\s*(?:export\s+|set\s+|setx\s+|\$env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"(?P<before>\s*)(?P<sign>=|\s)(?P<after>\s*)(?P<value>.*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable and the line it stands on. `spaced`: blanks stood around the equals sign of a shell's line."""

    name: str
    value: str
    line: int
    spaced: bool = False


@dataclass(slots=True)
class Pasted:
    """`kind` is json, lines, yaml, other or nothing. `broken`: (line, why) of what could not be read.

    `odd` are values that are no texts, `outside` variables that stand outside `env`, `twice` those named twice.
    """

    kind: str
    text: str
    variables: dict[str, Variable] = field(default_factory=dict)
    has_env: bool = False
    helper: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)
    odd: list[Variable] = field(default_factory=list)
    outside: list[Variable] = field(default_factory=list)
    twice: list[Variable] = field(default_factory=list)

    def get(self, name: str) -> str:
        found = self.variables.get(name)
        return found.value if found else ""

    def line(self, name: str) -> int:
        found = self.variables.get(name)
        return found.line if found else 0


def is_name(text: str) -> bool:
    """Whether a name may be shown: it is one of a variable, by its beginning."""
    return _NAME.fullmatch(text) is not None


def read(text: str) -> Pasted:
    text = text[:LONGEST].replace("\r\n", "\n").lstrip("\ufeff")
    if not text.strip():
        return Pasted("nothing", text)
    if text.lstrip().startswith(("{", "[", '"')):
        return _json(text)
    if other := re.match(r"\s*(<\?xml|<plist|Windows Registry Editor)", text):
        form = "a profile" if other[1].startswith("<") else "a registry file"
        return Pasted("other", text, broken=[(1, f"this is {form}: paste the settings in it, as JSON")])
    if re.search(r"^(exporters|receivers|service|processors|extensions):", text, re.MULTILINE):
        return Pasted("yaml", text)
    return _lines(text)


def _json(text: str) -> Pasted:
    pasted = Pasted("json", text)
    pairs: list[tuple[str, Any]] = []

    def keep(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = found
        names = [name for name, _ in found]
        repeated = {name for name in names if names.count(name) > 1 and is_name(name)}
        pasted.twice.extend(Variable(name, "", _line_of(text, name, last=True)) for name in sorted(repeated))
        return dict(found)

    try:
        scheme = json.loads(text, object_pairs_hook=keep)
    except json.JSONDecodeError as error:
        pasted.broken.append((error.lineno, f"this is no JSON: {error.msg}, at character {error.colno}"))
        return pasted
    except (ValueError, RecursionError):
        pasted.broken.append((1, "this is no JSON that could be read"))
        return pasted
    if isinstance(scheme, dict):
        _scheme(pasted, scheme)
    else:
        pasted.broken.append((1, "settings are one object: { … }"))
    return pasted


def _scheme(pasted: Pasted, scheme: dict[str, Any]) -> None:
    pasted.helper = _line_of(pasted.text, "otelHeadersHelper") if "otelHeadersHelper" in scheme else 0
    for name, value in scheme.items():
        if is_name(name):
            pasted.outside.append(Variable(name, _text(value), _line_of(pasted.text, name)))
    environment = scheme.get("env")
    pasted.has_env = isinstance(environment, dict)
    if not isinstance(environment, dict):
        return
    for name, value in environment.items():
        variable = Variable(name, _text(value), _line_of(pasted.text, name))
        pasted.variables[name] = variable
        if not isinstance(value, str) and is_name(name):
            pasted.odd.append(variable)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def _line_of(text: str, name: str, *, last: bool = False) -> int:
    """The line on which a key of that name stands; 1 if it is written in another way."""
    lines = [number for number, line in enumerate(text.splitlines(), 1) if f'"{name}"' in line]
    return lines[-1 if last else 0] if lines else 1


def _lines(text: str) -> Pasted:
    pasted = Pasted("lines", text, has_env=True)
    for number, line in _logical(text):
        match = _LINE.fullmatch(line)
        if match is None or not (match["sign"] == "=" or line.lstrip().lower().startswith("setx")):
            pasted.broken.append((number, "this is no line NAME=value"))
            continue
        name = match["name"]
        spaced = not line.lstrip().startswith(("$env:", "setx")) and bool(match["before"] + match["after"])
        if name in pasted.variables and is_name(name):
            pasted.twice.append(Variable(name, "", number))
        pasted.variables[name] = Variable(name, _unquoted(match["value"]), number, spaced)
    return pasted


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are neither empty nor a remark."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith(("#", "::", "rem ", "REM ")):
            yield number, line


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value, comments=True))
    except ValueError:
        return value.strip()
