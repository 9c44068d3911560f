"""A token as the receiver looks it up, for tests: replace what the test is about."""

from connectors import tokens

TOKEN = tokens.TokenRecord(
    id=7,
    kind="ingest",
    name="payments-laptops",
    source_id=3,
    source_name="payments-laptops",
    agent=None,
    signals="all",
    content="keep",
    source_records_per_minute=None,
    scopes=frozenset({"logs", "metrics"}),
    networks=(),
    records_per_minute=None,
    revoked_at=None,
    expires_at=None,
    valid_until=None,
    first_event_at=None,
    last_used_at=None,
)
