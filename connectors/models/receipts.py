"""Receipts of revocations: the proof that nothing was taken after a moment."""

from django.db import models

from connectors.models.tokens import Token


class RevocationReceipt(models.Model):
    """Made when a token is revoked, completed once no older transaction is under way any more."""

    token = models.OneToOneField(Token, models.PROTECT, db_constraint=False, related_name="receipt")
    revoked_at = models.DateTimeField(help_text="The database's clock, in the transaction that revoked.")
    committed_at = models.DateTimeField(
        null=True,
        help_text="Read after the revocation was committed: whatever began before then may not know of it.",
    )
    settled_at = models.DateTimeField(
        null=True, help_text="From then on no transaction that began before can still store anything."
    )
    last_accepted_at = models.DateTimeField(null=True)
    last_accepted_address = models.TextField(blank=True)
    first_refused_at = models.DateTimeField(null=True)
    first_refused_address = models.TextField(blank=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"receipt of token {self.token_id}"
