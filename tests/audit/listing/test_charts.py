import re

import pytest

from audit.listing.charts import Chart, Column, Series, sparkline

SERIES = [Series("By policy", "policy"), Series("Rejected", "rejected")]


def chart(*values: tuple[int, int]) -> Chart:
    columns = [Column(str(day), f"{day} Nov", value) for day, value in enumerate(values, start=1)]
    return Chart("Decisions", "Decisions a day", SERIES, columns)


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 3), (3, 3), (4, 6), (10, 12), (16, 24), (25, 30), (3187, 6000), (61, 90)]
)
def test_it_ends_the_axis_at_a_number_that_has_whole_thirds(highest, top):
    assert chart((highest, 0)).top == top
    assert top >= highest


def test_it_stacks_without_overlap_and_within_the_picture():
    drawn = chart((7, 2), (0, 5), (9, 0)).segments
    assert [segment.fill for segment in drawn] == ["policy", "rejected", "rejected", "policy"]
    first, second = drawn[:2]
    assert float(second.y) + float(second.height) <= float(first.y)
    assert all(0 <= float(segment.y) <= 200 for segment in drawn)
    assert float(drawn[-1].x.rstrip("%")) + float(drawn[-1].width.rstrip("%")) <= 100


def test_it_draws_the_smallest_share_visibly():
    assert all(float(segment.height) > 0 for segment in chart((100_000, 1)).segments)


def test_it_draws_heights_in_proportion():
    tall, low = chart((90, 0), (45, 0)).segments
    assert float(tall.height) == pytest.approx(2 * float(low.height), abs=2)


def test_it_pairs_values_with_their_links():
    assert Column("1", "1 Nov", (4, 5), ("?a", "?b")).cells == [(4, "?a"), (5, "?b")]
    assert Column("1", "1 Nov", (4, 5)).cells == [(4, ""), (5, "")]


def test_it_adds_up_each_series():
    assert [total for _, total in chart((7, 2), (1, 5)).totals] == [8, 7]


def test_it_draws_a_line_from_left_to_right_with_its_highest_on_top():
    points = [tuple(map(float, point)) for point in re.findall(r"([\d.]+) ([\d.]+)", sparkline([0, 5, 10]))]
    assert points == [(1.0, 21.0), (60.0, 12.0), (119.0, 3.0)]
    assert sparkline([4]) == ""
