import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.proofs import checkpoints, notes
from audit.proofs.checkpoints import Checkpoint, CheckpointError
from audit.proofs.notes import COSIGNATURE, Note, NoteError, VerifierKey

# The example of the signed-note specification and of golang.org/x/mod/sumdb/note.
EXAMPLE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
EXAMPLE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "portal.example.org/evidence/1/0"
KEY = notes.verifier_key(ORIGIN, PRIVATE)
WITNESS = notes.verifier_key("witness.example.org", PRIVATE, COSIGNATURE)
TEXT = "one\ntwo\n"


def signed(text: str = TEXT) -> Note:
    return Note(text, (notes.sign(text, ORIGIN, PRIVATE), notes.cosign(text, WITNESS.name, PRIVATE, 1_700_000_000)))


def test_the_specifications_example_verifies():
    key = VerifierKey.parse(EXAMPLE_KEY)
    note = notes.parse(EXAMPLE)
    assert notes.verified_by(note, [key]) == {key: None}
    assert (str(key), str(note)) == (EXAMPLE_KEY, EXAMPLE)


def test_it_is_verified_by_those_who_signed_it():
    assert notes.verified_by(notes.parse(str(signed())), [KEY, WITNESS]) == {KEY: None, WITNESS: 1_700_000_000}


def test_an_unknown_key_says_nothing():
    other = notes.verifier_key(ORIGIN, Ed25519PrivateKey.generate())
    assert notes.verified_by(signed(), [other]) == {}


@pytest.mark.parametrize("key", [KEY, WITNESS], ids=["signature", "cosignature"])
def test_every_changed_bit_of_a_signature_is_noticed(key):
    note = signed()
    place = [KEY, WITNESS].index(key)
    signature = note.signatures[place]
    for bit in range(8 * len(signature.value)):
        value = bytearray(signature.value)
        value[bit // 8] ^= 1 << bit % 8
        changed = notes.Signature(signature.name, signature.key_id, bytes(value))
        with pytest.raises(NoteError, match="does not verify"):
            notes.verified_by(Note(note.text, (changed,)), [key])


@pytest.mark.parametrize("text", ["One\ntwo\n", "one\ntwo\n\n", "one\n"])
def test_another_text_is_not_what_was_signed(text):
    with pytest.raises(NoteError, match="does not verify"):
        notes.verified_by(Note(text, signed().signatures), [KEY])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "no signatures", id="empty"),
        pytest.param("one\n", "no signatures", id="unsigned"),
        pytest.param("one\n\n— a AAAAAAA=", "no signatures", id="without an end"),
        pytest.param("one\n\n- a AAAAAAA=\n", "malformed", id="a hyphen"),
        pytest.param("one\n\n— a b c\n", "not base64", id="spaces"),
        pytest.param("one\n\n— a+b AAAAAAA=\n", "malformed", id="a plus in the name"),
        pytest.param("one\n\n— a AAAA\n", "malformed", id="no more than a key id"),
        pytest.param("o\x00ne\n\n— a AAAAAAA=\n", "control character", id="NUL"),
        pytest.param("one\n\n" + "— a AAAAAAA=\n" * 101, "too many", id="many signatures"),
        pytest.param("x" * (1 << 20) + "\n\n— a AAAAAAA=\n", "too long", id="long"),
    ],
)
def test_what_is_no_note_is_refused(text, why):
    with pytest.raises(NoteError, match=why):
        notes.parse(text)


@pytest.mark.parametrize(
    "text", ["", "a", "a+b", "a+00000000+AAAA", EXAMPLE_KEY.replace("c74f20a3", "c74f20a4"), f"{EXAMPLE_KEY}AAAA"]
)
def test_what_is_no_key_is_refused(text):
    with pytest.raises(NoteError, match=r"key|base64"):
        VerifierKey.parse(text)


@given(st.text())
def test_nothing_that_is_read_raises_anything_else(text):
    for read in (notes.parse, VerifierKey.parse):
        try:
            read(text)
        except NoteError:
            continue


@pytest.mark.parametrize("at", [None, 0, 1_795_000_000])
def test_a_checkpoint_is_read_as_it_was_written(at):
    head = Checkpoint(ORIGIN, 2**40, bytes(range(32)), at)
    assert checkpoints.parse(str(head)) == head
    assert checkpoints.parse(f"{head}another line\n") == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n1\nAAAA\n",
        "a\n01\n" + "A" * 43 + "=\n",
        "a\n-1\n" + "A" * 43 + "=\n",
        "\n1\n" + "A" * 43 + "=\n",
        "a\n1\n" + "A" * 43 + "=",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(CheckpointError):
        checkpoints.parse(text)
