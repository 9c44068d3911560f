from django.apps import AppConfig
from django.conf import settings

from audit.signals import person_erased
from connectors import books
from ingest.agents.parts import place_in_origin
from ingest.forgetting import forget_person


class IngestConfig(AppConfig):
    name = "ingest"
    verbose_name = "Receiver"

    def ready(self) -> None:
        from ingest.books import ReceiverBooks  # its models are there only now

        books.register(ReceiverBooks())
        person_erased.connect(forget_person, dispatch_uid="ingest.forget_person")
        place_in_origin(settings.AUDIT_TEAM_ATTRIBUTES)
        place_in_origin(settings.AUDIT_COST_CENTER_ATTRIBUTES)
        place_in_origin(settings.AUDIT_REPOSITORY_ATTRIBUTES)
