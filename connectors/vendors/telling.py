"""What a vendor said, made fit to be kept and shown: bounded, storable, and without the key it may have echoed."""

LONGEST = 1000


def without_key(told: str, key: str) -> str:
    """Vendors and libraries repeat what they were sent; whatever is stored or logged goes through here first."""
    text = told.replace(key, "[key]") if key else told
    storable = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return storable if len(storable) <= LONGEST else f"{storable[:LONGEST]}…"
