"""Pages of the privacy officer: legal holds, erasures, retention."""

from audit.admin.privacy import erasures, holds, retention

__all__ = ["erasures", "holds", "retention"]
