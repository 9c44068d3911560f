"""The usage page, its files, and the list of user-days."""

import csv
import io
import json
import re
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from connectors.admin import usage_tiles
from connectors.models import Identity, Person, Team
from connectors.usage import groups, reading, store
from connectors.usage.believing import Question
from connectors.usage.reading import Sums
from connectors.vendors.shape import UsageRow
from tests.connectors.people import person
from tests.connectors.usage.telling import (
    MODEL,
    TODAY,
    connection,
    point,
    points,
    price,
    request,
    rolled_up,
    settled_pull,
)
from tests.factories import draft, record, seal

URL = "admin:connectors_usage"


@pytest.fixture
def reviewer(db):
    return person("Compliance reviewer")


def open_as(user, **query):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.get(reverse(URL), query)


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("\u202f", " ")


def from_vendor(endpoint="claude_code", email="dana@acme.example", settled=True, **said):
    usual = {"sessions": 2, "input_tokens": 500, "cost_reported": Decimal("0.5")} | said
    row = UsageRow(TODAY, Identity.Kind.EMAIL, email, "claude_code", **usual)
    held = settled_pull(endpoint, TODAY) if settled else connection(f"Claude {endpoint}")
    with transaction.atomic():
        store.replace(held, endpoint, TODAY, [row])
    return held


def from_telemetry():
    record(request(), draft("prompt"))
    seal()
    points(point("commit.count", 1))
    rolled_up()


@pytest.mark.django_db
class TestPage:
    def test_it_teaches_while_there_is_nothing(self, reviewer):
        assert "No usage yet" in text(open_as(reviewer))

    def test_days_up_to_today_are_offered_where_it_ends_before(self, reviewer):
        assert "up to today" not in text(open_as(reviewer))
        assert "up to today" in text(open_as(reviewer, first="2026-01-01", last="2026-01-31"))

    def test_a_difference_of_less_than_a_cent_is_none(self):
        sums = Sums({}, paired_reported=Decimal("0.500000"), paired_computed=Decimal("0.499999"))
        assert usage_tiles._difference(sums, "").value == "$0.00"

    def test_it_shows_one_total_and_what_two_feeds_both_say(self, reviewer):
        from_telemetry()
        from_vendor()
        shown = text(open_as(reviewer))
        assert "1 user-day of 1 person is told by more than one feed" in shown
        assert "Cost reported : As clients and vendors reckon it; the invoice is the provider&#x27;s $0.50" in shown
        assert re.search(r"Claude claude_code: claude_code 1 2 0 500 0 \$0.50 \$0", shown)
        assert re.search(r"Telemetry 1 1 1 1 110 1 110 \$0.01 \$0.01|Telemetry 1 1 1 1 110 1 110 \$0.02 \$0.02", shown)

    def test_names_are_for_those_who_may_see_people(self, reviewer, django_user_model):
        from_telemetry()
        assert "dana@acme.example" in text(open_as(reviewer))
        reviewer.groups.clear()
        from django.contrib.auth.models import Permission

        reviewer.user_permissions.add(Permission.objects.get(codename="view_usageday"))
        shown = text(open_as(django_user_model.objects.get(pk=reviewer.pk)))
        identity = Identity.objects.get(kind="email")
        assert "dana@acme.example" not in shown
        assert f"identity-{identity.pk}" in shown

    def test_it_is_closed_to_others(self, db):
        assert open_as(person("Privacy officer")).status_code == 403

    def test_it_narrows_by_team_person_model_and_feed(self, reviewer):
        from_telemetry()
        from_vendor()
        of_team = open_as(reviewer, team="payments")
        assert "payments" in text(of_team)
        links = {tile.url for tile in of_team.context["activity"]} - {""}
        assert links
        assert all("usage.csv?" in link and "team=payments" in link for link in links)
        assert "No usage in these days" in text(open_as(reviewer, person="person-999"))
        assert "Nobody of that name" in text(open_as(reviewer, person="nobody@acme.example"))
        assert "One feed alone" in text(open_as(reviewer, feed="telemetry"))
        assert "$0.01" in text(open_as(reviewer, feed="telemetry")) or "$0.02" in text(
            open_as(reviewer, feed="telemetry")
        )

    def test_a_person_is_the_sum_of_their_identities(self, reviewer):
        from_telemetry()
        from_vendor(email="dana.r@acme.example", settled=True)
        dana = Person.objects.create(name="Dana Reyes")
        Identity.objects.update(person=dana)
        dana.memberships.create(team=Team.objects.create(name="Platform"))
        shown = text(open_as(reviewer))
        assert "Dana Reyes" in shown
        assert "Platform" in shown
        assert "1 user-day of 1 person" in shown

    def test_an_api_key_is_nobody_and_what_only_telemetry_tells_is_not_zero(self, reviewer):
        from_vendor()
        row = UsageRow(TODAY, Identity.Kind.API_KEY, "ci-pipeline", "claude_code", sessions=9, cost_reported=Decimal(2))
        with transaction.atomic():
            store.replace(connection("Claude keys"), "claude_code", TODAY, [row])
        summary = reading.summary(Question(TODAY, TODAY))
        assert (summary.total.people, summary.by["day"][TODAY].people, summary.total.counts["sessions"]) == (1, 1, 11)
        assert [group.sums.people for group in groups.read(Question(TODAY, TODAY), ["day"], 10)] == [1]
        shown = text(open_as(reviewer))
        assert re.search(r"API key ci-pipeline 9 – 0 0 0 \$2.00 –", shown)

    def test_models_without_a_price_are_named(self, reviewer):
        price("claude-haiku-4-5")
        from_telemetry()
        assert re.search(rf"Without a price .* {MODEL} claude_code 1 110", text(open_as(reviewer)))

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ({"first": "2026-02-31"}, "Enter a valid date"),
            ({"first": "2026-02-02", "last": "2026-02-01"}, "That is before 2026-02-02"),
            ({"first": "2020-02-02", "last": "2026-02-01"}, "At most 366 days"),
            ({"agent": "<script>"}, "not one of the available choices"),
            ({"person": "a\x00b"}, "Null characters"),
            ({"first": "0001-01-01"}, "At most"),
            ({"last": "0001-01-01"}, "No usage"),
            ({"first": "9999-12-31"}, "No usage"),
        ],
        ids=str,
    )
    def test_what_it_cannot_be_asked_is_said(self, reviewer, query, told):
        response = open_as(reviewer, **query)
        assert response.status_code == 200
        assert told in text(response)

    def test_files_have_what_is_believed(self, reviewer):
        from_telemetry()
        from_vendor(cost_reported=None)
        client = Client()
        client.force_login(reviewer, backend="django.contrib.auth.backends.ModelBackend")
        body = b"".join(client.get(reverse("admin:connectors_usage_file", args=["csv"])).streaming_content).decode()
        rows = list(csv.DictReader(io.StringIO(body)))
        assert [(row["person"], row["model"], row["input_tokens"], row["cost_reported"]) for row in rows] == [
            ("dana@acme.example", "", "500", ""),
            ("dana@acme.example", MODEL, "0", "0.015000000"),
        ]
        body = b"".join(client.get(reverse("admin:connectors_usage_file", args=["ndjson"])).streaming_content)
        assert json.loads(body.splitlines()[1])["cost_reported"] == "0.015000000"

    def test_the_list_shows_each_feed_as_it_says_it(self, reviewer):
        from_telemetry()
        from_vendor()
        client = Client()
        client.force_login(reviewer, backend="django.contrib.auth.backends.ModelBackend")
        url = reverse("admin:connectors_usageday_changelist")
        shown = text(client.get(url))
        assert "Claude claude_code" in shown
        assert "telemetry" in shown
        found = client.get(url, {"feed": "telemetry", "day__gte": str(TODAY), "identity": Identity.objects.get().pk})
        assert found.status_code == 200
        assert "Claude claude_code 1" not in text(found)
