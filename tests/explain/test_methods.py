"""Methods: how far two agree, and what a figure says for a verdict."""

import numpy as np
import pytest

from seqdemo.explain import methods


def array(*values):
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(
    ("one", "other", "rho"),
    [
        (array(1, 2, 3, 4), array(10, 20, 30, 400), 1),
        (array(1, 2, 3, 4), array(-1, -2, -3, -4), 1),
        (array(1, 2, 3, 4), array(4, 3, 2, 1), -1),
        (array(1, 2, 3, 4, 5), array(2, 1, 4, 3, 5), 0.8),
        (array(0, 0, 1, 2), array(1, 2, 3, 4), 0.9486833),
    ],
    ids=["same order", "sign ignored", "reversed", "1 - 6 Σd² / n(n² - 1)", "ties share a rank"],
)
def test_the_correlation_is_spearmans_of_absolute_values(one, other, rho):
    assert methods.rank_correlation(one, other) == pytest.approx(rho)
    assert methods.rank_correlation(other, one) == pytest.approx(rho)


def test_without_an_order_there_is_no_correlation():
    assert np.isnan(methods.rank_correlation(array(2, 2, -2), array(1, 2, 3)))
    assert np.isnan(methods.rank_correlation(array(1), array(1)))


def test_shares_keep_the_sign_and_add_up_to_one():
    found = methods.shares(array(3, -1, 0))
    np.testing.assert_allclose(found, [0.75, -0.25, 0])
    np.testing.assert_array_equal(methods.shares(array(0, 0)), [0, 0])


def test_what_speaks_for_a_negative_verdict_is_turned_round_where_it_has_a_sign():
    values = array(1, -2)
    np.testing.assert_array_equal(methods.in_favour(values, signed=True, positive=True), [1, -2])
    np.testing.assert_array_equal(methods.in_favour(values, signed=True, positive=False), [-1, 2])
    np.testing.assert_array_equal(methods.in_favour(values, signed=False, positive=False), [1, -2])


def test_every_method_says_what_it_means():
    assert all(name == method.name and method.meaning.endswith(".") for name, method in methods.METHODS.items())
    assert methods.SIGNED == ("integrated_gradients", "gradient_x_input", "leave_one_out")
