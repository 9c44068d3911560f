"""Seed the schedules of connectors."""

import importlib
from typing import Any

from django.db import migrations

SCHEDULES = (
    ("Plan what is pulled from vendors", "connectors.tasks.plan_pulls", 30, "minutes"),
    ("Pull what is due from vendors", "connectors.tasks.do_pulls", 1, "minutes"),
    ("Join names into people", "connectors.tasks.join_people", 5, "minutes"),
    ("Count telemetry into user-days", "connectors.tasks.roll_up_usage", 5, "minutes"),
    ("Look who reports", "connectors.tasks.look_at_coverage", 10, "minutes"),
    ("Fold events into the roster of installations", "connectors.tasks.fold_installations", 1, "minutes"),
    ("Complete the receipts of revocations", "connectors.tasks.settle_receipts", 1, "minutes"),
    ("Send the canary through the public endpoint", "connectors.tasks.send_canary", 5, "minutes"),
    ("Seal secrets with the newest key", "connectors.tasks.reseal_credentials", 10, "minutes"),
)


def schedule(apps: Any, schema_editor: Any) -> None:
    importlib.import_module("portal.migrations.0002_schedules").seed(apps, schema_editor, SCHEDULES)


class Migration(migrations.Migration):
    dependencies = [("portal", "0006_connectors")]

    operations = [migrations.RunPython(schedule, migrations.RunPython.noop)]
