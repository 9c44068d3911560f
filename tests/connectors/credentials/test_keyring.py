"""A ring of keys in files: made once, read by many, never overwritten."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.credentials.keyring import KeyRing, NoKey


@pytest.fixture
def ring(tmp_path) -> KeyRing:
    return KeyRing(tmp_path / "keys")


def test_the_first_key_is_made_when_it_may_be(ring):
    with pytest.raises(NoKey, match="Bring the folder back"):
        ring.current()
    key = ring.current(may_make=True)
    assert ring.current() == key
    assert ring.ids() == [key.id]


def test_only_its_user_may_read_it(ring):
    key = ring.make()
    assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((ring.folder / f"{key.id.hex()}.key").stat().st_mode) == 0o600


def test_of_many_that_make_the_first_key_together_all_get_the_same(ring):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: ring.current(may_make=True).id, range(32)))
    assert keys == {ring.newest()}
    assert ring.ids() == [ring.newest()]


def test_a_new_key_is_current_and_the_old_one_stays(ring):
    old, new = ring.make(), ring.make()
    assert ring.current() == new
    assert ring.key(old.id) == old


def test_the_current_key_cannot_be_removed(ring):
    old, new = ring.make(), ring.make()
    with pytest.raises(ValueError, match="current"):
        ring.remove(new.id)
    ring.remove(old.id)
    with pytest.raises(NoKey, match=old.id.hex()):
        ring.key(old.id)
