"""Columns are sorted as numpy sorts them, missing values last."""

from itertools import pairwise

import numpy as np
from numpy.testing import assert_array_equal

from skcourse.tree.columns import code_rows, key_up_to, rank_columns, value_of, with_orders


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


def test_keys_are_in_the_order_of_the_values_and_give_them_back():
    x = columns_of_all_kinds()[:, [0, 2]].ravel()
    x = np.sort(np.concatenate([x, np.nextafter(x, np.float32(5))]))  # neighbours as well
    codes, codes_of = np.empty((len(x), 1), np.uint32), np.empty((1, len(x)), np.uint32)
    code_rows(x[np.newaxis], x[np.newaxis].view(np.uint32), codes, codes_of)
    assert_array_equal(codes[:, 0], codes_of[0])
    assert_array_equal(np.diff(codes_of[0].astype(np.int64)) > 0, np.diff(x) > 0)
    assert_array_equal([value_of(key) for key in codes_of[0]], x)
    with np.errstate(over="ignore"):
        between = [np.float64(a) + (np.float64(b) - a) * 0.6 for a, b in pairwise(x[1:-1])]
    for at in [*between, *x[1:-1].astype(np.float64)]:
        assert_array_equal(codes_of[0] <= key_up_to(at), x <= at)
