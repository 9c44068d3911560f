import fcntl

import pytest

from ingest.receiving.turns import Turn


def test_another_process_has_to_wait_for_its_turn(tmp_path):
    file = tmp_path / "turn.lock"
    with Turn(file).taken(), file.open("wb") as another, pytest.raises(BlockingIOError):
        fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with file.open("wb") as another:
        fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_turn_that_fails_is_over(tmp_path):
    turn = Turn(tmp_path / "turn.lock")
    with pytest.raises(KeyError), turn.taken():
        raise KeyError
    with turn.taken():
        pass
