"""Evidence in the admin: lists and pages, read-only."""

from audit.admin.connections import McpConnectionAdmin
from audit.admin.decisions import DecisionAdmin
from audit.admin.events import EventAdmin
from audit.admin.mode_changes import ModeChangeAdmin
from audit.admin.servers import McpServerAdmin
from audit.admin.sessions import SessionAdmin

__all__ = [
    "DecisionAdmin",
    "EventAdmin",
    "McpConnectionAdmin",
    "McpServerAdmin",
    "ModeChangeAdmin",
    "SessionAdmin",
]
