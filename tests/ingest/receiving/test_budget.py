import datetime as dt
from dataclasses import replace

import pytest
from django.utils import timezone

from ingest.models import Budget, SourceBudget
from ingest.receiving import budget
from ingest.receiving.answers import OVER_BUDGET, SOURCE_OVER_BUDGET
from tests.connectors.records import TOKEN
from tests.factories import raw

pytestmark = pytest.mark.django_db

LIMITED = replace(TOKEN, id=7, source_id=3, records_per_minute=60)
OF_SOURCE = replace(TOKEN, id=7, source_id=3, source_records_per_minute=60)


def spend(records, token=LIMITED):
    return budget.spend(raw(), token, records)


def left():
    return Budget.objects.get(token_id=7).records_left


def test_a_request_larger_than_what_is_left_passes_once():
    assert [spend(50), spend(50), spend(1)] == [None, None, OVER_BUDGET]


def test_what_is_refused_takes_nothing():
    spend(100)
    before = left()
    spend(5)
    assert left() == before


def test_it_fills_steadily_up_to_one_minutes_worth():
    spend(100)
    Budget.objects.update(at=timezone.now() - dt.timedelta(seconds=50))
    assert spend(1) is None
    assert left() == pytest.approx(9, abs=1)
    Budget.objects.update(at=timezone.now() - dt.timedelta(hours=1))
    assert spend(0) is None
    assert left() == 60


def test_a_token_without_a_limit_has_no_bucket():
    assert spend(10**9, TOKEN) is None
    assert not Budget.objects.exists()
    assert not SourceBudget.objects.exists()


def test_each_token_has_its_own():
    spend(100)
    assert spend(1, replace(LIMITED, id=8)) is None


def test_the_tokens_of_a_source_share_its_budget():
    assert spend(40, OF_SOURCE) is None
    assert spend(40, replace(OF_SOURCE, id=8)) is None
    assert spend(1, replace(OF_SOURCE, id=9)) is SOURCE_OVER_BUDGET
    assert spend(1, replace(OF_SOURCE, source_id=4)) is None


def test_a_budget_that_is_used_up_takes_nothing_from_the_other():
    both = replace(OF_SOURCE, records_per_minute=1000)
    spend(100, OF_SOURCE)
    assert spend(1, both) is SOURCE_OVER_BUDGET
    assert not Budget.objects.exists()
    narrow = replace(both, source_id=5, records_per_minute=10)
    spend(20, narrow)
    before = SourceBudget.objects.get(source_id=5).records_left
    assert spend(1, narrow) is OVER_BUDGET
    assert SourceBudget.objects.get(source_id=5).records_left == before
