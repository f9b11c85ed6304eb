"""Isolation forests: scikit-learn's trees and scores for the same seed."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.ensemble

from skcourse.ensemble import IsolationForest
from skcourse.ensemble.isolation_forest import mean_cuts

FEW = {"n_estimators": 12, "random_state": 0}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(500, 5)).astype(np.float32)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_samples": 3},
        {"max_samples": 0.3, "bootstrap": True, "contamination": 0.1},
        {"max_samples": 500, "max_features": 0.4},
        {"max_features": 2, "contamination": 0.25},
    ],
)
@pytest.mark.parametrize("kind", ["plain", "weighted", "missing", "sparse"])
def test_is_scikit_learns(X, options, kind):
    weights = None
    if kind == "weighted":
        weights = np.random.default_rng(1).integers(1, 3, len(X)).astype(float)
    elif kind == "missing":
        X = np.where(X > 1.5, np.float32(np.nan), X)
    elif kind == "sparse":
        X = sp.csr_array(np.where(X > 0, X, np.float32(0)))
    ours = IsolationForest(**FEW, **options).fit(X, sample_weight=weights)
    theirs = sklearn.ensemble.IsolationForest(**FEW, **options).fit(X, sample_weight=weights)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.tree_.threshold, b.tree_.threshold)
        np.testing.assert_array_equal(a.tree_.n_node_samples, b.tree_.n_node_samples)
        np.testing.assert_allclose(a.tree_.value, b.tree_.value, rtol=1e-13)
    np.testing.assert_array_equal(ours.estimators_samples_, theirs.estimators_samples_)
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), rtol=1e-14)
    assert ours.offset_ == pytest.approx(theirs.offset_, rel=1e-14)
    assert ours.max_samples_ == theirs.max_samples_
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_cuts_by_definition():
    """The mean depth at which a random tree of n rows isolates one: brute recursion on n."""
    depth = [0.0, 0.0]
    for n in range(2, 60):  # the cut leaves i of n rows on one side, i = 1 .. n - 1 alike
        depth.append(1 + sum(2 * i / n * depth[i] for i in range(1, n)) / (n - 1))
    # H(k) = log k + Euler's constant leaves out 1 / 2k: c is 2 H, so 1 / k is what may be missing
    n = np.arange(3, 60)
    np.testing.assert_array_less(abs(mean_cuts(n) - np.array(depth)[n]), 1 / (n - 1))
    np.testing.assert_array_equal(mean_cuts([0, 1, 2]), [0, 0, 1])


def test_threads_and_pickles_change_no_bit(X):
    one, two = (IsolationForest(**FEW, n_jobs=n).fit(X) for n in (1, 2))
    np.testing.assert_array_equal(one.score_samples(X), two.score_samples(X))
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(one.score_samples(X), again.score_samples(X))


def test_warm_start_adds_the_trees_that_were_missing(X):
    model = IsolationForest(n_estimators=5, random_state=0, warm_start=True).fit(X)
    first = model.estimators_[0]
    model.set_params(n_estimators=12).fit(X)
    assert model.estimators_[0] is first and len(model) == 12
    whole = IsolationForest(**FEW).fit(X)
    np.testing.assert_array_equal(model.score_samples(X), whole.score_samples(X))


def test_few_rows_and_constant_ones(X):
    with pytest.warns(UserWarning, match="max_samples will be set to n_samples"):
        assert IsolationForest(max_samples=1000, **FEW).fit(X).max_samples_ == 500
    for rows in (X[:1], np.ones((20, 3))):
        assert np.all(IsolationForest(**FEW).fit(rows).predict(rows) == 1)
    weights = np.zeros(len(X))
    weights[:30] = 1.0  # fewer rows with weight than would be drawn
    model = IsolationForest(**FEW).fit(X, sample_weight=weights)
    assert model.max_samples_ == 30
    assert all(set(drawn) == set(range(30)) for drawn in model.estimators_samples_)


def test_a_rare_category_is_an_outlier():
    names = np.array(["a", "b", "c"] * 60 + ["z"])
    frame = pd.DataFrame({"name": names, "x": np.tile(np.arange(3.0), 61)[: len(names)]})
    model = IsolationForest(n_estimators=60, random_state=0, categorical_features=["name"])
    scores = model.fit(frame).score_samples(frame)
    assert np.argmin(scores) == len(names) - 1
    unseen = frame.assign(name="?")
    assert np.isfinite(model.score_samples(unseen)).all()


def test_refusals(X):
    for bad in ({"max_samples": 0}, {"contamination": 0.6}, {"n_estimators": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            IsolationForest(**bad).fit(X)
    with pytest.raises(ValueError, match="infinity"):
        IsolationForest().fit(np.where(X > 2, np.inf, X))
