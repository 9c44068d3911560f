import datetime as dt
import itertools

from hypothesis import given
from hypothesis import strategies as st

from audit import identifiers

MOMENTS = st.integers(0, 2**48 * 1000 - 1)


@given(MOMENTS)
def test_an_id_carries_its_receive_time_to_the_microsecond(moment):
    (event_id,) = identifiers.event_ids(moment, 1)
    assert identifiers.received_at_us(event_id) == moment
    assert (event_id.version, event_id.variant) == (7, "specified in RFC 4122")


@given(MOMENTS, st.integers(2, 50))
def test_ids_of_one_request_sort_in_its_order(moment, count):
    ids = list(identifiers.event_ids(moment, count))
    assert ids == sorted(ids)
    assert len(set(ids)) == count


@given(st.lists(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(9000, 1, 1), timezones=st.just(dt.UTC)), min_size=2))
def test_the_lower_bound_of_a_moment_divides_ids(moments):
    for earlier, later in itertools.pairwise(sorted(set(moments))):
        since_epoch = (earlier - identifiers.EPOCH) // dt.timedelta(microseconds=1)
        (event_id,) = identifiers.event_ids(since_epoch, 1)
        assert identifiers.lower_bound(earlier) <= event_id < identifiers.lower_bound(later)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_derived_ids_are_the_same_only_for_the_same_parts(first, second):
    assert (identifiers.derived(*first) == identifiers.derived(*second)) == (first == second)
    assert identifiers.derived(*first).version == 8
