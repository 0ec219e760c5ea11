"""What the dashboard keeps of the watts: means of what a chart can show, and no more."""

import pytest

from greennb.jupyter.dashboard.known import Watts
from greennb.views.live_chart import MOST_POINTS


def test_within_a_bin_looks_are_averaged_and_stand_at_the_latest_time():
    watts = Watts(MOST_POINTS * 1.0, 1)
    watts.add([0.0, 0.5, 1.0], [[1.0, 3.0, 10.0]])
    watts.add([1.5], [[20.0]])
    assert watts.t_s == [0.5, 1.5]
    assert watts.w == [[2.0, 15.0]]


def test_a_bin_in_which_a_look_failed_has_no_number():
    watts = Watts(MOST_POINTS * 1.0, 2)
    watts.add([0.0, 0.5, 1.0], [[1.0, None, 3.0], [5.0, 5.0, 5.0]])
    assert watts.w == [[None, 3.0], [5.0, 5.0]]


@pytest.mark.parametrize("span_s", [30.0, 60.0, 3600.0])
def test_an_hour_at_two_looks_a_second_keeps_the_span_and_no_more_points_than_can_be_seen(span_s):
    watts = Watts(span_s, 1)
    for second in range(3600):
        watts.add([second, second + 0.5], [[10.0, 12.0]])
    assert len(watts.t_s) == len(watts.w[0]) <= MOST_POINTS + 3
    assert watts.t_s[-1] - watts.t_s[0] >= span_s - 2 * span_s / MOST_POINTS - 1
    assert all(10 <= value <= 12 for value in watts.w[0])


def test_nothing_changes_nothing():
    watts = Watts(60.0, 2)
    watts.add([], [[], []])
    assert (watts.t_s, watts.w) == ([], [[], []])
