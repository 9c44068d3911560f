"""A session from its beginning to its end: tool uses, the other events, and what is missing."""

from audit.timeline.pages import LIMIT, Page, before, page, rows_of
from audit.timeline.rows import Row, Text
from audit.timeline.shows import SHOWS

__all__ = ["LIMIT", "SHOWS", "Page", "Row", "Text", "before", "page", "rows_of"]
