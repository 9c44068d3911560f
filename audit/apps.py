from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Evidence"

    def ready(self) -> None:
        from audit import checks  # noqa: F401 - registers the system checks

        post_migrate.connect(prepare_database, dispatch_uid="audit.prepare_database")


def prepare_database(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """After migrate as the owner: partitions ahead, and the application's rights on every table there now is.

    The signal comes once for each app; after the last one every table is there.
    """
    from audit import grants, partitions

    senders = [app for app in apps.get_app_configs() if app.models_module]
    if using == "owner" and sender is senders[-1]:
        partitions.ensure()
        grants.apply()
