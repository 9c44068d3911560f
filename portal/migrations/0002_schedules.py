"""Seed the schedules. What an administrator changed about one stays as it is."""

from collections.abc import Iterable
from typing import Any

from django.db import migrations

SCHEDULES = (
    ("Make partitions ahead", "audit.tasks.keep_partitions", 6, "hours"),
    ("Forget old duplicates", "audit.tasks.forget_duplicates", 1, "days"),
)


def seed(apps: Any, schema_editor: Any, schedules: Iterable[tuple[str, str, int, str]] = SCHEDULES) -> None:
    using = schema_editor.connection.alias
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects.using(using)
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(using)
    for name, task, every, period in schedules:
        interval, _ = intervals.get_or_create(every=every, period=period)
        tasks.get_or_create(task=task, defaults={"name": name, "interval": interval})


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_roles"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
