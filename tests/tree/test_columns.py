"""Columns are sorted as numpy sorts them, missing values last."""

import numpy as np
from numpy.testing import assert_array_equal

from skcourse.tree.columns import rank_columns, with_orders


def columns_of_all_kinds():
    """Return ties, both zeros, denormal and infinite numbers, and missing values."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 4)).astype(np.float32)
    X[:, 1] = rng.integers(-3, 4, 500)
    X[::2, 1] *= -1  # 0 becomes -0
    X[:5, 2] = [np.inf, -np.inf, 1e-45, -1e-45, 0]
    X[rng.random(500) < 0.2, 3] = np.nan
    return X


def test_rows_are_in_the_stable_order_of_each_column():
    X = columns_of_all_kinds()
    columns = rank_columns(X, n_jobs=2)
    for f in range(X.shape[1]):
        assert_array_equal(columns.orders[f], np.argsort(X[:, f], kind="stable"))
    assert_array_equal(columns.values, X.T)
    assert_array_equal(columns.has_missing, [False, False, False, True])


def test_columns_are_sorted_later_if_not_at_once():
    X = columns_of_all_kinds()
    unsorted = rank_columns(X, orders=False)
    assert unsorted.orders.shape == (4, 0)
    assert_array_equal(with_orders(unsorted).orders, rank_columns(X).orders)
