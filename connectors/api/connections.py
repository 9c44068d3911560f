"""`/api/v1/connectors/`: how vendor connections are (DESIGN §5.3). Read only, and never with anything of a key but
its kind, its fingerprint and its last four characters."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, viewsets

from connectors.connections import health
from connectors.connections.health import Health
from connectors.models import Capability, Connection, Pull
from connectors.vendors import registry

LAST_RUNS = 5


class OrganizationSerializer(serializers.Serializer):
    id = serializers.CharField(source="organization_id")
    name = serializers.CharField(source="organization_name")


class KeySerializer(serializers.Serializer):
    """What a person knows the key by."""

    kind = serializers.CharField(source="key_kind")
    fingerprint = serializers.CharField(help_text="Keyed: the same key has the same one on this portal only.")
    last_four = serializers.CharField()
    set_at = serializers.DateTimeField(source="key_set_at", allow_null=True)
    set_by = serializers.CharField(source="key_set_by")


class CapabilitySerializer(serializers.ModelSerializer):
    """What the key was last answered at one endpoint."""

    title = serializers.SerializerMethodField()

    class Meta:
        model = Capability
        fields = [
            "endpoint", "title", "allowed", "status", "told", "checked_at", "failing_since", "last_data_day",
            "last_pulled_day",
        ]  # fmt: skip

    def get_title(self, capability: Capability) -> str:
        return registry.endpoint_title(self.context["vendor"], capability.endpoint)


class RunSerializer(serializers.ModelSerializer):
    """One day, or list, of one endpoint."""

    id = serializers.CharField()
    pages = serializers.IntegerField(source="pages_taken")

    class Meta:
        model = Pull
        fields = [
            "id", "endpoint", "day", "cause", "state", "started_at", "finished_at", "rows", "restated", "pages",
            "attempts", "status", "error",
        ]  # fmt: skip


class ConnectionSerializer(serializers.ModelSerializer):
    id = serializers.CharField()
    organization = OrganizationSerializer(source="*")
    key = KeySerializer(source="*")
    state = serializers.SerializerMethodField()
    trouble = serializers.SerializerMethodField(help_text="What is wrong, in words, worst first.")
    lag_days = serializers.SerializerMethodField()
    next_run_at = serializers.SerializerMethodField()
    capabilities = serializers.SerializerMethodField()
    last_runs = serializers.SerializerMethodField()

    class Meta:
        model = Connection
        fields = [
            "id", "name", "vendor", "organization", "key", "state", "trouble", "lag_days", "last_read_at",
            "next_run_at", "paused_at", "created_at", "created_by", "capabilities", "last_runs",
        ]  # fmt: skip

    def _health(self, connection: Any) -> Health:
        if not hasattr(connection, "health"):
            connection.health = health.of(connection, timezone.now())
        return connection.health  # type: ignore[no-any-return]

    @extend_schema_field(serializers.ChoiceField(list(health.STATES)))
    def get_state(self, connection: Connection) -> str:
        return self._health(connection).state

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_trouble(self, connection: Connection) -> list[str]:
        return list(self._health(connection).told)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_lag_days(self, connection: Connection) -> int | None:
        return self._health(connection).lag_days

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_run_at(self, connection: Connection) -> dt.datetime | None:
        return self._health(connection).next_at

    @extend_schema_field(CapabilitySerializer(many=True))
    def get_capabilities(self, connection: Connection) -> Any:
        known = sorted(connection.capabilities.all(), key=lambda each: each.endpoint)
        return CapabilitySerializer(known, many=True, context={"vendor": connection.vendor}).data

    @extend_schema_field(RunSerializer(many=True))
    def get_last_runs(self, connection: Connection) -> Any:
        runs = connection.pulls.exclude(started_at=None).order_by("-started_at")[:LAST_RUNS]
        return RunSerializer(runs, many=True).data


class ConnectionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Connections to vendors: what their keys may read, how far behind they are, what their last runs did."""

    required_scopes = ("connectors:read",)
    required_scopes_to_write = ()
    serializer_class = ConnectionSerializer
    lookup_value_regex = "[0-9a-f-]{36}"
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Connection]:
        return Connection.objects.defer("secret").prefetch_related("capabilities")
