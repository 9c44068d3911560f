"""Events of one kind as lists of their own: with their own address, and a right of their own to see them."""

from typing import ClassVar

from django.db import models

from audit.models.evidence import Event
from audit.vocabulary import Kind


class KindManager(models.Manager):
    """Events of one kind only."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind = kind

    def get_queryset(self) -> models.QuerySet:
        return super().get_queryset().filter(kind=self.kind)


class ModeChange(Event):
    """That an agent's permission mode was changed, as the client reported it."""

    objects: ClassVar[models.Manager] = KindManager(Kind.MODE_CHANGE)

    class Meta:
        proxy = True
        verbose_name = "mode change"


class McpConnection(Event):
    """That an agent connected to an MCP server, failed to, or lost it."""

    objects: ClassVar[models.Manager] = KindManager(Kind.MCP_CONNECTION)

    class Meta:
        proxy = True
        verbose_name = "MCP connection"
