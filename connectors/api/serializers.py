"""Ingestion tokens as JSON. The secret is never part of a token; it is added once, to the answer that made it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from connectors import addresses, scopes, tokens
from connectors.models import NAME_LENGTH, IngestToken, RevocationReceipt
from connectors.tokens import receipts

USUAL_SCOPES = ["logs", "metrics"]


class Strict(serializers.Serializer):
    """Refuses fields it does not know: a mistyped `expires_at` must not make a token that never expires."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return super().to_internal_value(data)


def _checked(check: Callable[[], Any]) -> None:
    try:
        check()
    except (tokens.TokenError, addresses.NotANetwork) as error:
        raise serializers.ValidationError(str(error)) from error


class NewTokenSerializer(Strict):
    """What an ingestion token is issued with."""

    name = serializers.CharField(help_text=f"Also the name of its source. At most {NAME_LENGTH} characters.")
    scopes = serializers.ListField(
        child=serializers.CharField(),
        default=USUAL_SCOPES,
        help_text=f"Of {', '.join(scopes.INGEST_SCOPES)}. Without it: {' and '.join(USUAL_SCOPES)}.",
    )
    networks = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="CIDR. Without it: from anywhere."
    )
    expires_at = serializers.DateTimeField(
        default=None, allow_null=True, help_text="RFC 3339. Without it: it does not expire."
    )
    records_per_minute = serializers.IntegerField(
        default=None, allow_null=True, min_value=1, max_value=2**31 - 1, help_text="Without it: as many as there are."
    )

    def validate_name(self, name: str) -> str:
        _checked(lambda: tokens.check_name(name))
        return name

    def validate_scopes(self, wanted: list[str]) -> list[str]:
        _checked(lambda: tokens.check_scopes(scopes.INGEST, wanted))
        return wanted

    def validate_networks(self, networks: list[str]) -> list[str]:
        _checked(lambda: [addresses.network(each) for each in networks])
        return networks

    def validate_expires_at(self, expires_at: dt.datetime | None) -> dt.datetime | None:
        _checked(lambda: tokens.check_expiry(expires_at))
        return expires_at


class RotationSerializer(Strict):
    """How long the old token goes on."""

    overlap_seconds = serializers.IntegerField(
        default=int(tokens.USUAL_OVERLAP.total_seconds()),
        min_value=0,
        max_value=int(tokens.LONGEST_OVERLAP.total_seconds()),
        help_text="How long both tokens work; at most seven days. 0: the old one stops now.",
    )


class RevocationSerializer(Strict):
    """Why a token ends."""

    reason = serializers.CharField(help_text="Kept with the token.")


class SourceSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()


class ReceiptSerializer(serializers.ModelSerializer):
    """The proof that nothing was taken after a moment. Times are the database's."""

    settled_at = serializers.DateTimeField(
        help_text="Nothing sent with the token can be stored since; null while a transaction from before is under way."
    )
    last_accepted_at = serializers.DateTimeField(help_text="Null: it was never used, or that is not settled yet.")
    first_refused_at = serializers.DateTimeField(help_text="Null: nobody has tried it since.")
    refused = serializers.SerializerMethodField(help_text="Requests that were refused since.")

    class Meta:
        model = RevocationReceipt
        fields = [
            "revoked_at",
            "settled_at",
            "last_accepted_at",
            "last_accepted_address",
            "first_refused_at",
            "first_refused_address",
            "refused",
        ]

    def get_refused(self, receipt: RevocationReceipt) -> int:
        return receipts.refused(receipt)


class IngestTokenSerializer(serializers.ModelSerializer):
    """A token as it is kept: to recognise it by, and what became of it."""

    id = serializers.CharField()
    source = SourceSerializer()  # type: ignore[assignment] # a field of ours happens to share the base's name
    state = serializers.CharField(
        help_text="waiting (for its first event), active, expiring, rotating, expired, replaced or revoked"
    )
    rotated_from = serializers.CharField(source="rotated_from_id", allow_null=True)
    replaced_by = serializers.CharField(source="replaced_by.id", default=None, allow_null=True)
    receipt = ReceiptSerializer(default=None, allow_null=True, help_text="Of a token that was revoked.")

    class Meta:
        model = IngestToken
        fields = [
            "id",
            "name",
            "source",
            "prefix",
            "last_four",
            "state",
            "scopes",
            "networks",
            "records_per_minute",
            "created_at",
            "created_by",
            "expires_at",
            "valid_until",
            "rotated_from",
            "replaced_by",
            "revoked_at",
            "revoked_by",
            "revoke_reason",
            "first_event_at",
            "last_used_at",
            "last_used_address",
            "last_refused_at",
            "last_refused_address",
            "refusals",
            "receipt",
        ]


class IssuedTokenSerializer(IngestTokenSerializer):
    """A token just made, with the secret: this answer is the only place where it is ever shown."""

    token = serializers.SerializerMethodField()

    class Meta(IngestTokenSerializer.Meta):
        fields = ["token", *IngestTokenSerializer.Meta.fields]

    def get_token(self, token: IngestToken) -> str:
        return str(self.context["secret"])
