"""Seed the privacy officer, what other roles may see of holds, erasures and retention, and their schedules."""

import importlib
from typing import Any

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from portal import roles

MODELS = ("evidencepack", "hold", "erasure", "retentionrule", "retentionrun")
SCHEDULES = (
    ("Erase who asked for it", "audit.tasks.erase_waiting", 5, "minutes"),
    ("Ask the questions of legal holds again", "audit.tasks.refresh_holds", 1, "hours"),
    ("Apply the retention rules", "audit.tasks.apply_retention", 1, "days"),
)


def seed(apps: Any, schema_editor: Any) -> None:
    """New permissions only: a role keeps what an administrator gave it and goes without what was taken away."""
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("audit"), verbosity=0, using=using)
    groups = apps.get_model("auth", "Group").objects.using(using)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    officer = [role for role in roles.ROLES if role.name == "Privacy officer"]
    roles.seed(groups, permissions, officer)
    roles.seed(groups, permissions.filter(content_type__app_label="audit", content_type__model__in=MODELS))


def schedule(apps: Any, schema_editor: Any) -> None:
    importlib.import_module("portal.migrations.0002_schedules").seed(apps, schema_editor, SCHEDULES)


class Migration(migrations.Migration):
    dependencies = [("portal", "0004_verification"), ("audit", "0011_privacy")]

    operations = [
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
