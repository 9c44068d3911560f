"""Seed what the roles may see and do of connections, usage, people and coverage."""

from typing import Any

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from portal import roles

MODELS = (
    "backfill", "canaryrun", "connection", "device", "identity", "installation", "keyrotation", "person", "personchange", "price",
    "pull", "reported", "revocationreceipt", "seat", "team", "usageday",
)  # fmt: skip


def seed(apps: Any, schema_editor: Any) -> None:
    """New permissions only: a role keeps what an administrator gave it and goes without what was taken away."""
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("connectors"), verbosity=0, using=using)
    groups = apps.get_model("auth", "Group").objects.using(using)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    roles.seed(groups, permissions.filter(content_type__app_label="connectors", content_type__model__in=MODELS))


class Migration(migrations.Migration):
    dependencies = [("portal", "0005_privacy"), ("connectors", "0005_prices")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
