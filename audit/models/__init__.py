"""Evidence (written once, SQL-made tables) and what is folded from it (projections, rebuildable)."""

from audit.models.evidence import Content, Event, MetricPoint, Origin, Seal, Subject
from audit.models.kinds import McpConnection, ModeChange
from audit.models.packs import EvidencePack
from audit.models.privacy import Erased, Erasure, Hold, RetentionRule, RetentionRun
from audit.models.projections import DueChain, Gap, McpServer, McpUse, SearchText, Session, ToolUse
from audit.models.work import Heartbeat, Verification, Witness

__all__ = [
    "Content",
    "DueChain",
    "Erased",
    "Erasure",
    "Event",
    "EvidencePack",
    "Gap",
    "Heartbeat",
    "Hold",
    "McpConnection",
    "McpServer",
    "McpUse",
    "MetricPoint",
    "ModeChange",
    "Origin",
    "RetentionRule",
    "RetentionRun",
    "Seal",
    "SearchText",
    "Session",
    "Subject",
    "ToolUse",
    "Verification",
    "Witness",
]
