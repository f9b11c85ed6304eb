"""Extremely randomised trees: scikit-learn's draws, and the same trees for any threads."""

import numpy as np
import pytest
import sklearn.ensemble

from skcourse.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

FEW = {"n_estimators": 6, "random_state": 0}


def rows(n=200, d=5):
    X = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    return X, (X[:, 0] + X[:, 1] > 0) + 2 * (X[:, 2] > 1)


def assert_same_trees(ours, theirs):
    """Compare the splits; thresholds are drawn in float64 between float32 numbers."""
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.tree_.feature, b.tree_.feature)
        np.testing.assert_allclose(a.tree_.threshold, b.tree_.threshold, rtol=1e-14)


@pytest.mark.parametrize("options", [{}, {"bootstrap": True, "oob_score": True, "max_depth": 4}])
def test_the_trees_are_scikit_learns(options):
    X, y = rows()
    options = options | FEW | {"n_estimators": 40}
    ours = ExtraTreesClassifier(**options).fit(X, y)
    theirs = sklearn.ensemble.ExtraTreesClassifier(**options).fit(X, y)
    assert_same_trees(ours, theirs)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-14)
    if "oob_score" in options:
        assert ours.oob_score_ == theirs.oob_score_


def test_regression_trees_are_scikit_learns():
    X, y = rows()
    options = {"max_leaf_nodes": 15, "max_features": 3, **FEW}  # no pairs of rows, whose cuts tie
    ours = ExtraTreesRegressor(**options).fit(X, X[:, 0] + 0.1 * y)
    theirs = sklearn.ensemble.ExtraTreesRegressor(**options).fit(X, X[:, 0] + 0.1 * y)
    assert_same_trees(ours, theirs)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-13)


def test_lists_have_as_many_columns_as_arrays():
    X, y = rows(40)
    listed = ExtraTreesClassifier(**FEW).fit(X.tolist(), y.tolist())
    assert_same_trees(listed, ExtraTreesClassifier(**FEW).fit(X, y))
    np.testing.assert_array_equal(listed._encoder.is_categorical, np.zeros(X.shape[1], bool))


def test_a_weight_is_a_repetition_and_missing_values_take_a_side():
    X, y = rows()
    X = np.where(np.random.default_rng(1).random(X.shape) < 0.2, np.nan, X).astype(np.float32)
    weights = np.arange(len(X)) % 3
    weighted = ExtraTreesClassifier(**FEW).fit(X, y, weights)
    repeated = ExtraTreesClassifier(**FEW).fit(X.repeat(weights, axis=0), y.repeat(weights))
    seen = X[weights > 0]  # where a node has seen none missing, the larger number of rows counts
    np.testing.assert_array_equal(weighted.predict_proba(seen), repeated.predict_proba(seen))
    threads = ExtraTreesClassifier(n_jobs=2, **FEW).fit(X, y, weights)
    np.testing.assert_array_equal(weighted.predict_proba(X), threads.predict_proba(X))
    assert weighted.score(seen, y[weights > 0]) == 1.0
