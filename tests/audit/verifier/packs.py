"""Makes packs and dumps from the formats alone: trees as RFC 6962 §2.1 defines them, signatures by `cryptography`."""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import leaf

ORIGIN = "portal.acme.example/evidence/4c6f1a52-0d5e-4b5a-9d6f-6f2b8f7f6a10"
EPOCH_ORIGIN = f"{ORIGIN}/0"
BEGAN_US = 1_795_241_259_300_123
CHECKPOINT_TIME = 1_795_250_000
NOW = CHECKPOINT_TIME + 60


def key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


LOG_KEY, WITNESSES = key(1), {"witness.example/w1": key(2), "witness.example/w2": key(3)}


def digest(*pieces: bytes) -> bytes:
    return hashlib.sha256(b"".join(pieces)).digest()


def split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else digest()
    k = split(len(leaves))
    return digest(b"\x01", root(leaves[:k]), root(leaves[k:]))


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) <= 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), root(leaves[k:])]
    return [*path(index - k, leaves[k:]), root(leaves[:k])]


def consistency(old: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*consistency(old, leaves[:k], whole), root(leaves[k:])]
    return [*consistency(old - k, leaves[k:], False), root(leaves[:k])]


def compact(first: int, end: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The roots of the largest full subtrees that cover [first, end), from left to right."""
    found = []
    while first < end:
        width = 1
        while first % (2 * width) == 0 and first + 2 * width <= end:
            width *= 2
        found.append(root(leaves[first : first + width]))
        first += width
    return found


def vkey(name: str, private: Ed25519PrivateKey, kind: int) -> str:
    data = bytes([kind]) + private.public_key().public_bytes_raw()
    return f"{name}+{key_id(name, data).hex()}+{base64.b64encode(data).decode()}"


def key_id(name: str, data: bytes) -> bytes:
    return digest(name.encode(), b"\n", data)[:4]


def signature_line(name: str, private: Ed25519PrivateKey, kind: int, blob: bytes) -> str:
    data = bytes([kind]) + private.public_key().public_bytes_raw()
    return f"— {name} {base64.b64encode(key_id(name, data) + blob).decode()}\n"


def policy(**changes: Any) -> dict[str, Any]:
    return {
        "format": "agp-policy/1",
        "origin": ORIGIN,
        "log_keys": [vkey(EPOCH_ORIGIN, LOG_KEY, 1)],
        "witness_keys": [vkey(name, private, 4) for name, private in WITNESSES.items()],
        "quorum": 0,
        "max_checkpoint_age_seconds": None,
        "max_heartbeat_gap_seconds": None,
    } | changes


def note(
    size: int,
    head: bytes,
    *,
    private: Ed25519PrivateKey = LOG_KEY,
    origin: str = EPOCH_ORIGIN,
    witnesses: Sequence[str] = (),
    time: int | None = CHECKPOINT_TIME,
) -> str:
    text = f"{origin}\n{size}\n{base64.b64encode(head).decode()}\n" + (f"time {time}\n" if time is not None else "")
    signed = text + "\n" + signature_line(origin, private, 1, private.sign(text.encode()))
    for name in witnesses:
        stamp = CHECKPOINT_TIME + 2
        signature = WITNESSES[name].sign(f"cosignature/v1\ntime {stamp}\n{text}".encode())
        signed += signature_line(name, WITNESSES[name], 4, stamp.to_bytes(8, "big") + signature)
    return signed


def ndjson(lines: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for each in lines)


def hexes(digests: Sequence[bytes]) -> list[str]:
    return [each.hex() for each in digests]


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_manifest(files: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    """The same files with hashes that fit them again, as anyone who changes a pack would do."""
    manifest = json.loads(files["manifest.json"]) | changes
    manifest["files"] = {
        name: digest(data).hex() for name, data in files.items() if name not in ("manifest.json", "verify.py")
    }
    return files | {"manifest.json": json.dumps(manifest).encode()}


@dataclass
class Log:
    """A ledger in memory; events arrive a second apart."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)

    def append(self, agent: str = "claude_code", /, *, at: int | None = None, header: str = "", **parts: str) -> int:
        seq = len(self.lines)
        received = BEGAN_US + (seq if at is None else at) * 1_000_000
        milliseconds, rest = divmod(received, 1000)
        event_id = UUID(int=milliseconds << 80 | 7 << 76 | rest * 4096 // 1000 << 64 | 2 << 62 | seq)
        header = header or json.dumps(
            ["agp-event/1", str(event_id), received, 1, "laptops", 7, "192.0.2.7", agent, []], separators=(",", ":")
        )
        line: dict[str, Any] = {"seq": seq, "leaf_hash": "", "header": header}
        commitments = []
        for name in leaf.PARTS:
            text = parts.get(name)
            salt = digest(f"{seq} {name}".encode())[:16]
            line[name] = None if text is None else {"salt": salt.hex(), "bytes": text}
            commitments.append(leaf.ABSENT if text is None else leaf.commitment(name, salt, text.encode()))
        self.leaves.append(leaf.leaf_hash(header.encode(), *commitments))
        line["leaf_hash"] = self.leaves[-1].hex()
        self.lines.append(line)
        return seq

    def fill(self, count: int) -> "Log":
        for _ in range(count):
            seq = len(self.lines)
            parts = {
                "subject": f'[["@user.email","string","d{seq % 3}@acme.example"]]',
                "origin": '[["scope.name","string","claude_code"]]',
                "facts": f'[["@event.sequence","int",{seq}],["@decision","string","accept"]]',
            }
            if seq % 2:
                parts["content"] = f'[["@prompt","string","für {seq} \\"Zeilen\\""]]'
            self.append(**parts)
        return self

    def portal(self, *facts: list[Any], at: int | None = None, agent: str = "portal") -> int:
        return self.append(agent, at=at, facts=json.dumps([["@event.name", "string", "portal.act"], *facts]))

    def heartbeat(self, at: int | None = None) -> int:
        return self.append("portal", at=at, facts='[["@event.name","string","ledger.heartbeat"]]')

    def commitment(self, seq: int, part: str) -> str:
        shown = self.lines[seq][part]
        return leaf.commitment(part, bytes.fromhex(shown["salt"]), shown["bytes"].encode()).hex()

    def line(self, seq: int, *, withheld: Sequence[str] = (), erased: dict[str, int] | None = None) -> dict[str, Any]:
        changed = dict(self.lines[seq])
        for part in withheld:
            changed[part] = {"commitment": self.commitment(seq, part), "withheld": True}
        for part, tombstone in (erased or {}).items():
            changed[part] = {"commitment": self.commitment(seq, part), "erased_by": tombstone}
        return changed

    def bare(self, seq: int) -> dict[str, Any]:
        return {"seq": seq, "leaf_hash": self.leaves[seq].hex()}

    def purged(self, first: int, last: int, by: int) -> dict[str, Any]:
        return {"seq_from": first, "seq_to": last, "purged_by": by, "leaf_hashes": hexes(self.leaves[first : last + 1])}

    def note(self, size: int | None = None, **changes: Any) -> str:
        size = len(self.leaves) if size is None else size
        return note(size, root(self.leaves[:size]), **changes)

    def pack(
        self,
        kind: str,
        lines: Sequence[dict[str, Any]],
        *,
        tombstones: Sequence[dict[str, Any]] = (),
        checkpoint: str | None = None,
        size: int | None = None,
    ) -> dict[str, bytes]:
        size = len(self.leaves) if size is None else size
        leaves = self.leaves[:size]
        numbers = [seq for each in lines for seq in _numbers(each)]
        told = [each["seq"] for each in tombstones]
        span = None
        if kind == "range":
            first, last = numbers[0], numbers[-1]
            left, right = hexes(compact(0, first, leaves)), hexes(compact(last + 1, size, leaves))
            span = {"first": first, "last": last, "left": left, "right": right}
        proven = sorted([*told, *(() if span else numbers)])
        inclusion = {str(seq): hexes(path(seq, leaves)) for seq in proven}
        files = {
            "events.ndjson": ndjson(lines),
            "proofs.json": json.dumps({"format": "agp-proofs/1", "inclusion": inclusion, "range": span}).encode(),
            "checkpoint": (checkpoint or self.note(size)).encode(),
            "report.html": b"<!doctype html><title>Report</title>",
        }
        if tombstones:
            files["tombstones.ndjson"] = ndjson(tombstones)
        manifest = {
            "format": "agp-pack/1", "kind": kind, "title": "Session 1", "origin": EPOCH_ORIGIN, "size": size,
            "first_seq": numbers[0] if numbers else None, "last_seq": numbers[-1] if numbers else None,
            "events": len(numbers), "complete": True, "made_at": "2026-11-22T07:00:00Z", "made_by": "dana",
            "reason": "audit",
        }  # fmt: skip
        return with_manifest(files | {"manifest.json": json.dumps(manifest).encode()})

    def dump(
        self, first: int = 0, end: int | None = None, *, edit: Callable[[list], list] = list, **changes: Any
    ) -> bytes:
        """`edit` changes the list of lines, head and right edge included."""
        size = len(self.leaves)
        end = size if end is None else end
        checkpoint = changes.get("checkpoint") or self.note()
        left = hexes(compact(0, first, self.leaves))
        rows = [
            {"format": "agp-dump/1", "first": first, "left": left, "checkpoint": checkpoint},
            *self.lines[first:end],
        ]
        if end < size:
            rows.append({"right": hexes(compact(end, size, self.leaves))})
        return ndjson(edit(rows))


def _numbers(line: dict[str, Any]) -> Sequence[int]:
    return range(line["seq_from"], line["seq_to"] + 1) if "seq_from" in line else [line["seq"]]
