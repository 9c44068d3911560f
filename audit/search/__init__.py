"""What evidence is searched by: the same for the REST lists and for the admin.

`events`, `sessions`, `tool_uses`, `decisions` and `mcp_servers` narrow a list; each argument that is given narrows it
further. `saying` finds a text in the narrowed list, `Sought` one text in several. Both give alternatives, one for each
place where the text may stand: a page over each of them (`audit.listing.keyset.Keyset.page` takes several) uses indexes
where one query could not.
"""

from audit.search.lists import decisions, events, mcp_servers, sessions, tool_uses
from audit.search.lookups import is_pseudonym
from audit.search.pieces import Piece
from audit.search.text import Sought, saying

__all__ = ["Piece", "Sought", "decisions", "events", "is_pseudonym", "mcp_servers", "saying", "sessions", "tool_uses"]
