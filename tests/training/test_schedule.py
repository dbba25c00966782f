import math

import pytest

from seqdemo.training import schedule


def course(factor, updates):
    return [factor(update, updates) for update in range(updates)]


def test_the_rate_rises_over_the_warm_up_and_falls_along_a_cosine():
    found = course(schedule.warmed_up(schedule.cosine, 0.2), 10)
    assert found == pytest.approx([0.5, 1.0, *(0.5 * (1 + math.cos(math.pi * k / 8)) for k in range(8))])


def test_a_warm_up_has_one_update_at_least_and_none_where_none_is_asked_for():
    assert course(schedule.warmed_up(schedule.constant, 0.01), 3) == [1, 1, 1]
    assert course(schedule.warmed_up(schedule.cosine, 0.0), 4) == course(schedule.cosine, 4)


def test_a_warm_up_in_shares_ends_where_its_share_ends_and_the_rate_falls_to_its_floor():
    factor = schedule.by_share(0.5, 0.1)
    assert factor(0, 10) == pytest.approx(0.001 / 0.501)
    assert factor(5, 10) == 1
    assert factor(10, 10) == pytest.approx(0.1)
