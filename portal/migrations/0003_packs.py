"""Seed the schedule that looks after evidence packs. What an administrator changed about it stays as it is."""

from typing import Any

from django.db import migrations


def seed(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects.using(using)
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(using)
    interval, _ = intervals.get_or_create(every=1, period="minutes")
    defaults = {"name": "Look after evidence packs", "interval": interval}
    tasks.get_or_create(task="audit.tasks.look_after_packs", defaults=defaults)


class Migration(migrations.Migration):
    dependencies = [("portal", "0002_schedules")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
