"""Looks over pasted settings: what is missing, ignored or wrong, line by line, with the reason.

Pure but for the question whether a token is known (`Here.token`). Takes any text, raises nothing, and repeats no value
that was pasted.
"""

from collections.abc import Iterator

from connectors.linter import collecting, environment, places, sending
from connectors.linter.pasted import Pasted, read
from connectors.linter.remarks import ADVISED, DOUBT, IGNORED, MISSING, NOTE, WRONG, Here, Known, Remark

__all__ = ["ADVISED", "DOUBT", "IGNORED", "MISSING", "NOTE", "WRONG", "Here", "Known", "Remark", "lint"]


def lint(text: str, place: str, here: Here) -> list[Remark]:
    """Remarks in the order of the lines; what stands on no line comes last."""
    pasted = read(text)
    found = [*places.remarks(place, pasted), *_all(pasted, here)] if pasted.kind != "nothing" else []
    return sorted(found, key=lambda each: (each.line == 0, each.line))


def _all(pasted: Pasted, here: Here) -> Iterator[Remark]:
    if pasted.kind == "yaml":
        yield from collecting.remarks(pasted, here)
        return
    yield from _form(pasted)
    if pasted.kind == "lines" or pasted.has_env:
        yield from environment.remarks(pasted)
        yield from sending.remarks(pasted, here)


def _form(pasted: Pasted) -> Iterator[Remark]:
    for line, why in pasted.broken:
        yield Remark(WRONG, line, "Text", f"{why[0].upper()}{why[1:]}.")
    for variable in pasted.outside:
        yield Remark(IGNORED, variable.line, variable.name, "It stands outside “env”, where nothing reads it.")
    for variable in pasted.twice:
        yield Remark(DOUBT, variable.line, variable.name, "It is named twice; the last one counts.")
    for variable in pasted.odd:
        yield Remark(WRONG, variable.line, variable.name, "A value in “env” is a text: put it in quotes.")
    for variable in pasted.variables.values():
        if variable.spaced:
            yield Remark(WRONG, variable.line, "Text", "A shell takes no blanks around the = of an assignment.")
    if pasted.kind == "json" and not pasted.has_env and not pasted.broken:
        yield Remark(MISSING, 0, "env", "Claude Code reads variables from the object “env”; there is none.")
