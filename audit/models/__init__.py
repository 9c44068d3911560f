"""Evidence (written once, SQL-made tables) and what is folded from it (projections, rebuildable)."""

from audit.models.evidence import Content, Event, MetricPoint, Origin, Seal, Subject
from audit.models.kinds import McpConnection, ModeChange
from audit.models.projections import DueChain, Gap, McpServer, McpUse, SearchText, Session, ToolUse
from audit.models.work import Heartbeat

__all__ = [
    "Content",
    "DueChain",
    "Event",
    "Gap",
    "Heartbeat",
    "McpConnection",
    "McpServer",
    "McpUse",
    "MetricPoint",
    "ModeChange",
    "Origin",
    "Seal",
    "SearchText",
    "Session",
    "Subject",
    "ToolUse",
]
