"""The rows that hold sealed values."""

from collections.abc import Iterator

from django.apps import apps
from django.db import models

from connectors.credentials.field import SealedField


def sealed_fields() -> Iterator[tuple[type[models.Model], SealedField]]:
    """Every sealed field of every model."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, SealedField) and not model._meta.proxy:
                yield model, field
