"""What a request gets (DESIGN §5.4): one table from what happened to status, headers and body."""

from dataclasses import dataclass

from google.rpc import code_pb2

from connectors.tokens import Refusal
from ingest import otlp

PROTOBUF, JSON = "application/x-protobuf", "application/json"
CONTENT_TYPES = {"protobuf": PROTOBUF, "json": JSON}
RETRY_AFTER_SECONDS = "2"  # a direct client has ten seconds in all and gives up at once on a longer wait

_CODES = {
    400: code_pb2.INVALID_ARGUMENT,
    401: code_pb2.UNAUTHENTICATED,
    403: code_pb2.PERMISSION_DENIED,
    404: code_pb2.NOT_FOUND,
    405: code_pb2.UNIMPLEMENTED,
    413: code_pb2.RESOURCE_EXHAUSTED,
    415: code_pb2.INVALID_ARGUMENT,
    429: code_pb2.RESOURCE_EXHAUSTED,
    503: code_pb2.UNAVAILABLE,
}


UNAVAILABLE = Refusal(503, "unavailable", "not recorded; send again")
OVERLOADED = Refusal(503, "overloaded", "too much is waiting to be recorded; send again")
STOPPING = Refusal(503, "stopping", "the receiver is stopping; send again")
SLOW = Refusal(503, "slow", "not recorded in time; send again")
OVER_BUDGET = Refusal(429, "budget", "this token's budget of records a minute is used up; send again")
SOURCE_OVER_BUDGET = Refusal(
    429, "source_budget", "the budget of records a minute of this token's source is used up; send again"
)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def stored(signal: otlp.Signal, encoding: otlp.Encoding, rejected: int, message: str) -> Answer:
    """200, for what is committed; `rejected` records are in quarantine and are not to be sent again."""
    body = otlp.success(signal, encoding, rejected, message)
    return Answer(200, [("content-type", CONTENT_TYPES[encoding])], body)


def refused(refusal: Refusal, encoding: otlp.Encoding) -> Answer:
    """The refusal as google.rpc.Status, in the request's encoding."""
    headers = [("content-type", CONTENT_TYPES[encoding])]
    if refusal.status in (429, 503):
        headers.append(("retry-after", RETRY_AFTER_SECONDS))
    elif refusal.status == 405:
        headers.append(("allow", "POST"))
    elif refusal.status == 401:
        headers.append(("www-authenticate", "Bearer"))
    return Answer(refusal.status, headers, otlp.failure(encoding, _CODES[refusal.status], refusal.message))
