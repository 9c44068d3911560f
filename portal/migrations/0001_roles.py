"""Seed the roles of portal/roles.py as groups."""

from typing import Any

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from portal import roles


def seed(apps: Any, schema_editor: Any) -> None:
    """Permissions are otherwise made when all migrations are through, which is too late to give them to anyone.

    They need the models' classes, not their tables: so it does not matter which apps are migrated by now.
    """
    using = schema_editor.connection.alias
    for config in installed.get_app_configs():
        create_permissions(config, verbosity=0, using=using)
    groups = apps.get_model("auth", "Group").objects.using(using)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    roles.seed(groups, permissions)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
