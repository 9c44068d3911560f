#!/usr/bin/env python3
"""Checks evidence of an Agent Governance Portal offline: a pack (.zip) or a dump (.ndjson), against a policy file.

    python3 verify.py PACK.zip --policy policy.json [--json]
    python3 verify.py DUMP.ndjson --policy policy.json [--checkpoint FILE]

Needs Python 3.9 and nothing else: no package, no network. It believes nothing but the keys in the policy, which must
have come to you by another way than the pack; and so should this file. The chain it follows:

    bytes of a part → commitment → leaf (docs/ledger.md) → root (RFC 6962 §2.1, RFC 9162 §2.1.3) → checkpoint
    (C2SP tlog-checkpoint, signed-note) → signature of the log (Ed25519, RFC 8032) → witnesses (C2SP tlog-cosignature)

Exit code: 0 valid · 1 tampered · 2 incomplete, unsupported or too old for the policy · 3 wrong usage.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import io
import json
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

VALID, TAMPERED, INCOMPLETE, USAGE = range(4)
VERDICTS = ("valid", "tampered", "incomplete", "usage")
PARTS = ("subject", "origin", "facts", "content")
CHUNK = 1 << 18

# What is refused as hostile. One event can be dull and shrink to a thousandth; a whole pack does not, as it holds salts
# and hashes: the ratio counts from the first GiB on, which takes seconds and no memory.
MAX_ENTRIES, MAX_DIRECTORY, MAX_RATIO, RATIO_FROM = 100, 1 << 20, 150, 1 << 30
MAX_LINE, MAX_VALUE, MAX_SMALL_FILE, MAX_OTHER_FILE = 1 << 26, 1 << 20, 1 << 20, 1 << 30
MAX_SIGNATURES, MAX_KEPT_PROOFS, MAX_OPEN_ERASURES, MAX_RANGES, MAX_SHOWN = 100, 50_000, 400_000, 100, 20
CLOCK_SKEW_SECONDS = 300


class Refused(Exception):
    """It cannot be read, is not supported or is not all there."""


class Contradiction(Exception):
    """It can be read and is not what was signed."""


class Findings:
    """What speaks against the evidence. The worst verdict counts; the first MAX_SHOWN findings are kept in words."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []
        self.count, self.tampered = 0, False

    def add(self, verdict: int, where: str, text: str) -> None:
        self.count += 1
        self.tampered = self.tampered or verdict == TAMPERED
        if len(self.shown) < MAX_SHOWN:
            self.shown.append({"verdict": VERDICTS[verdict], "where": where, "text": text})

    def exit_code(self) -> int:
        return TAMPERED if self.tampered else INCOMPLETE if self.count else VALID

    @contextlib.contextmanager
    def noting(self, where: str) -> Iterator[None]:
        """Turns whatever goes wrong inside into a finding: hostile input must not end in a traceback."""
        try:
            yield
        except Contradiction as contradiction:
            self.add(TAMPERED, where, str(contradiction))
        except Refused as refusal:
            self.add(INCOMPLETE, where, str(refusal))
        except Exception as error:  # noqa: BLE001 - any other is a way of being unreadable that nobody thought of
            self.add(INCOMPLETE, where, f"cannot be read ({type(error).__name__}: {str(error)[:200]})")


# ── JSON from strangers ─────────────────────────────────────────────────────────────────────────────────────────────


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("a JSON object names a key twice")
    return members


def _integer(text: str) -> int:
    if len(text) > 20:
        raise Refused("a JSON number is longer than 64 bits")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise Refused(f"{text} is not JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)


def parse(text: str) -> Any:
    """One JSON value that fills `text`. Raises Refused; also for what would take many times its size in memory."""
    if len(text) > MAX_VALUE:
        bare = text.replace("\\\\", "").replace('\\"', "")
        if bare.count('"') > MAX_VALUE // 4 or sum(map(len, bare.split('"')[::2])) > MAX_VALUE:
            raise Refused("is a long line of many small values")
    try:
        value, end = DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        raise Refused("is not JSON, or nested too deeply") from None
    if end != len(text) and text[end:].strip(" \t\r\n"):
        raise Refused("holds more than one JSON value")
    return value


def parse_object(data: bytes, keys: set[str]) -> dict[str, Any]:
    """A JSON object with exactly these keys."""
    value = parse(decoded(data))
    if type(value) is not dict or value.keys() != keys:
        raise Refused(f"is not a JSON object of exactly {', '.join(sorted(keys))}")
    return value


def decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("is not UTF-8") from None


def number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise Refused("a number is missing or out of range")
    return value


def unhex(value: Any, length: int = 32) -> bytes:
    """Exactly `length` bytes from lower-case hex; bytes.fromhex alone would let capitals and spaces pass."""
    try:
        data = bytes.fromhex(value)
        if data.hex() == value and len(data) == length:
            return data
    except (TypeError, ValueError):
        pass
    raise Refused(f"holds no lower-case hex of {length} bytes where it should")


def hashes(value: Any, most: int = 64) -> list[bytes]:
    if type(value) is not list or len(value) > most:
        raise Refused("a list of hashes is missing or too long")
    return [unhex(each) for each in value]


def unbase64(text: str) -> bytes:
    """Bytes from base64 written in the one canonical way (RFC 4648 §4)."""
    with contextlib.suppress(ValueError):
        data = base64.b64decode(text.encode("ascii"), validate=True)
        if base64.b64encode(data).decode() == text:
            return data
    raise Refused("holds base64 that is not canonical")


# ── Ed25519 (RFC 8032 §5.1), verification only: nothing here is secret, so nothing has to take constant time ────────

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z
IDENTITY: Point = (0, 1, 1, 0)


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _decompress(data: bytes) -> Point | None:
    """§5.1.3; a y of p or more is refused, as is the x of 0 with a sign."""
    bits = int.from_bytes(data, "little")
    y, sign = bits & ((1 << 255) - 1), bits >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * SQRT_MINUS_1 % P
    if x * x % P != square or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else P - x
    return (x, y, 1, x * y % P)


def _compress(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    return (point[1] * inverse % P | (point[0] * inverse % P & 1) << 255).to_bytes(32, "little")


BASE = _decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_holds(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether R is the encoding of [S]B − [k]A (§5.1.7, without cofactor); a key of small order never holds."""
    point = _decompress(key) if len(key) == 32 and len(signature) == 64 else None
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or BASE is None or scalar >= ORDER:
        return False
    eightfold = point
    for _ in range(3):
        eightfold = _add(eightfold, eightfold)
    if eightfold[0] == 0 and eightfold[1] == eightfold[2]:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    minus: Point = (P - point[0], point[1], 1, P - point[3])
    choices = (IDENTITY, BASE, minus, _add(BASE, minus))
    result = IDENTITY
    for bit in range(252, -1, -1):
        result = _add(result, result)
        result = _add(result, choices[scalar >> bit & 1 | (k >> bit & 1) << 1])
    return _compress(result) == signature[:32]


# ── Keys, policy and checkpoint (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ───────────────────────────────

LOG_KEY, WITNESS_KEY = 1, 4
KeyName = tuple[str, bytes]  # a key's name and its four bytes of id


def read_vkey(text: Any, kind: int) -> tuple[KeyName, bytes]:
    """`<name>+<id>+<base64 of type and key>` → ((name, id), key of 32 bytes)."""
    pieces = text.split("+", 2) if type(text) is str else ()
    if len(pieces) != 3 or not pieces[0] or re.search(r"\s", pieces[0]):
        raise Refused("a key is not <name>+<id>+<base64>")
    name, identifier, data = pieces[0], unhex(pieces[1], 4), unbase64(pieces[2])
    if data[:1] != bytes([kind]) or len(data) != 33:
        raise Refused(f"the key of {name} is not Ed25519 of type {kind}")
    if identifier != hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]:
        raise Refused(f"the id of the key of {name} is not the one of its bytes")
    return (name, identifier), data[1:]


class Policy:
    """Whose word counts, and how old it may be; distributed out of band."""

    KEYS = {
        "format", "origin", "log_keys", "witness_keys", "quorum", "max_checkpoint_age_seconds",
        "max_heartbeat_gap_seconds",
    }  # fmt: skip

    def __init__(self, data: bytes) -> None:
        members = parse_object(data, self.KEYS)
        if members["format"] != "agp-policy/1" or type(members["origin"]) is not str or not members["origin"]:
            raise Refused("is no policy of the format agp-policy/1")
        self.origin: str = members["origin"]
        self.log_keys = dict(read_vkey(each, LOG_KEY) for each in members["log_keys"])
        self.witness_keys = dict(read_vkey(each, WITNESS_KEY) for each in members["witness_keys"])
        self.quorum = number(members["quorum"])
        age, gap = members["max_checkpoint_age_seconds"], members["max_heartbeat_gap_seconds"]
        self.max_age = None if age is None else number(age)
        self.max_gap = None if gap is None else number(gap)


class Checkpoint:
    """A signed head of the log: origin, size, root; `time` in seconds since 1970 or None; `witnesses` that signed."""

    def __init__(self, note: str, policy: Policy) -> None:
        text, blank, signatures = note.rpartition("\n\n")
        lines = text.split("\n")
        if not blank or len(lines) < 3 or not all(lines) or re.search(r"[\x00-\x09\x0b-\x1f]", note):
            raise Refused("is not a signed checkpoint")
        if not re.fullmatch(r"0|[1-9][0-9]{0,17}", lines[1]):
            raise Refused("states no size")
        self.origin, self.size, self.root = lines[0], int(lines[1]), unbase64(lines[2])
        if len(self.root) != 32:
            raise Refused("states no root of 32 bytes")
        times = [line[5:] for line in lines[3:] if line.startswith("time ")]
        if len(times) > 1 or not all(re.fullmatch(r"[1-9][0-9]{0,10}", each) for each in times):
            raise Refused("states its time in a way that is not known")
        self.time = int(times[0]) if times else None
        self.witnesses: list[str] = []
        self._check_signatures(text + "\n", signatures, policy)

    def _check_signatures(self, text: str, signatures: str, policy: Policy) -> None:
        """Signatures of unknown keys are ignored; one of a known key that does not hold spoils the note."""
        epoch = self.origin[len(policy.origin) :]
        if not self.origin.startswith(policy.origin) or not re.fullmatch(r"/(0|[1-9][0-9]{0,8})", epoch):
            raise Refused(f"is of {self.origin}, and the policy is for {policy.origin}")
        if not any(name == self.origin for name, _ in policy.log_keys):
            raise Refused(f"the policy holds no key of {self.origin}")
        lines = signatures.split("\n")
        if lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
            raise Refused("has no signatures, too many, or an unfinished one")
        signed, witnesses = False, {}
        for line in lines:
            match = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)", line)
            if not match:
                raise Refused("has a signature line that is not one")
            name, blob = match[1], unbase64(match[2])
            key, signature = (name, blob[:4]), blob[4:]
            if key in policy.log_keys and name == self.origin:
                if not ed25519_holds(policy.log_keys[key], signature, text.encode()):
                    raise Contradiction(f"the log's signature ({name}) does not hold")
                signed = True
            elif key in policy.witness_keys:
                stamp = int.from_bytes(signature[:8], "big")
                message = f"cosignature/v1\ntime {stamp}\n{text}".encode()
                if not ed25519_holds(policy.witness_keys[key], signature[8:], message):
                    raise Contradiction(f"the signature of the witness {name} does not hold")
                witnesses[policy.witness_keys[key]] = name
        if not signed:
            raise Refused("carries no signature of a key in the policy")
        self.witnesses = sorted(witnesses.values())

    def check_age(self, policy: Policy, now: int, findings: Findings) -> None:
        if len(self.witnesses) < policy.quorum:
            seen = f"{len(self.witnesses)} of the {policy.quorum} witnesses that the policy asks for"
            findings.add(INCOMPLETE, "checkpoint", f"is signed by {seen}")
        if self.time is not None and self.time > now + CLOCK_SKEW_SECONDS:
            findings.add(INCOMPLETE, "checkpoint", "states a time in the future")
        if policy.max_age is not None and (self.time is None or now - self.time > policy.max_age):
            age = "of unknown age" if self.time is None else f"{now - self.time} s old"
            findings.add(INCOMPLETE, "checkpoint", f"is {age}; the policy allows {policy.max_age} s")


# ── Merkle tree (RFC 6962 §2.1, RFC 9162 §2.1) ──────────────────────────────────────────────────────────────────────

sha256 = hashlib.sha256


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_by_inclusion(leaf: bytes, seq: int, size: int, path: list[bytes]) -> bytes | None:
    """RFC 9162 §2.1.3.2: the root that a leaf and its path lead to; None where the path has the wrong length."""
    place, last, digest = seq, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            digest = node(sibling, digest)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            digest = node(digest, sibling)
        place, last = place >> 1, last >> 1
    return digest if last == 0 else None


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes]) -> bool:
    """RFC 9162 §2.1.4.2, for 0 < old < new: whether the tree of `new` leaves begins with that of `old`."""
    path = [old_root, *path] if old & (old - 1) == 0 else path
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if not path:
        return False
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            older, newer = node(sibling, older), node(sibling, newer)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            newer = node(newer, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and older == old_root and newer == new_root


class Frontier:
    """A growing tree as its compact range: the roots of the full subtrees of [0, size), largest first."""

    def __init__(self, size: int, roots: list[bytes]) -> None:
        if len(roots) != bin(size).count("1"):
            raise Contradiction(f"{len(roots)} hashes cannot stand for the first {size} leaves")
        self.size, self.roots = size, roots

    def append(self, digest: bytes, level: int = 0) -> None:
        """Adds a full subtree of 2**level leaves; the size so far is a multiple of that."""
        rest = self.size >> level
        while rest & 1:
            digest = sha256(b"\x01" + self.roots.pop() + digest).digest()
            rest >>= 1
        self.roots.append(digest)
        self.size += 1 << level

    def complete(self, size: int, right: list[bytes]) -> None:
        """Adds the compact range of [self.size, size): its full subtrees from left to right."""
        for digest in right:
            level = (size - self.size).bit_length() - 1
            if self.size:
                level = min(level, (self.size & -self.size).bit_length() - 1)
            if level < 0:
                raise Contradiction("there are more hashes to the right than leaves")
            self.append(digest, level)
        if self.size != size:
            raise Contradiction(f"the hashes to the right end at {self.size}, the checkpoint at {size}")

    def root(self) -> bytes:
        if not self.roots:
            return sha256(b"").digest()
        digest = self.roots[-1]
        for each in reversed(self.roots[:-1]):
            digest = node(each, digest)
        return digest


# ── Evidence lines (docs/ledger.md): parts → commitments → leaf ─────────────────────────────────────────────────────

ABSENT = bytes(32)
PART_TAGS = {name: b"agp/part/v1\n" + bytes([len(name)]) + name.encode() for name in PARTS}
EVENT, BARE = {"seq", "leaf_hash", "header", *PARTS}, {"seq", "leaf_hash"}
PURGED = {"seq_from", "seq_to", "purged_by", "leaf_hashes"}
DISCLOSED, WITHHELD, ERASED = {"salt", "bytes"}, {"commitment", "withheld"}, {"commitment", "erased_by"}
EVENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
HEARTBEAT = ["@event.name", "string", "ledger.heartbeat"]


def encoded(value: Any) -> bytes:
    try:
        data: bytes = value.encode()
        return data
    except (AttributeError, UnicodeEncodeError):
        raise Refused("holds no text where it should") from None


def read_header(text: str) -> tuple[str, int, str]:
    """(event id, received in µs since 1970, agent). Raises Refused, and Contradiction where the two times differ."""
    header = parse(text)
    if type(header) is not list or len(header) != 9 or header[0] != "agp-event/1":
        raise Refused("has a header that is not agp-event/1")
    identifier, received, agent = header[1], number(header[2]), header[7]
    if type(identifier) is not str or not EVENT_ID.fullmatch(identifier) or type(agent) is not str:
        raise Refused("has a header without a UUIDv7 or an agent")
    # RFC 9562 §5.7 and §6.2 method 3: 48 bits of milliseconds, 12 bits of their fraction.
    milliseconds, fraction = int(identifier[:8] + identifier[9:13], 16), int(identifier[15:18], 16)
    if milliseconds * 1000 - (-fraction * 1000 // 4096) != received:
        raise Contradiction(f"the event's id {identifier} and its header state different times of receipt")
    return identifier, received, agent


def read_facts(text: str) -> list[list[Any]]:
    entries = parse(text)
    if type(entries) is not list or not all(type(each) is list and len(each) == 3 for each in entries):
        raise Refused("has facts that are no list of [key, type, value]")
    return entries


class Evidence:
    """What the lines tell, counted; and what they owe: erased and purged records wait here for their tombstones."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.first: int | None = None
        self.last = -1
        self.disclosed = self.bare = self.purged = self.withheld_parts = self.erased_parts = self.tombstones = 0
        self.owed: dict[int, dict[Any, int]] = {}  # tombstone → (commitment, part) or (from, to) → last number it is of
        self.owed_count = 0
        self.told: list[dict[str, Any]] = []  # the first tombstones
        self.silence = Silence()

    def read(self, raw: bytes) -> tuple[int, list[bytes]]:
        """The first number of an evidence line and the leaf hashes from there on. Raises Refused, Contradiction."""
        line = parse(decoded(raw))
        if type(line) is not dict:
            raise Refused("is no evidence line")
        keys = line.keys()
        if keys == EVENT:
            first = last = number(line["seq"])
            leaves = [self._event(first, line)]
            self.disclosed += 1
        elif keys == BARE:
            first = last = number(line["seq"])
            leaves = [unhex(line["leaf_hash"])]
            self.bare += 1
        elif keys == PURGED:
            first, last = number(line["seq_from"]), number(line["seq_to"])
            leaves = hashes(line["leaf_hashes"], MAX_LINE)
            if not leaves or len(leaves) != last - first + 1:
                raise Contradiction(f"seq {first} to {last}: {len(leaves)} leaf hashes")
            self._owe(last, line["purged_by"], (first, last))
            self.purged += len(leaves)
            self.silence.interrupt()
        else:
            raise Refused("is no evidence line of a known form")
        if first <= self.last:
            raise Contradiction(f"seq {first} comes after seq {self.last}")
        self.first, self.last = first if self.first is None else self.first, last
        return first, leaves

    def _event(self, seq: int, line: dict[str, Any]) -> bytes:
        leaf_data = []
        for name in PARTS:
            part = line[name]
            if part is None:
                leaf_data.append(ABSENT)
            elif type(part) is not dict:
                raise Refused(f"has a part {name} of an unknown form")
            elif part.keys() == DISCLOSED:
                data = PART_TAGS[name] + unhex(part["salt"], 16) + encoded(part["bytes"])
                leaf_data.append(sha256(data).digest())
            elif part.keys() == WITHHELD and part["withheld"] is True:
                leaf_data.append(unhex(part["commitment"]))
                self.withheld_parts += 1
            elif part.keys() == ERASED:
                commitment = unhex(part["commitment"])
                leaf_data.append(commitment)
                self._owe(seq, part["erased_by"], (commitment, name))
                self.erased_parts += 1
            else:
                raise Refused(f"has a part {name} of an unknown form")
        header, leaf = encoded(line["header"]), unhex(line["leaf_hash"])
        length = len(header).to_bytes(4, "big")
        if sha256(b"\x00agp/leaf/v1\n" + length + header + b"".join(leaf_data)).digest() != leaf:
            parts = ", ".join(name for name in PARTS if line[name] is not None)
            self.findings.add(
                TAMPERED, self._name(seq, line), f"the header or a part ({parts}) is not what was recorded"
            )
            return leaf
        try:
            identifier, received, agent = read_header(line["header"])
        except Contradiction as contradiction:
            self.findings.add(TAMPERED, f"seq {seq}, header", str(contradiction))
            return leaf
        entries: list[list[Any]] = []
        facts = line["facts"]
        if agent == "portal" and facts is not None and "bytes" in facts:
            entries = read_facts(facts["bytes"])
        self.silence.hear(seq, received, HEARTBEAT in entries)
        if seq in self.owed and (entries or agent != "portal"):
            self._settle(seq, entries, {"seq": seq, "event": identifier, "received": received // 1_000_000})
        return leaf

    @staticmethod
    def _name(seq: int, line: dict[str, Any]) -> str:
        found = EVENT_ID.search(line["header"])
        return f"seq {seq} (event {found[0]})" if found else f"seq {seq}"

    def _owe(self, seq: int, tombstone: Any, what: tuple[Any, Any]) -> None:
        if number(tombstone) <= seq:
            raise Contradiction(f"{self._who(seq, what)}: the tombstone, seq {tombstone}, is not later")
        waiting = self.owed.setdefault(tombstone, {})
        self.owed_count += what not in waiting
        if self.owed_count > MAX_OPEN_ERASURES:
            raise Refused(f"more than {MAX_OPEN_ERASURES} erased parts wait for their tombstones")
        waiting[what] = seq

    @staticmethod
    def _who(seq: int, what: tuple[Any, Any]) -> str:
        return f"seq {seq}, part {what[1]}" if type(what[0]) is bytes else f"seq {what[0]} to {what[1]}"

    def _settle(self, tombstone: int, entries: list[list[Any]], event: dict[str, Any]) -> None:
        """Whether the portal's own event names all that refers to it."""
        named = [(key, value) for key, _, value in entries if type(value) in (str, int) and type(key) is str]
        parts = {value for key, value in named if key == "@portal.erased.commitment"}
        subjects = {value for key, value in named if key == "@portal.erased.subject_commitment"}
        starts = [value for key, value in named if key == "@portal.purged.seq_from" and type(value) is int]
        ends = [value for key, value in named if key == "@portal.purged.seq_to" and type(value) is int]
        ranges = list(zip(starts, ends)) if len(starts) == len(ends) else []  # noqa: B905 - Python 3.9 has no strict
        if len(ranges) > MAX_RANGES:
            raise Refused(f"speaks of more than {MAX_RANGES} purged ranges")
        waiting = self.owed.pop(tombstone)
        self.owed_count -= len(waiting)
        self.tombstones += 1
        if len(self.told) < MAX_SHOWN:
            self.told.append({**event, "records": len(waiting)})
        for what, seq in waiting.items():
            one, other = what
            if type(one) is bytes:
                held = one.hex() in parts or (other == "subject" and one.hex() in subjects)
            else:
                held = any(start <= one and other <= end for start, end in ranges)
            if not held:
                text = f"is said to be gone by seq {tombstone}, which does not say so"
                self.findings.add(TAMPERED, self._who(seq, what), text)

    def check_owed(self, covered: int | None) -> None:
        """Every tombstone has been shown; in a dump, one from `covered` on may be in the next."""
        for tombstone, waiting in sorted(self.owed.items()):
            beyond = covered is not None and tombstone >= covered
            text = "lies beyond the dump" if beyond else "is not shown"
            for what, seq in waiting.items():
                verdict = INCOMPLETE if beyond else TAMPERED
                self.findings.add(verdict, self._who(seq, what), f"is said to be gone by seq {tombstone}, which {text}")


class Silence:
    """The longest time (µs) without a heartbeat, from the first event of a stretch to its last."""

    def __init__(self) -> None:
        self.beats, self.longest, self.before = 0, 0, 0
        self.since = self.newest = -1

    def hear(self, seq: int, received: int, beat: bool) -> None:
        if self.since < 0:
            self.since = received
        self.newest = max(self.newest, received)
        if beat:
            self._measure(received, seq)
            self.since, self.beats = max(self.since, received), self.beats + 1

    def interrupt(self) -> None:
        """Ends a stretch: what was purged may have held heartbeats."""
        if self.since >= 0:
            self._measure(self.newest, -1)
        self.since = self.newest = -1

    def _measure(self, until: int, seq: int) -> None:
        if until - self.since > self.longest:
            self.longest, self.before = until - self.since, seq


# ── Files: a zip from a stranger, lines, and proofs that are read piece by piece ────────────────────────────────────


class Archive(io.BufferedReader):
    """A file that hands out at most MAX_DIRECTORY bytes at once, so that no zip can make zipfile read more."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(MAX_DIRECTORY if size is None or size < 0 else min(size, MAX_DIRECTORY))


class Member:
    """One file of a pack as a stream that is hashed as it is read and refused when it swells."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> None:
        self._stream, self._sha = archive.open(entry), hashlib.sha256()
        self._most = min(most, max(entry.compress_size * MAX_RATIO, RATIO_FROM))
        self._size = 0

    def read(self, size: int = CHUNK) -> bytes:
        data = self._stream.read(size)
        self._sha.update(data)
        self._size += len(data)
        if self._size > self._most:
            raise Refused("is larger than such a file can be")
        return data

    def whole(self) -> bytes:
        return b"".join(iter(self.read, b""))

    def digest(self) -> str:
        while self.read():
            pass
        return self._sha.hexdigest()


def open_pack(file: io.BufferedReader) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """A zip and its entries by name: few, plain names, each once, stored or deflated, not overlapping."""
    archive = zipfile.ZipFile(file)
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise Refused(f"has more than {MAX_ENTRIES} files")
    for entry in entries:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", entry.orig_filename):
            raise Refused(f"holds a file of the name {entry.orig_filename!r:.99}")
        if entry.flag_bits & 0x41 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(f"holds {entry.filename} encrypted or compressed in another way than deflate")
    if len({entry.filename.lower() for entry in entries}) != len(entries):
        raise Refused("holds two files of the same name")
    if sum(entry.compress_size for entry in entries) > file.seek(0, 2):
        raise Refused("holds files that overlap")
    return archive, {entry.filename: entry for entry in entries}


def lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    pieces: list[bytes] = []
    size = 0
    while chunk := read(CHUNK):
        first, *more = chunk.split(b"\n")
        pieces.append(first)
        size += len(first)
        if size > MAX_LINE:
            raise Refused(f"holds a line of more than {MAX_LINE} bytes")
        if more:
            yield b"".join(pieces)
            yield from more[:-1]
            pieces, size = [more[-1]], len(more[-1])
    if size:
        yield b"".join(pieces)


BLANKS = re.compile(r"[ \t\r\n]*")  # matches everywhere


class Document:
    """A JSON object read member by member; the whole is never in memory."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self._text, self._at, self._more = read, "", 0, True

    def members(self) -> Iterator[str]:
        """The keys of the object that begins here; the caller takes each value before the next."""
        self._take("{")
        if self._peek() == "}":
            self._take("}")
            return
        while True:
            key = self.value()
            if type(key) is not str:
                raise Refused("is not JSON")
            self._take(":")
            yield key
            if self._take(",}") == "}":
                return

    def value(self) -> Any:
        self._peek()
        while True:
            with contextlib.suppress(ValueError, RecursionError):
                value, end = DECODER.raw_decode(self._text, self._at)
                if end < len(self._text) or not self._more:
                    self._at = end
                    return value
            if not self._more:
                raise Refused("is not JSON, or nested too deeply")
            self._fill()

    def end(self) -> None:
        if self._peek():
            raise Refused("holds more than one JSON value")

    def _take(self, choices: str) -> str:
        symbol = self._peek()
        if not symbol or symbol not in choices:
            raise Refused("is not JSON of the known form")
        self._at += 1
        return symbol

    def _peek(self) -> str:
        while True:
            self._at = next(BLANKS.finditer(self._text, self._at)).end()
            if self._at < len(self._text) or not self._more:
                return self._text[self._at : self._at + 1]
            self._fill()

    def _fill(self) -> None:
        if len(self._text) - self._at > MAX_VALUE:
            raise Refused("holds a value that is too long")
        chunk = self._read(1 << 16)
        self._more = bool(chunk)
        self._text, self._at = self._text[self._at :] + chunk.decode("ascii"), 0


class Proofs:
    """proofs.json. Inclusion proofs in the order of the lines that they prove are read and forgotten one by one."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self.range: Any = None
        self._kept: dict[int, list[bytes]] = {}
        self._inclusion = self._parse(Document(read))

    def _parse(self, document: Document) -> Iterator[tuple[int, list[bytes]]]:
        seen = []
        for key in document.members():
            seen.append(key)
            if key == "inclusion":
                for seq in document.members():
                    if not re.fullmatch(r"0|[1-9][0-9]{0,17}", seq):
                        raise Refused("proves something that is no number")
                    yield int(seq), hashes(document.value())
            elif key == "range":
                self.range = document.value()
            elif key != "format" or document.value() != "agp-proofs/1":
                raise Refused("is not of the format agp-proofs/1")
        document.end()
        if sorted(seen) != ["format", "inclusion", "range"]:
            raise Refused("lacks a member or has one twice")

    def path(self, seq: int) -> list[bytes]:
        """The proof of one event, once."""
        while seq not in self._kept:
            if not self._keep():
                raise Contradiction(f"seq {seq} has no inclusion proof")
        return self._kept.pop(seq)

    def rest(self) -> list[int]:
        """Reads to the end; the numbers whose proofs nobody asked for."""
        while self._keep():
            pass
        return sorted(self._kept)

    def _keep(self) -> bool:
        seq, path = next(self._inclusion, (-1, []))
        if seq in self._kept or len(self._kept) >= MAX_KEPT_PROOFS:
            raise Refused("proves an event twice, or in quite another order than that of the lines")
        if seq >= 0:
            self._kept[seq] = path
        return seq >= 0


# ── The verification of a pack or a dump ────────────────────────────────────────────────────────────────────────────

MANIFEST = {
    "format", "kind", "title", "origin", "size", "first_seq", "last_seq", "events", "complete", "made_at", "made_by",
    "reason", "files",
}  # fmt: skip
NEEDED = {"events.ndjson", "proofs.json", "checkpoint"}


class Verification:
    """One run: what is checked against, and what was found."""

    def __init__(self, policy: Policy, findings: Findings, now: int, previous: Checkpoint | None) -> None:
        self.policy, self.findings, self.now, self.previous = policy, findings, now, previous
        self.evidence = Evidence(findings)
        self.kind: str | None = None
        self.checkpoint: Checkpoint | None = None
        self.manifest: dict[str, Any] = {}
        self.dense = False
        self._previous_root: bytes | None = None

    # A pack

    def read_pack(self, file: io.BufferedReader) -> None:
        findings = self.findings
        archive, entries = open_pack(file)
        if "manifest.json" not in entries:
            raise Refused("holds no manifest.json")
        with findings.noting("manifest.json"):
            self.manifest = self._read_manifest(Member(archive, entries["manifest.json"], MAX_SMALL_FILE).whole())
        if not self.manifest:
            return
        self.kind, files = self.manifest["kind"], self.manifest["files"]
        for name in sorted(files.keys() | NEEDED):
            if name not in entries or name not in files:
                findings.add(INCOMPLETE, name, "is missing")
        for name in sorted(entries.keys() - files.keys() - {"manifest.json", "verify.py"} - NEEDED):
            findings.add(TAMPERED, name, "is not in the manifest")
        if entries.keys() & files.keys() >= NEEDED:
            self._read_members(archive, entries)
        for name in sorted(entries.keys() & files.keys() - NEEDED - {"tombstones.ndjson"}):
            self._check_digest(name, Member(archive, entries[name], MAX_OTHER_FILE))

    @staticmethod
    def _read_manifest(data: bytes) -> dict[str, Any]:
        manifest = parse_object(data, MANIFEST)
        if manifest["format"] != "agp-pack/1" or manifest["kind"] not in ("session", "range", "selection"):
            raise Refused("is of a format or kind that is not known")
        if type(manifest["files"]) is not dict or len(manifest["files"]) > MAX_ENTRIES:
            raise Refused("names no files")
        for digest in manifest["files"].values():
            unhex(digest)
        texts = [manifest[key] for key in ("title", "made_at", "made_by", "reason")]
        if not all(each is None or type(each) is str for each in texts) or type(manifest["complete"]) is not bool:
            raise Refused("has a member of the wrong type")
        return manifest

    def _read_members(self, archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> None:
        files = {name: Member(archive, entries[name], 1 << 50) for name in NEEDED - {"checkpoint"}}
        files["checkpoint"] = Member(archive, entries["checkpoint"], MAX_SMALL_FILE)
        if "tombstones.ndjson" in entries:
            files["tombstones.ndjson"] = Member(archive, entries["tombstones.ndjson"], 1 << 50)
        with self.findings.noting("checkpoint"):
            self.take_checkpoint(decoded(files["checkpoint"].whole()))
        proofs = Proofs(files["proofs.json"].read)
        if self.checkpoint:
            with self.findings.noting("events.ndjson"):
                self._read_events(files["events.ndjson"], proofs)
                with self.findings.noting("tombstones.ndjson"):
                    self._read_tombstones(files.get("tombstones.ndjson"), proofs)
                with self.findings.noting("proofs.json"):
                    for seq in proofs.rest():
                        raise Refused(f"proves seq {seq}, which is not in the pack")
                    if self.kind != "range" and proofs.range is not None:
                        raise Refused("holds the proof of a range in a pack that is none")
                self._compare_manifest()
        for name, member in files.items():
            self._check_digest(name, member)

    def _check_digest(self, name: str, member: Member) -> None:
        with self.findings.noting(name):
            if member.digest() != self.manifest["files"].get(name):
                raise Contradiction("is not the file that the manifest names")

    def _read_events(self, events: Member, proofs: Proofs) -> None:
        if self.kind != "range":
            for seq, leaves in self._records(lines(events.read)):
                self._check_inclusion(seq, leaves, proofs)
        else:
            proofs.rest()
            if type(proofs.range) is not dict or proofs.range.keys() != {"first", "last", "left", "right"}:
                raise Refused("is said to be a range, and proofs.json holds no proof of one")
            first, last = number(proofs.range["first"]), number(proofs.range["last"])
            frontier = Frontier(first, hashes(proofs.range["left"]))
            self._fold(frontier, self._records(lines(events.read)))
            if frontier.size != last + 1:
                raise Contradiction(f"ends at seq {frontier.size - 1}; proofs.json speaks of {first} to {last}")
            self._check_root(frontier, hashes(proofs.range["right"]))

    def _check_inclusion(self, seq: int, leaves: list[bytes], proofs: Proofs) -> None:
        assert self.checkpoint
        for place, leaf in enumerate(leaves, seq):
            if root_by_inclusion(leaf, place, self.checkpoint.size, proofs.path(place)) != self.checkpoint.root:
                self.findings.add(TAMPERED, f"seq {place}", "the event's leaf hash is not in the tree at this place")

    def _read_tombstones(self, member: Member | None, proofs: Proofs) -> None:
        """Events that only tell of erasures; they count for nothing else."""
        if member:
            shown, self.evidence = self.evidence, Evidence(self.findings)
            self.evidence.owed, self.evidence.owed_count = shown.owed, shown.owed_count
            for seq, leaves in self._records(lines(member.read)):
                self._check_inclusion(seq, leaves, proofs)
            shown.tombstones += self.evidence.tombstones
            shown.told += self.evidence.told
            self.evidence = shown
        self.evidence.check_owed(None)

    def _compare_manifest(self) -> None:
        assert self.checkpoint
        evidence, where = self.evidence, "manifest.json"
        found = {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "first_seq": evidence.first,
            "last_seq": None if evidence.first is None else evidence.last,
            "events": evidence.disclosed + evidence.bare + evidence.purged,
        }
        for key, value in found.items():
            if self.manifest[key] != value or type(self.manifest[key]) is not type(value):
                self.findings.add(TAMPERED, where, f"states {key} {self.manifest[key]!r:.99}; in truth it is {value!r}")
        if evidence.first is None:
            raise Refused("holds no event")

    # A dump

    def read_dump(self, file: io.BufferedReader, note: str | None) -> None:
        rows = lines(file.read)
        head = parse_object(next(rows, b""), {"format", "first", "left", "checkpoint"})
        if head["format"] != "agp-dump/1":
            raise Refused("is not of the format agp-dump/1")
        self.kind = "dump"
        with self.findings.noting("checkpoint"):
            text = head["checkpoint"] if note is None else note
            if type(text) is not str:
                raise Refused("is neither in the dump nor named with --checkpoint")
            self.take_checkpoint(text)
        if not self.checkpoint:
            return
        frontier, right = Frontier(number(head["first"]), hashes(head["left"])), []

        def evidence_lines() -> Iterator[bytes]:
            for raw in rows:
                if raw.startswith(b'{"right"'):
                    right.extend(hashes(parse_object(raw, {"right"})["right"]))
                    break
                yield raw
            if next(rows, None) is not None:
                raise Refused("goes on after its end")

        self._fold(frontier, self._records(evidence_lines()))
        self.evidence.check_owed(frontier.size)
        if not right and frontier.size < self.checkpoint.size:
            raise Refused(f"ends before seq {frontier.size}, and nothing leads from there to {self.checkpoint.size}")
        self._check_root(frontier, right)

    # Both

    def take_checkpoint(self, note: str) -> None:
        self.checkpoint = Checkpoint(note, self.policy)
        self.checkpoint.check_age(self.policy, self.now, self.findings)

    def _records(self, rows: Iterator[bytes]) -> Iterator[tuple[int, list[bytes]]]:
        assert self.checkpoint
        read, size = self.evidence.read, self.checkpoint.size
        for place, raw in enumerate(rows, 1):
            try:
                record = read(raw)
            except Refused as refusal:
                raise Refused(f"line {place}: {refusal}") from None
            if self.evidence.last >= size:
                raise Refused(
                    f"line {place}: seq {self.evidence.last} is not covered by the checkpoint of {size} events"
                )
            yield record

    def _fold(self, frontier: Frontier, records: Iterator[tuple[int, list[bytes]]]) -> None:
        """Grows the tree by the leaves of records without a hole."""
        kept = self.previous.size if self.previous else -1
        for seq, leaves in records:
            if seq != frontier.size:
                raise Contradiction(f"seq {frontier.size} should come next, and seq {seq} does")
            for leaf in leaves:
                if frontier.size == kept:
                    self._previous_root = frontier.root()
                frontier.append(leaf)
        if frontier.size == kept:
            self._previous_root = frontier.root()
        self.evidence.silence.interrupt()

    def _check_root(self, frontier: Frontier, right: list[bytes]) -> None:
        assert self.checkpoint
        frontier.complete(self.checkpoint.size, right)
        if frontier.root() != self.checkpoint.root:
            raise Contradiction("the leaf hashes do not lead to the signed root: one was changed, moved or left out")
        self.dense = True
        silence, allowed = self.evidence.silence, self.policy.max_gap
        if allowed is not None and silence.longest > allowed * 1_000_000:
            before = f" before seq {silence.before}" if silence.before >= 0 else ""
            text = f"no heartbeat for {silence.longest / 1e6:.0f} s{before}; the policy allows {allowed} s"
            self.findings.add(INCOMPLETE, "heartbeats", text)

    def compare_previous(self, proof: list[bytes] | None) -> None:
        """Whether this checkpoint and the one that the auditor kept belong to one history."""
        if not self.checkpoint or not self.previous:
            return
        old, new = sorted((self.previous, self.checkpoint), key=lambda each: each.size)
        if old.origin != new.origin:
            raise Refused(f"is of {self.previous.origin} and cannot be compared")
        if old.size == new.size:
            held = old.root == new.root
        elif old.size == 0 or (self.dense and self._previous_root is not None):
            held = old.root == (Frontier(0, []).root() if old.size == 0 else self._previous_root)
        elif proof is None:
            raise Refused("is of another size, and without --consistency it could not be compared")
        else:
            held = is_consistent(old.size, old.root, new.size, new.root, proof)
        if not held:
            raise Contradiction("is of another history: the log was rewritten, or shows itself differently")


# ── The report ──────────────────────────────────────────────────────────────────────────────────────────────────────


def visible(text: str) -> str:
    """Text without a control, bidirectional or invisible character: each is shown by its number."""
    return "".join(each if each.isprintable() else f"\\u{{{ord(each):04x}}}" for each in text)


def report(run: Verification, findings: Findings) -> dict[str, Any]:
    evidence, checkpoint, code = run.evidence, run.checkpoint, findings.exit_code()
    total = evidence.disclosed + evidence.bare + evidence.purged
    return {
        "format": "agp-verification/1",
        "verdict": VERDICTS[code],
        "exit": code,
        "kind": run.kind,
        "checkpoint": checkpoint and {
            "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex(),
            "time": checkpoint.time, "witnesses": checkpoint.witnesses, "quorum": run.policy.quorum,
        },
        "events": {
            "total": total, "first_seq": evidence.first, "last_seq": evidence.last if total else None,
            "disclosed": evidence.disclosed, "withheld": evidence.bare, "purged": evidence.purged,
        },
        "parts": {"withheld": evidence.withheld_parts, "erased": evidence.erased_parts},
        "tombstones": {"count": evidence.tombstones, "first": evidence.told[:MAX_SHOWN]},
        "without_a_hole": run.dense,
        "heartbeats": {"count": evidence.silence.beats, "longest_silence_seconds": evidence.silence.longest / 1e6}
        if run.dense else None,
        "claims": {key: run.manifest.get(key) for key in ("title", "made_at", "made_by", "reason", "complete")}
        if run.manifest else None,
        "findings": findings.shown,
        "finding_count": findings.count,
    }  # fmt: skip


def moment(seconds: int) -> str:
    """A time as people read it; one that no calendar holds, as its number."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"


def sentences(result: dict[str, Any]) -> Iterator[str]:
    """The report for a person: the verdict, what is proven, what is not."""
    events, parts, checkpoint = result["events"], result["parts"], result["checkpoint"]
    yield f"{result['verdict'].upper()} (exit code {result['exit']})"
    for finding in result["findings"]:
        yield f"  {finding['verdict']}: {finding['where']}: {finding['text']}"
    if result["finding_count"] > len(result["findings"]):
        yield f"  … and {result['finding_count'] - len(result['findings'])} more"
    yield "Proven:" if result["exit"] == VALID else "Read, but not proven:"
    if checkpoint:
        at = "at a time not stated" if checkpoint["time"] is None else f"at {moment(checkpoint['time'])}"
        yield f"  checkpoint of {checkpoint['origin']}, {checkpoint['size']} events, by its own word made {at}"
        names = ", ".join(checkpoint["witnesses"]) or "none"
        yield f"  witnesses that signed it: {names} (the policy asks for {checkpoint['quorum']})"
    if events["total"]:
        span = f"seq {events['first_seq']} to {events['last_seq']}"
        yield f"  {events['disclosed']} of {events['total']} events disclosed, {span}"
    if result["without_a_hole"]:
        yield "  no event between the first and the last is missing"
        beats = result["heartbeats"]
        yield f"  {beats['count']} heartbeats; longest time without one {beats['longest_silence_seconds']:.0f} s"
    if parts["erased"] or events["purged"]:
        yield f"  {parts['erased']} parts erased and {events['purged']} events purged, as the portal's own events say:"
        for told in result["tombstones"]["first"]:
            event = f"seq {told['seq']} (event {told['event']})"
            yield f"    {event} of {moment(told['received'])}: {told['records']} of them"
        if result["tombstones"]["count"] > MAX_SHOWN:
            yield f"    … and {result['tombstones']['count'] - MAX_SHOWN} more"
    yield "Not proven:"
    if not result["without_a_hole"]:
        yield "  that the selection is complete: events that are not shown leave no trace in it"
    if events["withheld"] or parts["withheld"]:
        yield f"  what {events['withheld']} events and {parts['withheld']} parts hold that were withheld"
    if result["claims"]:
        yield "  the words of whoever made the pack (report.html too): " + "; ".join(
            f"{key}: {value}" for key, value in result["claims"].items() if value is not None
        )
    yield "  that clients sent all they did, and that their own clocks are right"


# ── The command ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"verify.py: {message}\n")


def read_small(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - one way to open files, and this is the one for hostile ones
        data = file.read(MAX_SMALL_FILE + 1)
    if len(data) > MAX_SMALL_FILE:
        raise Refused(f"is larger than {MAX_SMALL_FILE} bytes")
    return data


def verify(options: argparse.Namespace, findings: Findings) -> dict[str, Any] | None:
    """The report, or None where the policy could not be read."""
    policy, previous, proof = None, None, None
    with findings.noting(options.policy):
        policy = Policy(read_small(options.policy))
    if policy is None:
        return None
    with findings.noting("the previous checkpoint"):
        if options.previous:
            previous = Checkpoint(decoded(read_small(options.previous)), policy)
        if options.consistency:
            proof = hashes(decoded(read_small(options.consistency)).split(), 128)
    run = Verification(policy, findings, options.now, previous)
    with findings.noting(options.evidence), Archive(io.FileIO(options.evidence)) as file:
        if file.peek(2)[:2] == b"PK":
            run.read_pack(file)
        else:
            run.read_dump(file, decoded(read_small(options.checkpoint)) if options.checkpoint else None)
    with findings.noting("the previous checkpoint"):
        run.compare_previous(proof)
    if run.checkpoint is None and not findings.count:
        findings.add(INCOMPLETE, options.evidence, "holds nothing that could be verified")
    return report(run, findings)


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="verify.py", description="Checks evidence of an Agent Governance Portal, offline.")
    parser.add_argument("evidence", help="a pack (.zip) or a dump (.ndjson)")
    parser.add_argument("--policy", required=True, help="the policy file (JSON) with the keys that you trust")
    parser.add_argument("--checkpoint", help="a checkpoint to hold a dump against, instead of the one in it")
    parser.add_argument("--previous", help="an older checkpoint that you kept: whether the log was only added to since")
    parser.add_argument("--consistency", help="the proof of that: a file of hashes in hex, one a line")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--now", type=int, default=int(time.time()), help="seconds since 1970 instead of the clock's")
    options = parser.parse_args(arguments)
    if options.consistency and not options.previous:
        parser.error("--consistency says how to get from --previous, which is not given")
    for path in (options.evidence, options.policy, options.checkpoint, options.previous, options.consistency):
        try:
            if path:
                open(path, "rb").close()  # noqa: PTH123 - whether it can be opened, before anything is read
        except IsADirectoryError:
            parser.error(f"{visible(path)} is a folder: name the file itself, a pack as the .zip that it came as")
        except OSError as error:
            parser.error(f"{visible(path)}: {error.strerror}")
    findings = Findings()
    result, text = None, []
    with findings.noting("verify.py"):
        result = verify(options, findings)
        text = list(sentences(result)) if result else []
    if not result or not text:
        code = findings.exit_code()
        result = {"format": "agp-verification/1", "verdict": VERDICTS[code], "exit": code, "findings": findings.shown}
        text = [
            f"{VERDICTS[code].upper()} (exit code {code})",
            *(f"  {f['where']}: {f['text']}" for f in findings.shown),
        ]
    shown = json.dumps(result, indent=2) if options.json else "\n".join(visible(line) for line in text)
    encoding = sys.stdout.encoding or "utf-8"
    print(shown.encode(encoding, "backslashreplace").decode(encoding))
    return int(result["exit"])


if __name__ == "__main__":
    sys.exit(main())
