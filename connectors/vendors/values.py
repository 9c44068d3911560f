"""Reading a vendor's JSON: what is missing or null is nothing, numbers may come as text, and nothing is rounded.

Everything that cannot be read raises VendorError. What is returned can be stored: no NUL, no lone surrogate, no number
beyond a bigint, no NaN.
"""

import datetime as dt
import decimal
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from connectors.vendors.shape import ReportRow, VendorError

EXACT = decimal.Context(prec=100)
"""Sums and shifts in it are exact for every amount that `decimal_of` lets through."""
LARGEST_COUNT = 2**63 - 1
_NANODOLLAR = Decimal("1E-9")
_LARGEST_AMOUNT = Decimal(10) ** 11
_NUMBER = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,3})?")
_DEEPEST = 32
_LONGEST_TEXT = 2000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def unreadable(what: str) -> VendorError:
    return VendorError(f"The answer is not what the vendor documents: {what}. Nothing of it is used.")


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; its fractions as Decimal, so that money stays exact."""
    try:
        answer = json.loads(body, parse_float=_fraction, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise VendorError(
            "The answer is no JSON. A proxy's or a login page may have come in its place; it is asked again later."
        ) from None
    if not isinstance(answer, dict):
        raise unreadable("it is no object")
    return answer


def table(value: Any) -> Mapping[str, Any]:
    """An object's fields; none for null and for what is no object."""
    return value if isinstance(value, dict) else {}


def rows(value: Any, what: str) -> Sequence[Mapping[str, Any]]:
    """A list of objects; empty for null."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise unreadable(f"“{what}” is no list of rows")
    return value


def text(value: Any) -> str:
    """A text that can be stored and shown in a line; "" for null. Numbers as they are written."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNSTORABLE.sub("�", str(value)[:_LONGEST_TEXT]).strip()


def flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(text(value).lower())


def count(value: Any, what: str) -> int:
    """A whole number from 0 up; 0 for null."""
    number = _decimal(value, what)
    if number is None:
        return 0
    if not 0 <= number <= LARGEST_COUNT or number != number.to_integral_value():
        raise unreadable(f"“{what}” is no count")
    return int(number)


def summed(counts: Sequence[int], what: str) -> int:
    total = sum(counts)
    if total > LARGEST_COUNT:
        raise unreadable(f"“{what}” sums up to more than can be counted")
    return total


def dollars(value: Any, what: str, *, cents: bool) -> Decimal | None:
    """An amount as dollars, exact; None for null. Whoever stores it rounds it (`stored`)."""
    number = _decimal(value, what)
    if number is None:
        return None
    amount = EXACT.scaleb(number, -2) if cents else number
    if abs(amount) >= _LARGEST_AMOUNT:
        raise unreadable(f"“{what}” is no amount")
    return amount


def stored(amount: Decimal) -> Decimal:
    """Rounded to a nanodollar, as the database keeps it, so that the same answer gives the same row."""
    if abs(amount) >= _LARGEST_AMOUNT:
        raise unreadable("amounts sum up to more than can be stored")
    return amount.quantize(_NANODOLLAR, context=EXACT)


def written(amount: Decimal) -> str:
    """An amount as text, without an exponent and without needless zeros."""
    digits = format(stored(amount), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def moment(value: Any) -> dt.datetime | None:
    """A time with its zone, from RFC 3339 or seconds since the epoch; None for anything else."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return dt.datetime.fromtimestamp(value, dt.UTC)
        time = dt.datetime.fromisoformat(text(value))
        return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def day_of(value: Any) -> dt.date | None:
    """The UTC day of a date or time; None for anything else."""
    time = moment(value)
    return time.date() if time else None


def plain(value: Any, *, money: frozenset[str] = frozenset(), depth: int = 0) -> Any:
    """JSON that can be stored. Fields named in `money` are cents, and become dollars as text."""
    if depth > _DEEPEST:
        raise unreadable("it is nested too deep")
    if isinstance(value, dict):
        return {text(name): _field(name, each, money, depth) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each, money=money, depth=depth + 1) for each in value]
    if isinstance(value, Decimal):
        number = float(value)
        return number if math.isfinite(number) else text(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_COUNT:
        return text(value)
    return text(value) if isinstance(value, str) else value


def keyed(found: Sequence[tuple[Mapping[str, Any], Any]]) -> list[ReportRow]:
    """Rows by what they are about: its names and values, as in a query. A second of the same is numbered."""
    counted: dict[str, int] = {}
    reports = []
    for about, data in sorted(found, key=lambda each: json.dumps(each[1], sort_keys=True)):
        key = urlencode([(name, text(value)) for name, value in about.items() if value is not None]) or "all"
        counted[key] = counted.get(key, 0) + 1
        reports.append(ReportRow(key if counted[key] == 1 else f"{key}#{counted[key]}", data))
    return reports


def pages(bodies: Iterator[bytes] | Sequence[bytes]) -> Iterator[dict[str, Any]]:
    return (parsed(body) for body in bodies)


def _field(name: str, value: Any, money: frozenset[str], depth: int) -> Any:
    if name in money and not isinstance(value, dict | list):
        amount = dollars(value, name, cents=True)
        return None if amount is None else written(amount)
    return plain(value, money=money, depth=depth + 1)


def _decimal(value: Any, what: str) -> Decimal | None:
    """None for null and the empty text. Bounded before it is computed with, as decimal raises far from zero."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise unreadable(f"“{what}” is no number")
    number = Decimal(value)
    if number and not -60 <= number.adjusted() <= 20:
        raise unreadable(f"“{what}” is out of range")
    return number


def _fraction(digits: str) -> Decimal:
    if len(digits) > 200:
        raise ValueError("a number of more digits than any vendor has")
    try:
        return Decimal(digits)
    except decimal.InvalidOperation:  # an exponent beyond what even Decimal holds
        raise ValueError("a number out of range") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
