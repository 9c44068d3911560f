"""DESIGN §5.4, row by row, against a real receiver."""

import datetime as dt
import gzip
import json
import socket

import pytest
from django.utils import timezone
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from audit.models import Event
from connectors import tokens
from connectors.models import Token
from ingest.models import Answered, Quarantined
from tests.ingest.receiving.bodies import export, logs, record
from tests.processes import until

JSON, PROTOBUF = "application/json", "application/x-protobuf"


def counted(outcome: str) -> int:
    return sum(Answered.objects.filter(outcome=outcome).values_list("requests", flat=True))


def nested(depth: int) -> dict:
    value: dict = {"stringValue": "x"}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    return value


def test_it_answers_an_empty_success(receiver, token):
    answer = receiver.post(logs(), token)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, JSON, b"{}")


def test_it_answers_in_the_encoding_of_the_request(receiver, token):
    answer = receiver.post(b"", token, content_type=PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (200, PROTOBUF)
    assert ExportLogsServiceResponse.FromString(answer.body) == ExportLogsServiceResponse()
    refused = receiver.post(b"\xff\xff", token, content_type=PROTOBUF)
    assert refused.status == 400
    assert Status.FromString(refused.body).message


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/profiles", "/v1/logs/x", "/admin/", "/v1/%6cogs/../x"])
def test_an_unknown_path_is_404(receiver, token, path):
    assert receiver.post(logs(), token, path=path).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_another_method_is_405(receiver, method):
    answer = receiver.request(method, "/v1/logs")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer x",
        "Basic YTpi",
        "Bearer agp_ing_" + "A" * 49,
        "Bearer agp_ing_" + "A" * 43 + "0Zadj0",
    ],
    ids=["none", "empty", "no secret", "malformed", "basic", "checksum", "unknown"],
)
def test_without_a_known_token_it_is_401(receiver, authorization):
    headers = {"Content-Type": JSON} | ({"Authorization": authorization} if authorization is not None else {})
    answer = receiver.request("POST", "/v1/logs", logs(), headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert json.loads(answer.body)["message"]


def test_an_expired_token_is_401(receiver, issue):
    secret = issue(expires_at=timezone.now() + dt.timedelta(seconds=0.3))
    until(lambda: receiver.post(logs(), secret).status == 401)


def test_a_revoked_token_is_refused_on_the_very_next_request(receiver, issue):
    secret = issue()
    assert receiver.post(logs(), secret).status == 200
    tokens.revoke(Token.objects.get(digest=tokens.digest(secret)), "laptop lost", by="test")
    assert receiver.post(logs(), secret).status == 401


def test_a_token_of_the_wrong_kind_is_403(receiver, issue):
    assert receiver.post(logs(), issue("api", scopes=("events:read",))).status == 403


def test_a_token_without_the_scope_is_403(receiver, issue):
    secret = issue(scopes=("metrics",))
    assert receiver.post(logs(), secret).status == 403
    assert receiver.post(b"{}", secret, path="/v1/metrics").status == 200


def test_a_token_from_another_network_is_403(receiver, issue):
    assert receiver.post(logs(), issue(networks=["192.0.2.0/24"])).status == 403


@pytest.mark.parametrize(
    ("content_type", "encoding"), [("text/plain", None), ("", None), (JSON, "br"), (JSON, "deflate")]
)
def test_another_type_or_encoding_is_415(receiver, token, content_type, encoding):
    headers = {"Content_Encoding": encoding} if encoding else {}
    assert receiver.post(logs(), token, content_type=content_type, **headers).status == 415


def test_the_token_is_checked_before_the_type(receiver):
    unknown = tokens.generate("ingest")
    assert receiver.post(logs(), unknown, content_type="text/plain").status == 401


@pytest.mark.parametrize("size", [(16 << 20) - 1, 16 << 20, (16 << 20) + 1])
def test_the_limit_on_the_wire_is_exact(receiver, token, size):
    body = b" " * (size - 2) + b"{}"
    assert receiver.post(body, token).status == (413 if size > 16 << 20 else 200)


@pytest.mark.parametrize("size", [(64 << 20) - 1, 64 << 20, (64 << 20) + 1])
def test_the_limit_after_decompression_is_exact(receiver, token, size):
    start = logs().removesuffix(b"}") + b',"x":"'
    body = start + ",".join(map(str, range(5_000_000))).encode().ljust(size - len(start) - 2) + b'"}'
    assert len(body) == size
    packed = gzip.compress(body, 1)
    assert len(packed) < 16 << 20
    answer = receiver.post(packed, token, Content_Encoding="gzip")
    assert answer.status == (413 if size > 64 << 20 else 200), answer.body


def test_a_bomb_is_413(receiver, token):
    assert receiver.post(gzip.compress(bytes(100 << 20)), token, Content_Encoding="gzip").status == 413


def test_more_records_than_allowed_are_413(receiver, token):
    body = json.dumps(export(*({"timeUnixNano": "1"} for _ in range(50_001)))).encode()
    assert receiver.post(body, token).status == 413


def test_what_cannot_be_decoded_is_400_and_quarantined(receiver, token):
    before = Quarantined.objects.count()
    answer = receiver.post(b'{"resourceLogs": [', token)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, 3)
    kept = Quarantined.objects.latest("id")
    assert Quarantined.objects.count() == before + 1
    assert (bytes(kept.request), kept.whole, kept.length) == (b'{"resourceLogs": [', True, 18)


def test_of_a_large_undecodable_body_the_first_64_kib_are_kept(receiver, token):
    receiver.post(b"{" * 100_000, token)
    kept = Quarantined.objects.latest("id")
    assert (len(kept.request), kept.length, kept.whole) == (65_536, 100_000, False)


def test_a_message_that_says_nothing_is_400(receiver, token):
    assert receiver.post(json.dumps(export({}, {})).encode(), token).status == 400


def test_spans_posted_as_logs_are_400(receiver, token):
    spans = ExportTraceServiceRequest()
    span = spans.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = bytes(16), bytes(8), "x"
    assert receiver.post(spans.SerializeToString(), token, content_type=PROTOBUF).status == 400


def test_spans_are_told_that_they_are_not_kept(receiver, token):
    spans = ExportTraceServiceRequest()
    spans.resource_spans.add().scope_spans.add().spans.add(name="x", trace_id=b"1" * 16)
    answer = receiver.post(spans.SerializeToString(), token, path="/v1/traces", content_type=PROTOBUF)
    assert (answer.status, b"not kept" in answer.body) == (200, True)


def test_a_record_that_is_nested_too_deep_is_quarantined_and_the_rest_stored(receiver, token):
    before, events = Quarantined.objects.count(), Event.objects.count()
    answer = receiver.post(logs(record(), record(deep=nested(40)), record()), token)
    assert answer.status == 200
    assert json.loads(answer.body)["partialSuccess"]["rejectedLogRecords"] == "1"
    assert (Quarantined.objects.count(), Event.objects.count()) == (before + 1, events + 2)


@pytest.mark.parametrize(
    "value",
    [
        {"stringValue": "a\x00b"},
        {"stringValue": "\ud800"},
        {"doubleValue": "NaN"},
        {"stringValue": "x" * 1_000_000},
        {"arrayValue": {"values": []}},
        {},
        nested(32),
    ],
    ids=["nul", "surrogate", "nan", "huge", "empty array", "null", "32 deep"],
)
def test_odd_values_are_stored(receiver, token, value):
    before = Event.objects.count()
    answer = receiver.post(logs(record(odd=value)), token)
    assert (answer.status, answer.body) == (200, b"{}")
    assert Event.objects.count() == before + 1


@pytest.mark.parametrize("time", ["0", "1", "9223372036854775808", "18446744073709551615", "-1"])
def test_absurd_times_are_stored(receiver, token, time):
    before = Event.objects.count()
    assert receiver.post(logs(record() | {"timeUnixNano": time}), token).body == b"{}"
    assert Event.objects.count() == before + 1


def test_invalid_utf8_in_one_record_costs_no_other(receiver, token):
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for text in ("one", "PLACE", "three"):
        scope.log_records.add(time_unix_nano=1).body.string_value = text
    body = request.SerializeToString().replace(b"PLACE", b"\xff\xfe\xfdCE")
    before = Event.objects.count()
    assert receiver.post(body, token, content_type=PROTOBUF).status == 200
    assert Event.objects.count() == before + 3
    assert Event.objects.filter(flags__contains=["invalid_utf8"]).exists()


def test_the_same_twice_is_stored_once(receiver, token):
    body = logs(record(), record())
    before = Event.objects.count()
    assert [receiver.post(body, token).status for _ in range(3)] == [200] * 3
    assert Event.objects.count() == before + 2


def test_a_chunked_body_is_read(receiver, token):
    body = logs()
    before = Event.objects.count()
    assert receiver.post(iter([body[:20], body[20:]]), token).status == 200
    assert Event.objects.count() == before + 1


def test_a_path_that_names_the_agent_is_served(receiver, token):
    assert receiver.post(logs(), token, path="/api/v1/otel/claude/logs").status == 200
    assert receiver.post(b"{}", token, path="/api/v1/otel/claude/metrics").status == 200


def test_a_token_over_its_budget_is_429(receiver, issue):
    secret = issue(records_per_minute=2)
    assert receiver.post(logs(record(), record(), record()), secret).status == 200
    answer = receiver.post(logs(), secret)
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")


def test_every_refusal_is_counted(receiver, token):
    before = counted("405 method")
    receiver.request("GET", "/v1/logs")
    until(lambda: counted("405 method") == before + 1)
    before = Answered.objects.filter(
        token_id=Token.objects.get(digest=tokens.digest(token)).pk, outcome="415 content_type"
    )
    total = sum(before.values_list("requests", flat=True))
    receiver.post(logs(), token, content_type="text/plain")
    until(lambda: sum(before.all().values_list("requests", flat=True)) == total + 1)


def test_request_smuggling_pairs_are_refused(receiver, token):
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=30) as connection:
        connection.sendall(
            f"POST /v1/logs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: {JSON}\r\n"
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
        first = connection.recv(65536)
    assert first.count(b"HTTP/1.1 ") <= 2
    assert receiver.is_up()


def test_a_huge_header_is_refused_and_the_worker_lives(receiver, token):
    for headers in ({"X-Big": "x" * (1 << 20)}, {f"X-{n}": "x" for n in range(10_000)}):
        try:
            status = receiver.request("POST", "/v1/logs", logs(), headers | {"Authorization": f"Bearer {token}"}).status
        except (OSError, ValueError):
            status = 400
        assert 400 <= status < 500
    assert receiver.is_up()
