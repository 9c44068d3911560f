"""What a vendor's refusal means, in words: what happened, and what to do.

Codes and their meanings: platform.claude.com/docs/en/api/errors; OpenAI's are the same as far as they go. A 429 with
`retry-after` is a rate limit; one without is that of a spending limit.
"""

import datetime as dt
import email.utils
import json
from collections.abc import Mapping
from typing import Any

from connectors.vendors.shape import VendorError

LONGEST_WAIT = 24 * 3600.0
_LONGEST_MESSAGE = 400

_WORDS = {
    400: "{vendor} does not accept this question",
    401: "{vendor} does not know this key: it was revoked, has expired, or was not copied whole. Make a new one there "
    "and replace it here",
    402: "{vendor} refuses because of billing. Somebody who manages billing there must settle it",
    403: "{vendor} does not let this key read this. It is of another kind or lacks the scope; scopes are fixed when "
    "a key is made, so make one that has it",
    404: "{vendor} has no such report for this organisation. Its plan may not include it",
    409: "{vendor} was changing this at the same moment. It is asked again later",
    410: "{vendor} has refreshed its figures, and the place in the list no longer holds. The list is read again from "
    "its beginning",
    413: "{vendor} finds the question too large",
    504: "{vendor} took too long over the answer. It is asked again later",
    529: "{vendor} is overloaded. It is asked again later",
}
_RETRIED = {409, 410, 429}


def refusal(vendor: str, status: int, headers: Mapping[str, str], body: bytes, key: str) -> VendorError:
    """The error for an answer whose status is not 200. Should the answer repeat the key, the words do not."""
    wait = seconds_to_wait(headers.get("retry-after"), headers.get("date"))
    told = _told(vendor, status, wait) + _said(vendor, body, headers, key)
    return VendorError(
        told,
        status=status,
        retry_after=wait if status == 429 or status >= 500 else None,
        restart=status == 410,
        refused=status < 500 and status not in _RETRIED,
    )


def seconds_to_wait(value: str | None, now: str | None = None) -> float | None:
    """Seconds, or a date as RFC 9110 § 10.2.3 has it, counted from the answer's own `Date`. None: not said."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        then, asked = _date(value), _date(now or "") or dt.datetime.now(dt.UTC)
        if then is None:
            return None
        seconds = (then - asked).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None


def _error_of(body: bytes) -> tuple[Any, Any]:
    """The error's own message and the request's number, from Anthropic's or OpenAI's error body."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(answer, dict):
        return None, None
    error = answer.get("error")
    return error.get("message") if isinstance(error, dict) else error, answer.get("request_id")


def _told(vendor: str, status: int, wait: float | None) -> str:
    if status == 429 and wait is not None:
        words = "{vendor} asks to wait before more is asked. It is asked again by itself"
    elif status == 429:
        words = (
            "{vendor} refuses for a limit that waiting does not lift, such as one of spending. Look at the limits there"
        )
    elif 300 <= status < 400:
        words = (
            "{vendor} points to another address, which is not followed, as the key would go there too. "
            "Look at whose address is set for it, and at the proxy"
        )
    elif status >= 500:
        words = _WORDS.get(status, "{vendor} has a failure of its own. It is asked again later")
    else:
        words = _WORDS.get(status, f"{{vendor}} answered with status {status}, which it does not document")
    return words.format(vendor=vendor) + "."


def _said(vendor: str, body: bytes, headers: Mapping[str, str], key: str) -> str:
    message, request = _error_of(body)
    message = _line(message, key)
    request = _line(request or headers.get("request-id") or headers.get("x-request-id"), key)
    told = f" {vendor} says: “{message}”" if message else ""
    return told + (f" (request {request})" if request else "")


def _line(text: Any, key: str) -> str:
    if not isinstance(text, str):
        return ""
    line = "".join(each if each.isprintable() else " " for each in text.replace(key, "[key]"))
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


def _date(text: str) -> dt.datetime | None:
    try:
        then = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return then if then.tzinfo else then.replace(tzinfo=dt.UTC)
