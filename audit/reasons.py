"""Why something is done that discloses or cannot be undone: in words that somebody understands later."""

SHORTEST = 10
"""Characters. Less is a shrug."""
