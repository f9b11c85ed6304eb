"""Shapley values of trees: their definition taken literally, on small trees."""

import itertools
from math import factorial

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_regression
from sklearn.ensemble import RandomForestRegressor

from skcourse.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skcourse.tree.nodes import LEAF
from skcourse.tree.shap import tree_shap
from skcourse.tree.walk import add_values, pack
from tests.tree.given_trees import grown_at_random, mixed_rows, nodes_of, side


def knowing(tree, x, known, node=0):
    """Return f_S(x): both sides are taken where the feature is not known."""
    if tree.children_left[node] == LEAF:
        return tree.value[node, 0]
    if tree.feature[node] in known:
        return knowing(tree, x, known, side(tree, node, x))
    children = [tree.children_left[node], tree.children_right[node]]
    shares = tree.weighted_n_node_samples[children] / tree.weighted_n_node_samples[node]
    return sum(s * knowing(tree, x, known, c) for s, c in zip(shares, children, strict=True))


def shapley(tree, x):
    """Return the sum over all subsets, (d, n_values)."""
    d = len(x)
    values = np.zeros((d, tree.value.shape[2]))
    for i in range(d):
        others = [j for j in range(d) if j != i]
        for size in range(d):
            weight = factorial(size) * factorial(d - size - 1) / factorial(d)
            for S in itertools.combinations(others, size):
                values[i] += weight * (knowing(tree, x, {*S, i}) - knowing(tree, x, {*S}))
    return values


@pytest.mark.parametrize("depth", [0, 1, 3, 7])
def test_shapley_values_are_the_sum_over_subsets(depth):
    """Features come several times on the longer paths; some values are missing, some unknown."""
    rng = np.random.default_rng(depth)
    tree = grown_at_random(rng, n_features=4, n_values=2, depth=depth, n_categories=70)
    X = mixed_rows(rng, 6, 4, 70)
    found = tree_shap(pack([tree]), X)
    expected = np.array([shapley(tree, x) for x in X])
    assert np.allclose(found.values, expected, rtol=0, atol=1e-13)  # values of order 1
    assert np.allclose(found.expected, knowing(tree, X[0], set()), rtol=0, atol=1e-13)


def test_they_add_up_to_the_prediction_of_deep_trees():
    X, y = make_regression(400, 12, noise=5.0, random_state=0)
    forest = RandomForestRegressor(4, random_state=0).fit(X, y)
    walk = pack([nodes_of(tree.tree_) for tree in forest.estimators_], scale=0.25)
    X = X.astype(np.float32)
    found = tree_shap(walk, X)
    total = found.values[..., 0].sum(axis=1) + found.expected[0]
    assert np.allclose(total, forest.predict(X), rtol=0, atol=1e-11 * np.ptp(y))


def test_columns_threads_and_sparse_rows():
    rng = np.random.default_rng(0)
    trees = [grown_at_random(rng, n_features=5, depth=4) for _ in range(6)]
    walk = pack(trees, columns=[0, 1, 2, 0, 1, 2])
    X = sparse.random(300, 5, 0.6, format="csr", dtype=np.float32, random_state=0)
    found = tree_shap(walk, X.toarray(), width=3, n_jobs=1)
    assert np.array_equal(found.values, tree_shap(walk, X, width=3, n_jobs=2).values)
    total = found.values.sum(axis=1) + found.expected
    assert np.allclose(total, add_values(walk, X, np.zeros((300, 3))), rtol=0, atol=1e-13)
    one = tree_shap(pack([trees[1], trees[4]]), X)
    assert np.allclose(found.values[..., 1:2], one.values, rtol=0, atol=1e-14)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_shap_values_of_an_estimator_add_up(n_outputs):
    rng = np.random.default_rng(0)
    X, classes = rng.normal(size=(120, 5)), np.array(["a", "b", "c"])
    X[rng.random(X.shape) < 0.1] = np.nan
    y = rng.integers(0, 3, (120, n_outputs))
    model = DecisionTreeClassifier(max_depth=4).fit(X, classes[y] if n_outputs > 1 else y[:, 0])
    found, expected = model.shap_values(X), model.shap_expected_value_
    shares = model.predict_proba(X)
    if n_outputs == 1:
        found, expected, shares = [found], [expected], [shares]
    for f, e, p in zip(found, expected, shares, strict=True):
        assert f.shape == (120, 5, 3)
        assert np.allclose(f.sum(axis=1) + e, p, rtol=0, atol=1e-13)
    model = DecisionTreeRegressor(max_depth=4).fit(X, 1.0 * (y if n_outputs > 1 else y[:, 0]))
    found = model.shap_values(X)
    assert found.shape == ((120, 5, 2) if n_outputs == 2 else (120, 5))
    total = found.sum(axis=1) + model.shap_expected_value_
    assert np.allclose(total, model.predict(X), rtol=0, atol=1e-13)
