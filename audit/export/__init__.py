"""Evidence on its way out: one event as a line, and the feed of all of them in order (DESIGN §5.3)."""
