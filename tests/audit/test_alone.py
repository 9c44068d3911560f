"""One process at a time."""

import psycopg
import pytest
from django.db import connection

from audit import alone

pytestmark = pytest.mark.django_db


@pytest.fixture
def another(superuser_url):
    """A connection of another process."""
    with psycopg.connect(superuser_url, dbname=connection.settings_dict["NAME"], autocommit=True) as other:
        yield other


def takes(other, work):
    return other.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [work]).fetchone()[0]


def test_who_is_alone_keeps_others_off_until_the_end(another):
    with alone.at("folding") as is_alone:
        assert is_alone
        assert not takes(another, "folding")
        assert takes(another, "something else")
    assert takes(another, "folding")


def test_it_says_that_another_is_at_it_and_leaves_them_at_it(another):
    assert takes(another, "folding")
    with alone.at("folding") as is_alone:
        assert not is_alone
    another.execute("SELECT pg_advisory_unlock_all()")
    with alone.at("folding") as is_alone:
        assert is_alone


def test_a_failure_lets_go_and_is_told(another):
    with pytest.raises(ZeroDivisionError), alone.at("folding"):
        1 / 0  # noqa: B018
    assert takes(another, "folding")
