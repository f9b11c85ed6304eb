"""Boosting on histograms: scikit-learn's trees, what each parameter does, and what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.ensemble
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_friedman1
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from skcourse.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

X, z = make_friedman1(600, 6, noise=0.5, random_state=0)
y = z - z.min() + 0.1  # positive, for all losses
kinds = np.array(["low", "middle", "high"])[np.digitize(z, np.quantile(z, [0.3, 0.6]))]
weights = np.random.default_rng(1).integers(1, 4, size=len(X)).astype(float)
gaps = X.copy()
gaps[np.random.default_rng(2).random(X.shape) < 0.2] = np.nan
boxes = np.column_stack([np.floor(20 * X[:, 0]), X[:, 1:]])

# Their slopes are float32, and so are the sums of ours not: a relative 2^-24 in each, and 20 trees.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}
FEW = {"max_iter": 20, "random_state": 0}

OPTIONS = {
    "defaults": {},
    "absolute_error": {"loss": "absolute_error", "max_leaf_nodes": 4},
    "poisson": {"loss": "poisson"},
    "gamma": {"loss": "gamma"},
    "quantile": {"loss": "quantile", "quantile": 0.75, "max_leaf_nodes": 4},
    "few leaves": {"max_leaf_nodes": 4, "learning_rate": 0.3},
    "depth": {"max_leaf_nodes": None, "max_depth": 3, "min_samples_leaf": 5},
    "ridge": {"l2_regularization": 3.0, "max_bins": 16},
    "features": {"max_features": 0.4},
    "monotonic": {"monotonic_cst": [1, 0, -1, 1, 0, 0], "max_leaf_nodes": 8},
    "interactions": {"interaction_cst": [[0, 1], [2, 3, 4]]},
    "stopping": {"early_stopping": True, "n_iter_no_change": 3, "tol": 0.05},
    "scorer": {"early_stopping": True, "scoring": "r2", "validation_fraction": 0.3},
    "own rows": {"early_stopping": True, "validation_fraction": None, "tol": 1.0},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
@pytest.mark.parametrize("rows", [X, gaps], ids=["whole", "gaps"])
def test_numbers_as_scikit_learn_predicts_them(options, rows):
    # A weighted quantile of theirs is not that of repeated rows, but ours is.
    w = weights if options.get("loss") not in ("absolute_error", "quantile") else None
    theirs = sklearn.ensemble.HistGradientBoostingRegressor(**FEW, **options).fit(rows, y, w)
    ours = HistGradientBoostingRegressor(**FEW, **options).fit(rows, y, w)
    assert ours.n_iter_ == theirs.n_iter_
    assert_allclose(ours.predict(gaps), theirs.predict(gaps), **CLOSE)
    assert_allclose(ours.train_score_, theirs.train_score_, **CLOSE)
    assert_allclose(ours.validation_score_, theirs.validation_score_, **CLOSE)


@pytest.mark.parametrize("target", [kinds == "low", kinds], ids=["two", "three"])
def test_classes_as_scikit_learn_predicts_them(target):
    # With few leaves no node is pure: there, rounding decides which of the useless splits is best.
    few, w = {**FEW, "max_leaf_nodes": 6}, weights + np.random.default_rng(3).random(len(X))
    theirs = sklearn.ensemble.HistGradientBoostingClassifier(**few).fit(gaps, target, w)
    ours = HistGradientBoostingClassifier(**few).fit(gaps, target, w)
    for method in ("predict_proba", "decision_function"):
        assert_allclose(getattr(ours, method)(X), getattr(theirs, method)(X), **CLOSE)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.n_trees_per_iteration_ == theirs.n_trees_per_iteration_


def test_categories_as_scikit_learn_splits_them():
    options = {**FEW, "categorical_features": [0], "max_leaf_nodes": 6}
    theirs = sklearn.ensemble.HistGradientBoostingRegressor(**options).fit(boxes, y)
    ours = HistGradientBoostingRegressor(**options).fit(boxes, y)
    assert_allclose(ours.predict(boxes), theirs.predict(boxes), **CLOSE)
    assert_array_equal(ours.is_categorical_, theirs.is_categorical_)


def test_categories_by_name_dtype_and_mask_are_the_same():
    frame = pd.DataFrame(boxes, columns=list("abcdef"))
    frame["a"] = ("box " + frame["a"].astype(str)).astype("category")
    by_dtype = HistGradientBoostingRegressor(**FEW).fit(frame, y)
    by_name = HistGradientBoostingRegressor(**FEW, categorical_features=["a"]).fit(frame, y)
    mask = [True] + 5 * [False]
    by_mask = HistGradientBoostingRegressor(**FEW, categorical_features=mask).fit(frame, y)
    assert_array_equal(by_dtype.predict(frame), by_name.predict(frame))
    assert_array_equal(by_dtype.predict(frame), by_mask.predict(frame))
    strange = frame.assign(a=pd.Categorical(["nowhere"] * len(frame)))
    missing = frame.assign(a=pd.Categorical([None] * len(frame), categories=["box 0.0"]))
    assert_array_equal(by_dtype.predict(strange), by_dtype.predict(missing))


def test_more_categories_than_bins_are_no_error():
    many = np.arange(len(X))[:, np.newaxis] % 300
    model = HistGradientBoostingRegressor(max_bins=20, max_iter=3, categorical_features=[0])
    assert np.isfinite(model.fit(many, y).predict(many)).all()


def test_sparse_rows_are_dense_rows():
    thin = np.where(X > 0.7, X, 0.0)
    dense = HistGradientBoostingRegressor(**FEW).fit(thin, y)
    for kind in (sp.csr_matrix, sp.csc_array):
        sparse = HistGradientBoostingRegressor(**FEW).fit(kind(thin), y)
        assert_array_equal(sparse.predict(kind(thin)), dense.predict(thin))


def test_float32_rows_are_kept():
    thin = X.astype(np.float32)
    theirs = sklearn.ensemble.HistGradientBoostingRegressor(**FEW).fit(thin, y)
    ours = HistGradientBoostingRegressor(**FEW).fit(thin, y)
    assert_allclose(ours.predict(thin), theirs.predict(thin), **CLOSE)


def test_weights_are_repetitions_and_zero_is_absence():
    options = {"max_iter": 10, "min_samples_leaf": 1, "max_leaf_nodes": 8}
    times = np.arange(len(X)) % 3
    weighted = HistGradientBoostingRegressor(**options).fit(X, y, times)
    repeated = HistGradientBoostingRegressor(**options).fit(X.repeat(times, 0), y.repeat(times))
    assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-12)


def test_class_weights_are_weights():
    balanced = {"low": 2.0, "middle": 1.0, "high": 0.5}
    by_class = HistGradientBoostingClassifier(**FEW, class_weight=balanced).fit(X, kinds)
    own = np.vectorize(balanced.get)(kinds)
    by_sample = HistGradientBoostingClassifier(**FEW).fit(X, kinds, own)
    assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))


def test_a_given_set_judges():
    A, B, a, b, w, v = train_test_split(X, y, weights, test_size=0.4, random_state=0)
    stop = {"early_stopping": True, "n_iter_no_change": 2, "tol": 0.02, "random_state": 0}
    given = {"X_val": B, "y_val": b, "sample_weight_val": v}
    ours = HistGradientBoostingRegressor(**stop).fit(A, a, w, **given)
    theirs = sklearn.ensemble.HistGradientBoostingRegressor(**stop).fit(A, a, w, **given)
    assert ours.n_iter_ == theirs.n_iter_ < 100
    assert_allclose(ours.validation_score_, theirs.validation_score_, **CLOSE)
    shown = ours.history_["validation_loss"]
    assert_array_equal(shown, -ours.validation_score_[1:])
    staged = [np.average((b - p) ** 2, weights=v) / 2 for p in ours.staged_predict(B)]
    assert_allclose(shown, staged, rtol=1e-12)


def test_history_is_the_loss_of_each_stage():
    model = HistGradientBoostingClassifier(**FEW).fit(X, kinds)
    own = np.searchsorted(model.classes_, kinds)
    stages = [-np.mean(np.log(p[np.arange(len(own)), own])) for p in model.staged_predict_proba(X)]
    assert_allclose(model.history_["loss"], stages, rtol=1e-12)
    assert np.all(np.diff(model.history_["loss"]) < 0)
    assert_array_equal(list(model.staged_predict(X))[-1], model.predict(X))
    last = list(model.staged_decision_function(X))[-1]
    assert_array_equal(last, model.decision_function(X))


@pytest.mark.parametrize("stopping", [False, True])
def test_a_warm_start_goes_on_where_it_was(stopping):
    options = {"early_stopping": stopping, "random_state": 0, "max_features": 0.5}
    whole = HistGradientBoostingRegressor(max_iter=12, **options).fit(X, y)
    parts = HistGradientBoostingRegressor(max_iter=5, warm_start=True, **options).fit(X, y)
    parts.set_params(max_iter=12).fit(X, y)
    assert_allclose(parts.predict(X), whole.predict(X), rtol=1e-12)
    assert_allclose(parts.history_["loss"], whole.history_["loss"], rtol=1e-12)
    assert_allclose(parts.train_score_, whole.train_score_, rtol=1e-12)
    with pytest.raises(ValueError, match="max_iter=3 must be larger"):
        parts.set_params(max_iter=3).fit(X, y)
    assert parts.n_iter_ == 12


def test_scorers_of_all_kinds_see_the_model_as_it_is():
    seen = []

    def scorer(estimator, rows, target):
        seen.append(estimator.predict(rows))
        return get_scorer("neg_mean_squared_error")(estimator, rows, target)

    options = {"max_iter": 4, "early_stopping": True, "random_state": 0}
    frame = pd.DataFrame(boxes, columns=list("abcdef")).astype({"a": "category"})
    own = HistGradientBoostingRegressor(scoring=scorer, **options).fit(frame, y)
    named = HistGradientBoostingRegressor(scoring="neg_mean_squared_error", **options)
    named.fit(frame, y)
    assert len(seen) == 10
    assert_allclose(own.train_score_, named.train_score_, rtol=1e-12)
    assert_allclose(own.validation_score_, named.validation_score_, rtol=1e-12)


def test_importances_are_shares_of_the_gain():
    model = HistGradientBoostingRegressor(**FEW).fit(X, z)
    assert model.feature_importances_.sum() == pytest.approx(1.0)
    assert set(np.argsort(model.feature_importances_)[-5:]) == {0, 1, 2, 3, 4}  # 5 is noise
    flat = HistGradientBoostingRegressor(**FEW).fit(X, np.ones(len(X)))
    assert_array_equal(flat.feature_importances_, np.zeros(6))
    assert_array_equal(flat.predict(X), np.ones(len(X)))


def test_shapley_values_add_up_to_the_raw_prediction():
    number = HistGradientBoostingRegressor(**FEW).fit(gaps, y)
    told = number.shap_values(gaps[:20]).sum(axis=1) + number.shap_expected_value_
    assert_allclose(told, number.predict(gaps[:20]), rtol=1e-10)
    of_classes = HistGradientBoostingClassifier(**FEW).fit(gaps, kinds)
    told = of_classes.shap_values(gaps[:20]).sum(axis=1) + of_classes.shap_expected_value_
    assert_allclose(told, of_classes.decision_function(gaps[:20]), rtol=1e-9, atol=1e-10)


def test_infinite_numbers_lie_at_the_ends():
    far = np.array([[-np.inf], [0.0], [1.0], [np.inf]])
    model = HistGradientBoostingRegressor(min_samples_leaf=1).fit(far, [0, 0, 1, 1])
    assert_allclose(model.predict(far), [0, 0, 1, 1], atol=1e-3)


def test_one_class_and_one_sample():
    one = HistGradientBoostingClassifier(max_iter=3).fit(X[:30], np.full(30, "a"))
    assert set(one.predict(X)) == {"a"}
    single = HistGradientBoostingRegressor(max_iter=3).fit(X[:1], [2.5])
    assert_array_equal(single.predict(X), np.full(len(X), 2.5))


def test_verbose_prints_the_losses(capsys):
    HistGradientBoostingRegressor(max_iter=2, verbose=1).fit(X, y)
    assert capsys.readouterr().out.count("loss") == 2


def test_a_pickle_predicts_the_same():
    model = HistGradientBoostingClassifier(**FEW).fit(gaps, kinds)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))


BAD = {
    "gamma of 0": ({"loss": "gamma"}, {"y": np.zeros(600)}, "strictly positive y"),
    "negative counts": ({"loss": "poisson"}, {"y": -y}, "non-negative y"),
    "no quantile": ({"loss": "quantile"}, {}, "needs a `quantile`"),
    "constraints": ({"monotonic_cst": [1]}, {}, "monotonic_cst has shape 1"),
    "sets": ({"interaction_cst": [[0, 9]]}, {}, "Interaction constraints must consist"),
    "categories": ({"categorical_features": [9]}, {}, "must be in \\[0, n_features - 1\\]"),
    "half a set": ({}, {"X_val": X}, "y_val was not provided"),
    "other half": ({}, {"y_val": y}, "X_val was not provided"),
    "never stops": ({"early_stopping": False}, {"X_val": X, "y_val": y}, "early_stopping is False"),
    "negative": ({}, {"sample_weight": -weights}, "Negative values"),
    "nothing": ({}, {"sample_weight": 0 * weights}, "at least one non-zero"),
    "gaps in y": ({}, {"y": np.where(y > 3, y, np.nan)}, "NaN"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=list(BAD))
def test_refusals(case):
    options, data, message = case
    model = HistGradientBoostingRegressor(max_iter=2, **options)
    with pytest.raises(ValueError, match=message):
        model.fit(**{"X": X, "y": y} | data)
    assert not [name for name in vars(model) if name.endswith("_")]


def test_constraints_of_several_classes_are_refused():
    model = HistGradientBoostingClassifier(monotonic_cst=[1, 0, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="not supported for multiclass"):
        model.fit(X, kinds)
