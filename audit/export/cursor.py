"""Where a reader of the feed stands: `<epoch>.<number of the last line>`, and `<epoch>.start` before the first.

An epoch ends when a ledger is restored from a backup that knows less than was published; there was none but the first.
"""

import re

from audit.exceptions import CursorError, EpochRetired

EPOCH = 0
BEFORE_FIRST = -1

_SPELLING = re.compile(r"(0|[1-9][0-9]{0,17})\.(start|0|[1-9][0-9]{0,39})", re.ASCII)


def parse(cursor: str) -> int:
    """The number of the last line read, BEFORE_FIRST if none was. It may lie beyond any line there is.

    Raises EpochRetired for an epoch that is not this one, CursorError for what is no cursor at all.
    """
    match = _SPELLING.fullmatch(cursor)
    if match is None:
        raise CursorError(f"A cursor is written <epoch>.<number>, such as {EPOCH}.41; this is none.")
    epoch, number = match.groups()
    if int(epoch) != EPOCH:
        raise EpochRetired(f"Epoch {epoch} is not in use; begin again with {spell(BEFORE_FIRST)}.")
    return BEFORE_FIRST if number == "start" else int(number)


def spell(number: int) -> str:
    return f"{EPOCH}.{'start' if number == BEFORE_FIRST else number}"
