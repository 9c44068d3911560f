"""Coverage as rows: seats, devices, people, senders and keys, from what is in the tables."""

import datetime as dt

import pytest
from django.utils import timezone

from audit import acts as portal_acts
from connectors import tasks
from connectors.coverage import looking
from connectors.models import Covered, Device, Identity, Installation, UsageDay
from connectors.people import changes, identities, join, seats
from connectors.roster import folding
from connectors.vendors.shape import SeatRow
from tests.connectors.people.known import installation, joined, noon, person, subject, vendor
from tests.factories import acts, draft, evidence, raw

pytestmark = pytest.mark.django_db

TODAY = timezone.now().astimezone(dt.UTC).date()
VERA, DANA, OMAR = "vera@acme.example", "dana@acme.example", "omar@acme.example"


def ago(days):
    return TODAY - dt.timedelta(days=days)


def sent(email="", install="", *, first=60, last=0, **more):
    return subject(email, install, first=ago(first), last=ago(last), **more)


def seat(*emails):
    connection = vendor()
    seats.replace(connection, [SeatRow(f"user_{email}", email) for email in emails])
    return connection


def use(connection, name, *days, kind="email", **more):
    for day in days:
        row = identities.resolve([(kind, name)], basis="vendor", day=ago(day))[(kind, name)]
        values = {"agent": "claude_code", "sessions": 1, "endpoint": "claude_code", **more}
        UsageDay.objects.create(day=ago(day), connection=connection, identity=row, **values)


def device(serial, host="", email=""):
    return Device.objects.create(serial=serial, host=host, email=email)


def looked() -> dict[tuple[str, str], str]:
    """State by kind and what it is about."""
    joined()
    looking.look()
    rows = Covered.objects.select_related("person", "seat__identity", "device", "identity")
    return {(row.kind, about(row)): row.state for row in rows}


def about(row):
    if row.seat:
        return row.seat.identity.value
    if row.device:
        return row.device.serial
    return row.person.email if row.person else row.identity.value if row.identity else row.key


def reason(kind):
    return Covered.objects.get(kind=kind).reason


def test_each_seat_has_a_state():
    connection = seat(VERA, DANA, OMAR, "new@acme.example", "cloud@acme.example")
    sent(VERA, "install-v", switches={"OTEL_LOG_TOOL_DETAILS": True, "OTEL_LOG_USER_PROMPTS": False})
    sent(DANA, "install-d", last=12)
    use(connection, OMAR, *range(1, 13))
    use(connection, "cloud@acme.example", 3, remote=True)
    assert looked() == {
        ("seat", VERA): "reporting",
        ("seat", DANA): "silent",
        ("seat", OMAR): "gap",
        ("seat", "new@acme.example"): "never_reported",
        ("seat", "cloud@acme.example"): "cannot_be_seen",
    }
    row = Covered.objects.get(state="gap")
    assert (row.usage_days, row.since) == (12, ago(12))


def test_the_schedule_joins_the_names_that_just_came_before_it_judges():
    use(seat(OMAR), OMAR, 1)
    tasks.look_at_coverage()
    assert Covered.objects.get().state == "gap"


def test_the_newest_switch_of_each_client_counts_and_one_that_is_off_makes_its_owner_partial():
    seat(VERA)
    key = sent(VERA, "install-v", last=3, switches={"OTEL_LOG_TOOL_DETAILS": False})
    installation(key, first=ago(1), token=2, switches={"OTEL_LOG_TOOL_DETAILS": True})
    assert looked() == {("seat", VERA): "reporting"}
    sent(VERA, "install-2", first=5, switches={"OTEL_METRICS_INCLUDE_VERSION": False})
    assert looked() == {("seat", VERA): "partial"}
    assert Covered.objects.get().switches_off == ["OTEL_METRICS_INCLUDE_VERSION"]
    sent(VERA, "old", first=50, last=20, switches={"OTEL_LOG_TOOL_DETAILS": False})  # silent by now
    looked()
    assert Covered.objects.get().switches_off == ["OTEL_METRICS_INCLUDE_VERSION"]


def test_metrics_alone_are_telemetry_too():
    seat(VERA)
    row = identities.resolve([("email", VERA)], basis="telemetry", day=TODAY)[("email", VERA)]
    UsageDay.objects.create(day=ago(1), identity=row, agent="claude_code")
    assert looked() == {("seat", VERA): "reporting"}


def test_a_seat_that_is_gone_is_not_expected():
    connection = seat(VERA, DANA)
    seats.replace(connection, [SeatRow(f"user_{VERA}", VERA)])
    assert looked() == {("seat", VERA): "never_reported"}


def test_devices_are_found_by_host_or_by_an_owner_with_one_device():
    sent(VERA, "install-v", host="MAC-1.corp.example")
    sent(DANA, "install-d")
    sent(OMAR, "install-o")
    device("D1", "mac-1", "somebody@acme.example")
    device("D2", "mac-2", DANA)
    device("D3", "mac-3", OMAR)
    device("D4", "mac-4", OMAR)
    device("D5", "mac-5", "new@acme.example")
    found = looked()
    assert {key[1]: state for key, state in found.items() if key[0] == "device"} == {
        "D1": "reporting",
        "D2": "reporting",
        "D3": "cannot_be_seen",
        "D4": "cannot_be_seen",
        "D5": "never_reported",
    }
    assert "By its owner" in Covered.objects.get(device__serial="D2").reason
    assert "one of 2 machines" in Covered.objects.get(device__serial="D3").reason


def test_senders_whom_nobody_knows_are_told_apart():
    sent("", "bedrock-1")
    sent(VERA, "kiosk")
    sent(DANA, "kiosk")
    sent("", "kiosk", host="h")
    sent("", "build-07", host="build-07.acme.example")
    Installation.objects.create(
        token_id=9, source_id=1, agent="codex", subject_id=None, first_at=noon(ago(3)), last_at=noon(ago(1))
    )
    device("B7", "build-07")
    found = looked()
    senders = {key[1]: state for key, state in found.items() if key[0] == "sender"}
    assert senders == {"bedrock-1": "unknown_sender", "kiosk": "unknown_sender", "token-9": "unknown_sender"}
    assert found[("device", "B7")] == "reporting"
    assert "Several people" in Covered.objects.get(identity__value="kiosk").reason
    changes.give([("install_id", "bedrock-1")], None, by="rosa", reason="a build server")
    assert ("sender", "bedrock-1") not in looked()


def test_from_sealed_events_to_a_state():
    seat(DANA)
    asked = draft("tool_decision", event_name="tool_decision", tool_name="Bash", tool_use_id="tu-1", decision="accept")
    evidence(asked)
    folding.fold()
    assert looked() == {("seat", DANA): "partial"}
    assert "OTEL_LOG_TOOL_DETAILS" in Covered.objects.get().switches_off
    assert person(DANA).identities.filter(kind="install_id").exists()


def test_people_without_a_seat_are_told_only_where_seats_are_known():
    sent(VERA, "install-v")
    sent(OMAR, "install-o", first=90, last=50)
    assert looked() == {("person", VERA): "reporting"}
    connection = seat(DANA)
    use(connection, "contractor@agency.example", 4)
    assert looked() == {
        ("seat", DANA): "never_reported",
        ("person", VERA): "no_seat",
        ("person", "contractor@agency.example"): "gap",
    }


def test_a_key_is_nobody_until_somebody_says_whose_it_is():
    connection = seat(VERA)
    use(connection, "ci-key", 3, 4, kind="api_key")
    assert looked() == {("seat", VERA): "never_reported", ("api_key", "ci-key"): "cannot_be_seen"}
    changes.give([("api_key", "ci-key")], person(VERA), by="rosa", reason="her key")
    assert looked() == {("seat", VERA): "gap"}


def test_rows_of_no_use_are_none():
    connection = seat(VERA)
    use(connection, VERA, 3, sessions=0)
    assert looked() == {("seat", VERA): "never_reported"}


def test_rows_keep_their_ids_and_go_with_what_they_are_about():
    connection = seat(VERA, DANA)
    looked()
    ids = {row.key: row.pk for row in Covered.objects.all()}
    sent(VERA, "install-v")
    looked()
    assert {row.key: row.pk for row in Covered.objects.all()} == ids
    seats.replace(connection, [SeatRow(f"user_{VERA}", VERA)])
    looked()
    assert Covered.objects.count() == 1


def test_another_rule_judges_otherwise_at_once_and_leaves_an_act():
    seat(DANA)
    sent(DANA, "install-d", last=12)
    assert looked() == {("seat", DANA): "silent"}
    looking.change_rule(14, 60, by=portal_acts.Person("rosa"))
    assert Covered.objects.get().state == "reporting"
    (act,) = acts("coverage.rule_changed")
    assert (act["coverage.silent_after_days"], act["coverage.window_days"]) == (14, 60)


@pytest.mark.slow
def test_five_thousand_seats_and_devices_are_looked_at():
    connection = vendor()
    seats.replace(connection, [SeatRow(f"user_{n}", f"p{n}@acme.example") for n in range(5000)])
    raw().execute(
        "INSERT INTO audit_subject (id, digest, bytes, commitment, email, install_id, host) SELECT gen_random_uuid(),"
        " n::text::bytea, '[]', '', 'p' || n || '@acme.example', 'install-' || n, 'mac-' || n"
        " FROM generate_series(1, 10000) AS n"
    )
    raw().execute(
        "INSERT INTO connectors_installation"
        " (id, token_id, source_id, agent, subject_id, first_at, last_at, events, missing, switches)"
        " SELECT gen_random_uuid(), 1, 1, 'claude_code', id, now() - interval '60 days', now(), 9, 0, '{}'"
        " FROM audit_subject"
    )
    join.all_due()
    Device.objects.bulk_create(Device(serial=f"C{n}", host=f"mac-{n}", email=f"p{n}@acme.example") for n in range(5000))
    rows = Identity.objects.filter(kind="email")[:5000]
    used = [
        UsageDay(day=ago(day), connection=connection, endpoint="x", identity=row, agent="claude_code", sessions=1)
        for row in rows
        for day in range(0, 28, 2)
    ]
    UsageDay.objects.bulk_create(used, 5000)
    looking.look()
    assert Covered.objects.filter(kind="seat", state="reporting").count() == 4999
    assert Covered.objects.filter(kind="device").count() == 5000
