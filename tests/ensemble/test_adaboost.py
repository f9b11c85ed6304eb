"""AdaBoost: scikit-learn's ensembles for the same seed, and what the formulas say."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.ensemble
import sklearn.tree
from sklearn.callback import ProgressBar
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skcourse.ensemble import AdaBoostClassifier, AdaBoostRegressor
from skcourse.ensemble.adaboost_regressor import weighted_medians
from skcourse.tree import DecisionTreeClassifier, DecisionTreeRegressor

FEW = {"n_estimators": 12, "random_state": 0}
# Weights are rounded to multiples of 2^-52, relatively n 2^-52 at most, in each of the rounds.
NEAR = {"rtol": 1e-11, "atol": 1e-12}


@pytest.fixture(scope="module")
def data():
    """Rows, three classes, and whole numbers: their sums are exact, so no tie hangs on rounding."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6)).astype(np.float32)
    score = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=200)
    return X, np.digitize(score, [-0.5, 0.5]), np.round(20 * score)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("options", [{}, {"learning_rate": 0.3}])
@pytest.mark.parametrize("tree", [{"max_depth": 1}, {"max_depth": 2, "min_samples_leaf": 10}])
def test_classifier_is_scikit_learns(data, n_classes, options, tree):
    X, y, _ = data
    y = np.array(["a", "b", "c"])[np.minimum(y, n_classes - 1)]
    weights = np.random.default_rng(1).integers(1, 4, len(X)).astype(float)
    ours = AdaBoostClassifier(DecisionTreeClassifier(**tree), **FEW, **options)
    theirs = sklearn.tree.DecisionTreeClassifier(**tree)
    theirs = sklearn.ensemble.AdaBoostClassifier(theirs, **FEW, **options).fit(X, y, weights)
    ours.fit(X, y, weights)
    for name in ("estimator_weights_", "estimator_errors_", "feature_importances_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), **NEAR)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    for method in ("decision_function", "predict_proba", "predict_log_proba"):
        np.testing.assert_allclose(getattr(ours, method)(X), getattr(theirs, method)(X), **NEAR)
    for method in ("staged_decision_function", "staged_predict_proba"):
        for a, b in zip(getattr(ours, method)(X), getattr(theirs, method)(X), strict=True):
            np.testing.assert_allclose(a, b, **NEAR)
    assert list(ours.staged_score(X, y)) == list(theirs.staged_score(X, y))
    np.testing.assert_array_equal(ours.history_["error"], ours.estimator_errors_[: len(ours)])


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
@pytest.mark.parametrize("leaf", [1, 6])
def test_regressor_is_scikit_learns(data, loss, leaf):
    X, _, y = data
    tree = {"max_depth": 3, "min_samples_leaf": leaf}
    ours = AdaBoostRegressor(DecisionTreeRegressor(**tree), loss=loss, **FEW).fit(X, y)
    theirs = sklearn.tree.DecisionTreeRegressor(**tree)
    theirs = sklearn.ensemble.AdaBoostRegressor(theirs, loss=loss, **FEW).fit(X, y)
    np.testing.assert_allclose(ours.estimator_weights_, theirs.estimator_weights_, **NEAR)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), **NEAR)
    for a, b in zip(ours.staged_predict(X), theirs.staged_predict(X), strict=True):
        np.testing.assert_allclose(a, b, **NEAR)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.tree_.n_node_samples, b.tree_.n_node_samples)


def test_any_base_estimator_is_as_in_scikit_learn(data):
    X, labels, numbers = data
    for weak in (LogisticRegression(C=0.01), sklearn.tree.DecisionTreeClassifier(max_depth=2)):
        ours = AdaBoostClassifier(weak, **FEW).fit(X, labels)
        theirs = sklearn.ensemble.AdaBoostClassifier(weak, **FEW).fit(X, labels)
        # a minimum found to within a tolerance answers to the last bits of the weights
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-5)
    tree = {"max_depth": 3, "min_samples_split": 9}  # counts rows, which weights cannot stand for
    pairs = [
        (LinearRegression(), LinearRegression()),
        (DecisionTreeRegressor(**tree), sklearn.tree.DecisionTreeRegressor(**tree)),
    ]
    for our_base, their_base in pairs:
        ours = AdaBoostRegressor(our_base, **FEW).fit(X, numbers)
        theirs = sklearn.ensemble.AdaBoostRegressor(their_base, **FEW).fit(X, numbers)
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)


def test_repeated_rows_are_weighted_rows_to_the_bit(data):
    X, y, _ = data
    times = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = AdaBoostClassifier(**FEW).fit(X, y, times)
    shuffled = np.random.default_rng(2).permutation(np.repeat(np.arange(len(X)), times))
    repeated = AdaBoostClassifier(**FEW).fit(X[shuffled], y[shuffled])
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))


def test_ends_where_a_member_is_perfect_or_no_better_than_chance(data):
    X, y, _ = data
    perfect = AdaBoostClassifier(DecisionTreeClassifier(), **FEW).fit(X, y)
    assert len(perfect) == 1 and perfect.estimator_errors_[0] == 0 and perfect.score(X, y) == 1
    with pytest.raises(ValueError, match="worse than random"):
        AdaBoostClassifier(**FEW).fit(np.zeros((6, 1)), [0, 1, 2, 0, 1, 2])
    useless = AdaBoostRegressor(DecisionTreeRegressor(max_depth=1), **FEW)
    useless.fit(np.zeros((6, 1)), [0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    assert len(useless) == 1
    one_class = AdaBoostClassifier().fit(X, np.ones(len(X)))
    np.testing.assert_array_equal(one_class.predict_proba(X), np.ones((len(X), 1)))
    with pytest.warns(UserWarning, match="infinite values"):
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), learning_rate=1e3).fit(X, y > 0)


def test_sparse_missing_and_categories(data):
    X, y, _ = data
    dense, sparse = (AdaBoostClassifier(**FEW).fit(A, y) for A in (X, sp.csr_array(X)))
    np.testing.assert_array_equal(dense.predict_proba(X), sparse.predict_proba(sp.csr_array(X)))
    holes = X.copy()
    holes[::5, 0] = np.nan
    assert AdaBoostClassifier(**FEW).fit(holes, y).score(holes, y) > 0.5
    names = np.random.default_rng(0).choice(list("abcdefgh"), 200)
    frame = pd.DataFrame({"name": names, "x": X[:, 0]})
    y = np.isin(names, ["b", "e", "g"])
    stump = DecisionTreeClassifier(max_depth=1, categorical_features=["name"])
    assert AdaBoostClassifier(stump, **FEW).fit(frame, y).score(frame, y) == 1.0


def test_medians_by_definition():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(20, 5)), rng.uniform(size=5)
    for row, median in zip(values, weighted_medians(values, weights), strict=True):
        below = np.array([weights[row <= v].sum() for v in row])
        assert median == row[below >= weights.sum() / 2].min()


def test_callbacks_and_refusals(data, capsys):
    X, y, _ = data
    AdaBoostClassifier(n_estimators=3).set_callbacks(ProgressBar()).fit(X, y)
    assert "AdaBoostClassifier" in capsys.readouterr().out
    with pytest.raises(ValueError, match="doesn't support sample_weight"):
        AdaBoostClassifier(KNeighborsClassifier()).fit(X, y)
    with pytest.raises(ValueError, match="Negative values"):
        AdaBoostClassifier().fit(X, y, -np.ones(len(X)))
    with pytest.raises(ValueError, match="infinity"):
        AdaBoostRegressor().fit(np.where(X > 2, np.inf, X), y)
