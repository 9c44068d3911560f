"""Evidence in the admin: lists and pages, read-only."""

from audit.admin.events import EventAdmin
from audit.admin.sessions import SessionAdmin

__all__ = ["EventAdmin", "SessionAdmin"]
