"""The layout of docs/ledger.md, recomputed from the page itself with nothing but the standard library."""

import hashlib
import json
import re
import struct
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from audit import leaf
from audit.drafts import EventDraft
from audit.ledger import header_bytes
from tests.factories import receipt

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"^\| (subject|origin|facts|content) \| `(\[\[.*\]\])` \|", PAGE, re.M))
COMMITMENTS = dict(re.findall(r"^\| (subject|origin|facts|content) \|.*`([0-9a-f]{64})` \|$", PAGE, re.M))
HEADER = re.search(r"^Header: `(.*)`$", PAGE, re.M)[1]
LEAF_HASH = re.search(r"^Leaf hash: `(.*)`$", PAGE, re.M)[1]
SALTS = {name: bytes([number]) * 16 for number, name in enumerate(leaf.PARTS, 1)}


def by_hand(name: str, salt: bytes, data: bytes) -> bytes:
    return hashlib.sha256(b"agp/part/v1\n" + bytes([len(name)]) + name.encode() + salt + data).digest()


def test_the_page_can_be_recomputed_without_our_code():
    commitments = [by_hand(name, SALTS[name], PARTS[name].encode()) for name in leaf.PARTS]
    assert [commitment.hex() for commitment in commitments] == [COMMITMENTS[name] for name in leaf.PARTS]
    data = b"agp/leaf/v1\n" + struct.pack(">I", len(HEADER)) + HEADER.encode() + b"".join(commitments)
    assert hashlib.sha256(b"\x00" + data).hexdigest() == LEAF_HASH


def test_our_code_agrees_with_the_page():
    commitments = [leaf.commitment(name, SALTS[name], PARTS[name].encode()) for name in leaf.PARTS]
    assert leaf.leaf_hash(HEADER.encode(), *commitments).hex() == LEAF_HASH


def test_parts_are_encoded_as_the_page_shows():
    for text in PARTS.values():
        attributes = [tuple(each) for each in json.loads(text)]
        assert leaf.encode_part(attributes) == text.encode()


def test_the_header_is_written_as_the_page_shows():
    fields = json.loads(HEADER)
    draft = EventDraft(agent=fields[7], kind="prompt", event_name="user_prompt")
    handed_in = receipt(
        received_at_us=fields[2], source_id=fields[3], source_name=fields[4], token_id=fields[5], address=fields[6]
    )
    assert header_bytes(fields[1], handed_in, draft) == HEADER.encode()


@given(st.lists(st.binary(max_size=40), min_size=5, max_size=5), st.integers(0, 4), st.binary(min_size=1, max_size=8))
def test_a_byte_that_moves_to_its_neighbour_changes_the_leaf(parts, at, more):
    """No two different (header, parts) have the same leaf data: every border is fixed by a length or a hash."""

    def hashed(header, *rest):
        commitments = [leaf.commitment(name, bytes(16), data) for name, data in zip(leaf.PARTS, rest, strict=True)]
        return leaf.leaf_hash(header, *commitments)

    changed = list(parts)
    changed[at] += more
    moved = list(parts)
    if at < 4:
        moved[at], moved[at + 1] = moved[at] + more, moved[at + 1]
    assert hashed(*changed) != hashed(*parts)
    if moved != parts:
        assert hashed(*moved) != hashed(*parts)


def test_a_part_cannot_pass_for_another():
    assert len({leaf.commitment(name, bytes(16), b"[]") for name in leaf.PARTS}) == 4
