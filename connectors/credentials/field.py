"""The field of a sealed secret."""

from typing import Any

from django.db import models


class SealedField(models.BinaryField):
    """Sealed bytes; written and read with `connectors.credentials.seal` and `unseal`, and never shown in a form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "null": True, "editable": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for each in ("null", "editable"):
            kwargs.pop(each, None)
        return name, path, args, kwargs
