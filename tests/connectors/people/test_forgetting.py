"""Whoever is erased is named nowhere in what connectors keep."""

import datetime as dt
import gzip
import hashlib
import json
import subprocess

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from audit.privacy import access, erasing, holds, people
from connectors.models import (
    Device,
    Identity,
    Membership,
    Page,
    Person,
    PersonChange,
    Pull,
    Reported,
    Seat,
    Team,
    UsageDay,
)
from connectors.people import changes, forgetting, identities, join, seats
from connectors.people import erasing as known_here
from connectors.people.changes import Refused
from connectors.people.forgetting import struck
from connectors.vendors.shape import SeatRow
from portal.embedded import binaries
from tests.connectors.people.known import DAY, of, person, vendor
from tests.factories import acts, draft, evidence

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL, ALIAS, GIT, NAME = (
    "vera.planted@acme.example",
    "v.alias@old.example",
    "vera planted <git-vera@x.example>",
    "Vera Planted",
)
ACCOUNT, INSTALL, DANA = "user_01planted", "installation-of-vera", "dana@acme.example"
PLANTED = (EMAIL, ALIAS, "git-vera", NAME.lower(), ACCOUNT.lower(), INSTALL, "veras-laptop")


def body(text: str) -> bytes:
    return gzip.compress(text.encode())


@pytest.fixture
def _planted():
    told = (("@user.email", "string", EMAIL), ("@user.id", "string", INSTALL), ("@user.account_id", "string", ACCOUNT))
    evidence(draft("prompt", subject=told, session_id="v-1"), draft("prompt", session_id="d-1"))
    organisation = vendor()
    seats.replace(organisation, [SeatRow(ACCOUNT, EMAIL, name=NAME), SeatRow("user_02", DANA, name="Dana Doe")])
    join.all_due()
    vera, dana = person(EMAIL), person(DANA)
    alias = Person.objects.create(email=ALIAS, name=NAME)
    Identity.objects.create(kind="email", value=ALIAS, person=alias, basis="imported")
    changes.merge(alias, vera, by="rosa", reason=f"{ALIAS} is Vera’s old address")
    changes.give([("git", GIT)], vera, by="rosa", reason="commits")
    changes.give([("api_key", "key-of-dana")], dana, by="rosa", reason=f"asked {NAME} about it")
    Membership.objects.create(person=vera, team=Team.objects.create(name="payments"))
    for serial, email in (("C02V", EMAIL), ("C02D", DANA)):
        Device.objects.create(serial=serial, host="veras-laptop" if serial == "C02V" else "danas", email=email)
    for value in (EMAIL, ALIAS, DANA):
        UsageDay.objects.create(day=DAY, identity=Identity.objects.get(value=value), agent="claude_code", commits=3)
    pull = Pull.objects.create(connection=organisation, endpoint="users", cause="schedule")
    spelled = EMAIL.replace("@", "\\u0040")
    texts = (f'{{"email": "{EMAIL.upper()}"}}', f'{{"email": "{spelled}"}}', f'{{"email": "{DANA}"}}')
    for number, text in enumerate(texts):
        Page.objects.create(
            pull=pull, number=number, cursor=f"after-{EMAIL}" if number == 0 else "",
            fetched_at=dt.datetime.now(dt.UTC),
            sha256=hashlib.sha256(text.encode()).digest(), body=body(text),
        )  # fmt: skip
    Reported.objects.create(
        connection=organisation, endpoint="projects", key=f"project-by-{EMAIL}",
        data={"created_by": {"email": EMAIL}, "messages": 7, "by": {EMAIL: 1}},
    )  # fmt: skip


def dumped(superuser_url: str) -> bytes:
    """All tables of the connectors, as text with bytes in hexadecimal."""
    url = make_conninfo(superuser_url, dbname=connection.settings_dict["NAME"])
    program = binaries.postgres() / "pg_dump"
    command = [program, "--data-only", "--table", "connectors_*", "--dbname", url]
    return subprocess.run(command, capture_output=True, check=True).stdout.lower()


def traces(dump: bytes) -> list[str]:
    bodies = b"".join(gzip.decompress(bytes(each)) for each in Page.objects.values_list("body", flat=True) if each)
    everything = dump + json.dumps(bodies.decode().replace("\\u0040", "@")).lower().encode()
    return [text for text in PLANTED if text.encode() in everything]


@pytest.mark.usefixtures("_planted")
def test_no_table_keeps_a_trace_and_figures_and_others_stay(superuser_url):
    assert set(traces(dumped(superuser_url))) == set(PLANTED)
    erasing.run(erasing.ask(people.find(EMAIL), reason="Request 17 under Article 17", by="officer"))
    assert traces(dumped(superuser_url)) == []

    assert [each.commits for each in UsageDay.objects.all()] == [3, 3, 3]
    assert UsageDay.objects.filter(identity__basis="erased", identity__person=None).count() == 2
    assert [bool(page.body) for page in Page.objects.order_by("number")] == [False, False, True]
    assert all(bytes(page.sha256) for page in Page.objects.all())
    row = Reported.objects.get()
    assert row.data == {"created_by": {"email": "erased"}, "messages": 7, "by": {"erased": 1}}
    assert Seat.objects.get().name == "Dana Doe"
    assert Device.objects.get().email == DANA
    assert of(DANA).email == DANA
    assert PersonChange.objects.get().detail == {"erased": True}
    assert Person.objects.count() == 1

    join.all_due()
    assert Person.objects.count() == 1
    assert traces(dumped(superuser_url)) == []


@pytest.mark.usefixtures("_planted")
def test_an_act_that_names_them_loses_its_content():
    erasing.run(erasing.ask(people.find(EMAIL), reason="Request 17 under Article 17", by="officer"))
    from audit.models import Content

    kept = b" ".join(bytes(each.bytes) for each in Content.objects.all()).lower()
    assert EMAIL.encode() not in kept
    assert INSTALL.encode() not in kept


@pytest.mark.usefixtures("_planted")
def test_a_person_gets_what_is_kept_of_them_and_nothing_of_others():
    told = [json.loads(line) for line in access.lines(people.find(EMAIL))]
    kinds = {kind for line in told for kind in line}
    assert {"person", "person_identity", "team_membership", "person_change", "seat", "device", "usage_day"} <= kinds
    assert {each["person_identity"]["value"] for each in told if "person_identity" in each} >= {EMAIL, ALIAS, GIT}
    assert [each["team_membership"]["team_name"] for each in told if "team_membership" in each] == ["payments"]
    assert DANA not in json.dumps(told)


def test_whom_only_connectors_know_is_erased_here_and_nowhere_named(superuser_url):
    seats.replace(vendor(), [SeatRow("user_01planted", EMAIL, name=NAME)])
    join.all_due()
    changes.give([("email", ALIAS)], person(EMAIL), by="rosa", reason=f"{ALIAS} is hers, too")
    changes.rename(person(EMAIL), name=NAME, email=EMAIL, by="rosa")
    assert {EMAIL, ALIAS, NAME.lower()} <= set(in_every_table(superuser_url))
    known_here.erase(person(EMAIL), by="officer", reason="Request 17 under Article 17")
    assert in_every_table(superuser_url) == []
    assert [act["person.id"] for act in acts("person.erased")]


def in_every_table(superuser_url: str) -> list[str]:
    url = make_conninfo(superuser_url, dbname=connection.settings_dict["NAME"])
    program = binaries.postgres() / "pg_dump"
    dump = subprocess.run([program, "--data-only", "--dbname", url], capture_output=True, check=True).stdout.lower()
    return [text for text in PLANTED if text.encode() in dump or text.encode().hex().encode() in dump]


@pytest.mark.usefixtures("_planted")
def test_of_whom_there_is_evidence_is_erased_there():
    with pytest.raises(Refused, match="evidence of them"):
        known_here.erase(person(EMAIL), by="officer", reason="Request 17 under Article 17")
    assert person(EMAIL)


def test_whom_a_hold_covers_is_not_erased():
    identities.resolve([("email", EMAIL)], basis="vendor", day=DAY)
    join.all_due()
    holds.place("person", EMAIL.title(), reason="Case 4711 against us", by="officer")
    with pytest.raises(Refused, match="hold"):
        known_here.erase(person(EMAIL), by="officer", reason="Request 17 under Article 17")
    assert person(EMAIL)


def test_whoever_has_the_laptop_now_keeps_it():
    laptop = ("@user.id", "string", INSTALL)
    now = dt.datetime.now(dt.UTC)
    evidence(draft("prompt", subject=(("@user.email", "string", EMAIL), laptop), session_id="v-1",
                   occurred_at=now - dt.timedelta(days=3)))  # fmt: skip
    evidence(draft("prompt", subject=(("@user.email", "string", DANA), laptop), session_id="d-1", occurred_at=now))
    join.all_due()
    assert Identity.objects.filter(value=INSTALL).count() == 2
    erasing.run(erasing.ask(people.find(EMAIL), reason="Request 17 under Article 17", by="officer"))
    assert of(DANA).email == DANA
    assert Identity.objects.get(value=INSTALL).person.email == DANA
    assert Person.objects.count() == 1


def test_a_shared_machine_names_nobody_else():
    identities.resolve([("email", EMAIL), ("email", DANA)], basis="vendor", day=DAY)
    join.all_due()
    Identity.objects.create(kind="install_id", value=INSTALL, basis="shared")
    forgetting.forget_person(None, [INSTALL])
    assert not Identity.objects.filter(value=INSTALL).exists()
    assert Person.objects.count() == 2


def test_names_are_struck_out_of_json_wherever_they_stand():
    assert struck([{"A@x.example": ["a@X.example", 3]}, "b"], ["a@x.example"]) == [{"erased": ["erased", 3]}, "b"]
