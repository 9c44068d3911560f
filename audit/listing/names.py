"""What things are called. Names stand in lists, in the ledger and in what is downloaded, so no secret is one."""

from django.core.exceptions import ValidationError

from audit import pasted


def check(name: str) -> None:
    """Raises ValidationError."""
    if pasted.holds_secret(name):
        raise ValidationError(
            "A token or key stands in this. Leave it out: what is written here is kept, and shown to others."
        )
