"""Labels kept apart."""

import pandas as pd
import pytest

from seqdemo.charts.style import spread


def test_labels_that_fit_stay_where_they_are():
    values = pd.Series([0.9, 0.1, 0.5])
    assert spread(values, 0.3).tolist() == [0.9, 0.1, 0.5]


def test_labels_too_close_are_moved_apart_in_their_order():
    placed = spread(pd.Series([0.52, 0.50, 0.51], index=["c", "a", "b"]), 0.1)
    assert list(placed.index) == ["c", "a", "b"]
    assert placed["b"] - placed["a"] > 0.0999
    assert placed["c"] - placed["b"] > 0.0999
    assert placed.mean() == pytest.approx(0.51)


def test_equal_values_are_moved_apart_too():
    assert spread(pd.Series([1.0, 1.0]), 0.5).diff().iloc[1] == pytest.approx(0.5, rel=2e-3)
