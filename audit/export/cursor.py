"""Where a reader of the feed stands: `<epoch>.<number of the last line>`, and `<epoch>.start` before the first.

An epoch ends when a ledger is restored from a backup that knows less than was signed (audit.epochs).
"""

import re

from audit.exceptions import CursorError, EpochRetired

FIRST_EPOCH = 0
BEFORE_FIRST = -1

_SPELLING = re.compile(r"(0|[1-9][0-9]{0,17})\.(start|0|[1-9][0-9]{0,39})", re.ASCII)


def parse(cursor: str, current: int = FIRST_EPOCH) -> int:
    """The number of the last line read, BEFORE_FIRST if none was. It may lie beyond any line there is.

    Raises EpochRetired for an epoch that is not the `current` one, CursorError for what is no cursor at all.
    """
    match = _SPELLING.fullmatch(cursor)
    if match is None:
        raise CursorError(f"A cursor is written <epoch>.<number>, such as {current}.41; this is none.")
    epoch, number = match.groups()
    if int(epoch) != current:
        raise EpochRetired(f"Epoch {epoch} is not in use; begin again with {spell(BEFORE_FIRST, current)}.")
    return BEFORE_FIRST if number == "start" else int(number)


def spell(number: int, current: int = FIRST_EPOCH) -> str:
    return f"{current}.{'start' if number == BEFORE_FIRST else number}"
