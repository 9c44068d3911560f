import datetime as dt
import itertools

import pytest
from django.db import connection
from django_celery_beat.models import PeriodicTask

from audit import duplicates, identifiers, partitions, tasks
from audit.models import Event
from tests.factories import draft, raw, record


@pytest.mark.django_db(databases=["default", "owner"])
def test_partitions_are_made_ahead_and_only_once():
    far = dt.datetime(2031, 12, 20, tzinfo=dt.UTC)
    made = partitions.ensure(far)
    assert {name[-7:] for name in made} == {"2031_11", "2031_12", "2032_01", "2032_02", "2032_03"}
    assert partitions.ensure(far) == []


def test_months_follow_one_another_without_a_hole():
    months = list(partitions.months(dt.date(2026, 11, 30), 4))
    assert [start.month for start, _ in months] == [11, 12, 1, 2]
    assert all(end == following for (_, end), (following, _) in itertools.pairwise(months))


@pytest.mark.django_db
def test_an_event_of_a_month_without_partition_is_refused():
    with pytest.raises(Exception, match="no partition"):
        record(
            draft(),
            received_at_us=identifiers.received_at_us(identifiers.lower_bound(dt.datetime(2050, 1, 1, tzinfo=dt.UTC))),
        )


@pytest.mark.django_db
def test_the_same_again_is_set_aside_after_29_days_and_kept_after_31():
    same = draft()
    record(same)
    today = dt.datetime.now(dt.UTC).date()
    assert duplicates.forget_old(today + dt.timedelta(days=29)) == 0
    record(same)
    assert Event.objects.count() == 1
    assert duplicates.forget_old(today + dt.timedelta(days=31)) == 1
    record(same)
    assert Event.objects.count() == 2


@pytest.mark.django_db
def test_every_schedule_names_a_task_that_exists():
    names = set(PeriodicTask.objects.exclude(task__startswith="celery.").values_list("task", flat=True))
    assert {tasks.keep_partitions.name, tasks.forget_duplicates.name, tasks.verify_ledger.name} <= names
    from portal.celery import app

    app.loader.import_default_modules()
    assert names <= set(app.tasks)


@pytest.mark.django_db
def test_the_application_cannot_make_or_drop_partitions():
    raw()
    with pytest.raises(Exception, match="must be owner"), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DETACH PARTITION audit_event_2026_11")
