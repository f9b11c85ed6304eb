"""Cuts by the absolute error: brute force and scikit-learn find the same."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from skcourse.tree.absolute_error import (
    ANY,
    absolute_error,
    rank_node,
    rank_rows,
    rows_of_node,
    search_absolute,
)
from skcourse.tree.search_ordered import MERIT, MISSING_LEFT, N_FOUND, N_LEFT, THRESHOLD, Limits
from skcourse.tree.targets import number_targets

FREE = Limits(1, 0.0, 0, -np.inf, np.inf)


def ranked_rows(y):
    ranked = rank_rows(number_targets(y), np.arange(len(y), dtype=np.int32))
    rank_node(ranked, 0, len(y))
    return rows_of_node(ranked, 0, len(y))


def search(x, y, weights=None, limits=FREE):
    """Return what the search finds, for y of shape (n, n_outputs)."""
    found = np.zeros(N_FOUND)
    order, n_missing = np.argsort(x, kind="stable").astype(np.int32), int(np.isnan(x).sum())
    targets = number_targets(y, weights)
    search_absolute(order, x.astype(np.float32), n_missing, ranked_rows(y), targets, limits, found)
    return found


def median_and_error(y, weights=None):
    """Return the weighted median, half way where it is between two rows, and (1)."""
    order = np.argsort(y)
    y, w = y[order], (np.ones(len(y)) if weights is None else weights[order])
    up_to = np.cumsum(w)
    i = np.searchsorted(up_to, up_to[-1] / 2)
    median = (y[i] + y[i + 1]) / 2 if up_to[i] == up_to[-1] / 2 else y[i]
    return median, np.sum(w * np.abs(y - median))


def example(seed, n_outputs=1):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 40))
    x = rng.integers(0, 12, n).astype(float)
    y = np.round(rng.normal(size=(n, n_outputs)), 1 if seed % 2 else 9)
    weights = None if seed % 3 else rng.integers(1, 4, n).astype(float)
    return x, y, weights


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_cut_is_as_good_as_that_of_scikit_learn(n_outputs):
    for seed in range(30):
        x, y, weights = example(seed, n_outputs)
        tree = DecisionTreeRegressor(criterion="absolute_error", max_depth=1, min_samples_leaf=2)
        tree = tree.fit(x[:, np.newaxis], y, sample_weight=weights).tree_
        medians = np.empty(n_outputs)
        whole = number_targets(y, weights)
        error = absolute_error(ranked_rows(y), whole, np.zeros(1, np.uint8), ANY, medians)
        np.testing.assert_allclose(medians, tree.value[0, :, 0], atol=1e-15)
        total = tree.weighted_n_node_samples[0] * n_outputs
        assert error == pytest.approx(tree.impurity[0] * total, abs=1e-12)
        found = search(x, y, weights, FREE._replace(min_samples=2))
        if tree.node_count == 1:
            assert found[MERIT] == -np.inf
            continue
        sides = tree.impurity[1:] @ tree.weighted_n_node_samples[1:] * n_outputs
        assert -found[MERIT] == pytest.approx(sides, abs=1e-12)
        left = x <= found[THRESHOLD]
        assert left.sum() == found[N_LEFT]


def test_missing_rows_go_where_they_fit_best():
    for seed in range(30):
        x, y, weights = example(seed)
        x[np.random.default_rng(seed).random(len(x)) < 0.3] = np.nan
        if np.isnan(x).all():
            continue
        found = search(x, y, weights)
        best, missing = np.inf, np.isnan(x)
        for threshold in [*np.unique(x[~missing]), np.inf]:
            for missing_left in range(1 + missing.any()):
                left = np.where(missing, missing_left == 1, x <= threshold)
                if 0 < left.sum() < len(x):
                    best = min(best, error_of_sides(y[:, 0], weights, left))
        if best == np.inf:
            assert found[MERIT] == -np.inf
            continue
        assert -found[MERIT] == pytest.approx(best, abs=1e-12)
        side = found[MISSING_LEFT] == 1
        left = np.where(missing, side, x <= found[THRESHOLD])
        assert error_of_sides(y[:, 0], weights, left) == pytest.approx(best, abs=1e-12)


def error_of_sides(y, weights, left):
    parts = [(y[side], None if weights is None else weights[side]) for side in (left, ~left)]
    return sum(median_and_error(*part)[1] for part in parts)


@pytest.mark.parametrize("sign", [-1, 1])
def test_monotonic_constraint(sign):
    for seed in range(20):
        x, y, weights = example(seed)
        tree = DecisionTreeRegressor(criterion="absolute_error", max_depth=1, monotonic_cst=[sign])
        tree = tree.fit(x[:, np.newaxis], y, sample_weight=weights).tree_
        found = search(x, y, weights, FREE._replace(sign=sign))
        if tree.node_count == 1:
            assert found[MERIT] == -np.inf
            continue
        sides = tree.impurity[1:] @ tree.weighted_n_node_samples[1:]
        assert -found[MERIT] == pytest.approx(sides, abs=1e-12)


def test_values_out_of_bounds_are_not_allowed():
    x, y = np.arange(6.0), np.array([0.0, 0, 1, 9, 9, 9])[:, np.newaxis]
    assert search(x, y)[THRESHOLD] == 2.5
    bounded = search(x, y, limits=FREE._replace(sign=1, upper=8.0))
    assert bounded[MERIT] == -np.inf
    assert search(x, y, limits=FREE._replace(sign=1, lower=0.5))[N_LEFT] > 3


def test_weight_is_repetition():
    for seed in range(0, 30, 3):
        x, y, weights = example(seed)
        times = weights.astype(int)
        once, repeated = search(x, y, weights), search(np.repeat(x, times), np.repeat(y, times, 0))
        np.testing.assert_allclose(once[[MERIT, THRESHOLD]], repeated[[MERIT, THRESHOLD]], 1e-12)


def test_sides_weigh_enough():
    x, y = np.arange(6.0), np.array([0.0, 9, 9, 9, 9, 9])[:, np.newaxis]
    weights = np.array([1.0, 1, 1, 1, 1, 5])
    assert search(x, y, weights)[N_LEFT] == 1
    assert search(x, y, weights, FREE._replace(min_weight=2.0))[N_LEFT] > 1
    assert search(x, y, weights, FREE._replace(min_weight=5.5))[MERIT] == -np.inf
