from django.apps import AppConfig

from audit.signals import person_erased, person_exported


class ConnectorsConfig(AppConfig):
    name = "connectors"
    verbose_name = "Connectors"

    def ready(self) -> None:
        from connectors import checks  # noqa: F401 - registers the system checks
        from connectors.people import forgetting

        person_erased.connect(forgetting.forget_person, dispatch_uid="connectors.forget_person")
        person_exported.connect(forgetting.told_of, dispatch_uid="connectors.told_of")
