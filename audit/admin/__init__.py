"""Evidence in the admin: lists and pages, read-only."""

from audit.admin.connections import McpConnectionAdmin
from audit.admin.decisions import DecisionAdmin
from audit.admin.events import EventAdmin
from audit.admin.mode_changes import ModeChangeAdmin
from audit.admin.packs import EvidencePackAdmin
from audit.admin.privacy import erasures, holds, retention
from audit.admin.servers import McpServerAdmin
from audit.admin.sessions import SessionAdmin
from audit.admin.verifications import VerificationAdmin

__all__ = [
    "DecisionAdmin",
    "EventAdmin",
    "EvidencePackAdmin",
    "McpConnectionAdmin",
    "McpServerAdmin",
    "ModeChangeAdmin",
    "SessionAdmin",
    "VerificationAdmin",
    "erasures",
    "holds",
    "retention",
]
