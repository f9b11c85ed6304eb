"""Logistic regression by cross-validation: scikit-learn's scores, paths and choice."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV as Theirs
from sklearn.metrics import accuracy_score

from skcourse.linear_model import LogisticRegression, LogisticRegressionCV

NEW = {"use_legacy_attributes": False, "scoring": "neg_log_loss"}
SHARP = {"solver": "newton-cholesky", "tol": 1e-10, "max_iter": 200}
CLOSE = {"rtol": 1e-6, "atol": 1e-8}  # both stop at slopes of 1e-10, at penalties of 1e-3 and more


def data(n_classes=2, n=120):
    return make_classification(
        n, 5, n_informative=4, n_redundant=0, n_classes=n_classes, random_state=1
    )


def both(X, y, sample_weight=None, **parameters):
    """Return our fit and theirs."""
    parameters = {"Cs": [0.01, 0.1, 1.0], "cv": 3, "l1_ratios": (0,)} | SHARP | parameters
    fits = (cls(**parameters).fit(X, y, sample_weight) for cls in (LogisticRegressionCV, Theirs))
    return tuple(fits)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_new_attributes_are_theirs(n_classes, refit, fit_intercept):
    X, y = data(n_classes)
    ours, theirs = both(X, y, refit=refit, fit_intercept=fit_intercept, **NEW)
    for name in ("coef_", "intercept_", "scores_", "coefs_paths_", "Cs_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), **CLOSE)
    assert ours.C_ == theirs.C_ and ours.l1_ratio_ == theirs.l1_ratio_
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    assert hasattr(ours, "history_") == refit
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), rel=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratios", [(0,), None, "warn"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_old_attributes_are_theirs(n_classes, l1_ratios):
    X, y = data(n_classes)
    ours, theirs = both(X, y, l1_ratios=l1_ratios, use_legacy_attributes=True, scoring=None)
    for name in ("scores_", "coefs_paths_"):
        mine, expected = getattr(ours, name), getattr(theirs, name)
        assert list(mine) == list(expected)
        for label in mine:
            np.testing.assert_allclose(mine[label], expected[label], **CLOSE)
    for name in ("C_", "l1_ratio_", "l1_ratios_"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    assert ours.n_iter_.shape == theirs.n_iter_.shape


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1.0, 1: 3.0}])
def test_weights(class_weight):
    X, y = data()
    weights = np.random.default_rng(0).uniform(0.1, 2, len(y))
    for scoring in ("neg_log_loss", None):
        options = {"class_weight": class_weight, "use_legacy_attributes": False}
        ours, theirs = both(X, y, weights, scoring=scoring, **options)
        np.testing.assert_allclose(ours.scores_, theirs.scores_, **CLOSE)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, **CLOSE)
    with pytest.raises(ValueError, match="class labels as keys"):
        LogisticRegressionCV(class_weight={7: 1.0}, l1_ratios=(0,), **NEW).fit(X, y)


def test_elastic_nets_and_sparse_rows():
    X, y = data(3)
    options = {"solver": "saga", "l1_ratios": (0.5, 1.0), "Cs": 2, "cv": 2, "tol": 1e-6} | NEW
    model = LogisticRegressionCV(**options).fit(sp.csc_array(X), y)
    assert model.scores_.shape == (2, 2, 2)
    assert model.coefs_paths_.shape == (2, 2, 2, 3, 6)
    assert (model.coefs_paths_[:, :, 0, :, :-1] == 0).all()  # C = 1e-4 allows none
    again = LogisticRegression(solver="saga", l1_ratio=model.l1_ratio_, C=model.C_, tol=1e-6).fit(
        X, y
    )
    np.testing.assert_allclose(model.coef_, again.coef_, atol=1e-3)
    best = np.unravel_index(model.scores_.mean(axis=0).argmax(), (2, 2))
    assert (model.l1_ratio_, model.C_) == (model.l1_ratios_[best[0]], model.Cs_[best[1]])


def test_folds_may_lack_a_class():
    X, y = data(3, n=60)
    order = np.argsort(y, kind="stable")
    folds = [(np.arange(20, 60), np.arange(20)), (np.arange(40), np.arange(40, 60))]
    model = LogisticRegressionCV(Cs=[0.1], cv=folds, l1_ratios=(0,), **NEW).fit(X[order], y[order])
    assert np.isfinite(model.scores_).all()


def test_folds_on_threads_give_the_same_bits():
    X, y = data(3)
    fits = [LogisticRegressionCV(l1_ratios=(0,), n_jobs=k, **NEW).fit(X, y) for k in (None, 3)]
    assert np.array_equal(fits[0].coefs_paths_, fits[1].coefs_paths_)
    assert np.array_equal(fits[0].coef_, fits[1].coef_)


def test_scorers_see_fitted_models_in_the_order_of_folds():
    X, y = data()
    seen = []

    def scorer(model, X, y):
        seen.append(accuracy_score(y, model.predict(X)))
        return seen[-1]

    options = {"use_legacy_attributes": False, "scoring": scorer}
    model = LogisticRegressionCV(Cs=2, cv=2, l1_ratios=(0,), **options).fit(X, y)
    assert np.array_equal(model.scores_.ravel(), seen)


def test_what_is_deprecated_says_so():
    X, y = data()
    with pytest.warns(FutureWarning) as caught:
        LogisticRegressionCV(cv=2, Cs=2).fit(X, y)
    text = " ".join(str(warning.message) for warning in caught)
    assert all(name in text for name in ("l1_ratios", "scoring", "use_legacy_attributes"))
    assert {warning.filename for warning in caught} == {__file__}
    with pytest.warns(FutureWarning, match="'penalty' was deprecated"):
        LogisticRegressionCV(penalty="l2", l1_ratios=None, **NEW).fit(X, y)


def test_bad_input():
    X, y = data()
    quiet = {"l1_ratios": (0,)} | NEW
    with pytest.raises(ValueError, match="Cs must hold"):
        LogisticRegressionCV(Cs=[-1.0], **quiet).fit(X, y)
    with pytest.raises(ValueError, match="only one class"):
        LogisticRegressionCV(**quiet).fit(X, np.zeros(len(y)))
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        LogisticRegressionCV(**quiet).fit(X, y, groups=y)
    with pytest.raises(ValueError, match="between 0 and 1"):
        LogisticRegressionCV(solver="saga", l1_ratios=(0.5, 2.0), **NEW).fit(X, y)
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        LogisticRegressionCV(**quiet).fit(X, y)


def test_unfinished_fits_warn_once():
    X, y = data(3)
    model = LogisticRegressionCV(max_iter=1, tol=1e-12, l1_ratios=(0,), refit=False, **NEW)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert [warning.category for warning in caught] == [ConvergenceWarning]


def test_what_only_liblinear_takes(capfd):
    X, y = data()
    rest = {"solver": "liblinear", "tol": 1e-9, "max_iter": 20_000, "random_state": 0} | NEW
    rest |= {"Cs": [0.1], "cv": 3, "l1_ratios": (0,)}
    plain = LogisticRegressionCV(**rest).fit(X, y)
    dual = LogisticRegressionCV(dual=True, **rest).fit(X, y)
    assert "slope" in dual.history_ and "slope" not in plain.history_
    np.testing.assert_allclose(dual.coef_, plain.coef_, atol=2e-6)
    other = LogisticRegressionCV(dual=True, **rest | {"random_state": 1}).fit(X, y)
    assert not np.array_equal(other.history_["slope"], dual.history_["slope"])
    scaled = LogisticRegressionCV(intercept_scaling=9.0, **rest).fit(X, y)
    alone = LogisticRegression(
        C=0.1, solver="liblinear", intercept_scaling=9.0, tol=1e-9, max_iter=20_000
    ).fit(X, y)
    np.testing.assert_allclose(scaled.coef_, alone.coef_, rtol=1e-7)
    assert not np.allclose(scaled.intercept_, plain.intercept_, rtol=1e-3)
    capfd.readouterr()
    LogisticRegressionCV(verbose=1, **rest).fit(X, y)
    assert "".join(capfd.readouterr())
