"""Clients that send with a token, on the roster at once."""

from connectors.roster import folding
from tests.factories import draft, record, seal


def sent(token, host="dana-mbp", version="2.1.329", who="dana@acme.example", at=None, **more):
    """An event of a client, on the roster."""
    made = draft(
        "user_prompt",
        subject=[("@user.email", "string", who), ("resource@host.name", "string", host), ("@user.id", "string", host)],
        origin=[("resource@service.name", "string", "claude-code"), ("resource@service.version", "string", version)],
        content=[("@prompt", "string", "<REDACTED>")],
        **more,
    )
    told = {"token_id": token.pk, "source_id": token.source_id}
    if at is not None:
        told["received_at_us"] = int(at.timestamp() * 1_000_000)
    (event,) = record(made, **told)
    seal()
    while folding.fold():
        pass
    return event
