"""Bagging: scikit-learn's ensemble for the same seed, from trees of ours or from anything else."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.ensemble
import sklearn.tree
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.utils.random import sample_without_replacement

from skcourse.ensemble import BaggingClassifier, BaggingRegressor
from skcourse.ensemble.bagging_draws import indices
from skcourse.tree import DecisionTreeClassifier, DecisionTreeRegressor

FEW = {"n_estimators": 6, "random_state": 0}
OPTIONS = [
    {"oob_score": True, "n_estimators": 40},
    {"max_features": 0.5, "max_samples": 0.8},
    {"bootstrap_features": True, "max_samples": 90},
    {"bootstrap": False, "max_samples": 60, "max_features": 3},
]


@pytest.fixture(scope="module")
def data():
    """Rows, three classes, and whole numbers: their sums are exact, so no tie hangs on rounding."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6)).astype(np.float32)
    score = X[:, 0] + X[:, 1] * X[:, 2]
    return X, np.digitize(score, [-0.5, 0.5]), np.round(20 * score)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_is_scikit_learns(data, options, weighted):
    X, labels, numbers = data
    weights = np.random.default_rng(1).integers(0, 3, len(X)).astype(float) if weighted else None
    if weighted and not options.get("bootstrap", True):
        weights = None  # asked for with a warning: see below
    theirs = sklearn.ensemble.BaggingClassifier(**FEW | options).fit(X, labels, weights)
    ours = BaggingClassifier(**FEW | options).fit(X, labels, weights)
    for name in ("estimators_features_", "estimators_samples_"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.tree_.threshold, b.tree_.threshold)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-14)
    with np.errstate(divide="ignore"):
        logs = theirs.predict_log_proba(X)
    np.testing.assert_allclose(ours.predict_log_proba(X), logs, rtol=1e-12, atol=1e-14)
    regressor = BaggingRegressor(**FEW | options).fit(X, numbers, weights)
    reference = sklearn.ensemble.BaggingRegressor(**FEW | options).fit(X, numbers, weights)
    np.testing.assert_allclose(regressor.predict(X), reference.predict(X), rtol=1e-13)
    if "oob_score" in options:
        both = ours.oob_decision_function_, theirs.oob_decision_function_
        np.testing.assert_allclose(*both, rtol=1e-14)
        assert ours.oob_score_ == theirs.oob_score_ == ours.history_["oob_score"][-1]
        np.testing.assert_allclose(regressor.oob_prediction_, reference.oob_prediction_, rtol=1e-13)
        assert regressor.oob_score_ == pytest.approx(reference.oob_score_, rel=1e-13)


@pytest.mark.parametrize("base", [LogisticRegression(), Perceptron(), None])
@pytest.mark.parametrize("options", OPTIONS[:3])
def test_any_base_estimator_is_as_in_scikit_learn(data, base, options):
    X, labels, _ = data
    X = X.astype(np.float64)  # members answer in the precision of X, and are added up in groups
    base = base or sklearn.tree.DecisionTreeClassifier(max_depth=3)
    ours = BaggingClassifier(base, **FEW | options).fit(X, labels)
    theirs = sklearn.ensemble.BaggingClassifier(base, **FEW | options).fit(X, labels)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-13)
    assert hasattr(ours, "decision_function") == hasattr(theirs, "decision_function")
    if hasattr(ours, "decision_function"):
        expected = theirs.decision_function(X)
        np.testing.assert_allclose(ours.decision_function(X), expected, rtol=1e-12, atol=1e-13)
    if "oob_score" in options:
        assert ours.oob_score_ == theirs.oob_score_


def test_workers_change_no_bit(data):
    X, labels, _ = data
    for base in (None, LogisticRegression()):
        one, two = (BaggingClassifier(base, **FEW, n_jobs=n).fit(X, labels) for n in (1, 2))
        np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_parameters_of_the_tree_count(data):
    X, labels, _ = data
    options = {"max_depth": 3, "class_weight": {0: 5, 1: 1, 2: 1}, "ccp_alpha": 0.01}
    theirs = sklearn.tree.DecisionTreeClassifier(**options)
    theirs = sklearn.ensemble.BaggingClassifier(theirs, **FEW).fit(X, labels)
    ours = BaggingClassifier(DecisionTreeClassifier(**options), **FEW).fit(X, labels)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-13)


def test_warm_start_adds_the_members_that_were_missing(data):
    X, labels, _ = data
    model = BaggingClassifier(n_estimators=3, random_state=0, warm_start=True).fit(X, labels)
    first = model.estimators_[0]
    model.set_params(n_estimators=6).fit(X, labels)
    whole = BaggingClassifier(**FEW).fit(X, labels)
    assert model.estimators_[0] is first
    np.testing.assert_array_equal(model.predict_proba(X), whole.predict_proba(X))
    np.testing.assert_array_equal(model.estimators_samples_, whole.estimators_samples_)
    with pytest.warns(UserWarning, match="does not fit new trees"):
        model.fit(X, labels)


def test_sparse_missing_and_several_outputs(data):
    X, _, numbers = data
    holes = X.copy()
    holes[::7, 1] = np.nan
    Y = np.column_stack([numbers, X[:, 3]])
    model = BaggingRegressor(**FEW, oob_score=True).fit(holes, Y)
    assert model.predict(holes).shape == model.oob_prediction_.shape == Y.shape
    dense, sparse = (BaggingRegressor(**FEW).fit(A, numbers) for A in (X, sp.csr_array(X)))
    np.testing.assert_array_equal(dense.predict(X), sparse.predict(sp.csr_array(X)))


def test_categories_by_the_base_tree():
    rng = np.random.default_rng(0)
    names = rng.choice(list("abcdefgh"), 300)
    frame = pd.DataFrame({"name": pd.Categorical(names), "noise": rng.normal(size=300)})
    y = np.isin(names, ["b", "e", "g"]).astype(int)
    tree = DecisionTreeClassifier(max_depth=1, categorical_features="from_dtype")
    model = BaggingClassifier(tree, **FEW).fit(frame, y)
    assert model.score(frame, y) == 1.0  # one split by the set {b, e, g}
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))


def test_shapley_values_add_up(data):
    X, labels, numbers = data
    model = BaggingRegressor(DecisionTreeRegressor(max_depth=4), max_features=4, **FEW)
    values = model.fit(X, numbers).shap_values(X[:9])
    np.testing.assert_allclose(
        values.sum(axis=1) + model.shap_expected_value_, model.predict(X[:9]), rtol=1e-10
    )
    with pytest.raises(ValueError, match="trees of skcourse"):
        BaggingClassifier(LogisticRegression(), **FEW).fit(X, labels).shap_values(X)


@pytest.mark.parametrize(("n", "size"), [(5000, 40), (100, 1), (30, 30), (60, 20)])
def test_numbers_are_drawn_as_in_scikit_learn(n, size):
    ours, theirs = np.random.RandomState(0), np.random.RandomState(0)
    expected = sample_without_replacement(n, size, random_state=theirs)
    np.testing.assert_array_equal(indices(ours, n, size, False), expected)
    assert ours.randint(10**9) == theirs.randint(10**9)


def test_refusals(data):
    X, labels, _ = data
    with pytest.raises(ValueError, match="max_features must be <= n_features"):
        BaggingClassifier(max_features=7).fit(X, labels)
    with pytest.raises(ValueError, match="max_samples=201 must be <= n_samples=200"):
        BaggingClassifier(max_samples=201, bootstrap=False).fit(X, labels)
    with pytest.raises(ValueError, match="only available if bootstrap=True"):
        BaggingClassifier(bootstrap=False, oob_score=True).fit(X, labels)
    with pytest.raises(ValueError, match="infinity"):
        BaggingClassifier().fit(np.where(X > 2, np.inf, X), labels)
    with pytest.warns(UserWarning, match="recommended to use bootstrap=True"):
        BaggingClassifier(bootstrap=False, **FEW).fit(X, labels, np.ones(len(X)))
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        BaggingClassifier(n_estimators=1, oob_score=True, random_state=0).fit(X, labels)
