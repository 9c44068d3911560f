"""Seed the schedule that verifies the ledger, and the roles' rights to see what was verified and cosigned."""

from typing import Any

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from portal import roles

NEW = ("view_verification", "view_witness")


def seed_schedule(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects.using(using)
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(using)
    interval, _ = intervals.get_or_create(every=10, period="minutes")
    tasks.get_or_create(
        task="audit.tasks.verify_ledger", defaults={"name": "Verify the ledger when it is due", "interval": interval}
    )


def seed_rights(apps: Any, schema_editor: Any) -> None:
    """Those of what is new alone: what an administrator took away from a role since then stays away."""
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("audit"), verbosity=0, using=using)
    groups = apps.get_model("auth", "Group").objects.using(using)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    roles.seed(groups, permissions.filter(codename__in=NEW))


class Migration(migrations.Migration):
    dependencies = [("portal", "0003_packs")]

    operations = [
        migrations.RunPython(seed_schedule, migrations.RunPython.noop),
        migrations.RunPython(seed_rights, migrations.RunPython.noop),
    ]
