from django.apps import AppConfig
from django.conf import settings

from ingest.agents.parts import place_in_origin


class IngestConfig(AppConfig):
    name = "ingest"
    verbose_name = "Receiver"

    def ready(self) -> None:
        place_in_origin(settings.AUDIT_TEAM_ATTRIBUTES)
        place_in_origin(settings.AUDIT_COST_CENTER_ATTRIBUTES)
        place_in_origin(settings.AUDIT_REPOSITORY_ATTRIBUTES)
