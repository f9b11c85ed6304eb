"""Gradient boosting: scikit-learn's trees, every parameter, and what scikit-learn has not."""

import pickle

import numpy as np
import pytest
import sklearn.ensemble as theirs
from scipy.sparse import csr_array
from sklearn.datasets import make_classification, make_friedman1
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor

from skcourse.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from skcourse.ensemble.gradient_boosting_leaves import keep_order, newton_steps
from skcourse.tree.nodes import LEAF

EPS = np.finfo(np.float64).eps
X, Y = make_friedman1(400, 8, noise=1.0, random_state=0)
X = X.astype(np.float32)
X3, Y3 = make_classification(400, 8, n_informative=6, n_classes=3, random_state=0)
X3 = X3.astype(np.float32)
WEIGHTS = np.random.default_rng(0).uniform(0.0, 2.0, 400) * (np.arange(400) % 7 > 0)
FEW = {"n_estimators": 8, "max_depth": 2, "random_state": 3}


def assert_same_trees(ours, reference, at):
    """The trees, the scores and the predictions are scikit-learn's."""
    assert ours.estimators_.shape == reference.estimators_.shape
    for mine, other in zip(ours.estimators_.flat, reference.estimators_.flat, strict=True):
        mine, other = mine.tree_, other.tree_
        np.testing.assert_array_equal(mine.feature, other.feature)
        np.testing.assert_array_equal(mine.n_node_samples, other.n_node_samples)
        np.testing.assert_allclose(mine.threshold, other.threshold)
        np.testing.assert_allclose(mine.value, other.value, rtol=1e-9, atol=1e-9)
    for name in ("train_score_", "oob_improvement_", "oob_scores_"):
        assert hasattr(ours, name) == hasattr(reference, name)
        if hasattr(ours, name):
            np.testing.assert_allclose(getattr(ours, name), getattr(reference, name), rtol=1e-9)
    method = "predict_proba" if hasattr(ours, "predict_proba") else "predict"
    np.testing.assert_allclose(getattr(ours, method)(at), getattr(reference, method)(at), 1e-9)
    np.testing.assert_allclose(ours.feature_importances_, reference.feature_importances_, 1e-8)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "absolute_error"},
        {"loss": "huber", "alpha": 0.8},
        {"loss": "quantile", "alpha": 0.3},
        {"subsample": 0.5},
        {"max_features": 3},
        {"max_leaf_nodes": 5, "max_depth": None},
        {"ccp_alpha": 0.05, "subsample": 0.8},
        {"min_samples_leaf": 0.1, "min_weight_fraction_leaf": 0.12},
        {"min_samples_split": 150, "min_impurity_decrease": 0.05},
        {"learning_rate": 0.5, "n_iter_no_change": 2, "n_estimators": 30, "tol": 0.1},
        {"init": "zero"},
    ],
    ids=str,
)
def test_trees_of_scikit_learn(options, weights):
    options = FEW | options
    ours = GradientBoostingRegressor(**options).fit(X, Y, weights)
    assert_same_trees(ours, theirs.GradientBoostingRegressor(**options).fit(X, Y, weights), X)


@pytest.mark.parametrize(
    ("options", "n_classes"),
    [({}, 2), ({}, 3), ({"loss": "exponential"}, 2), ({"subsample": 0.6}, 2)],
    ids=str,
)
def test_classifiers_of_scikit_learn(options, n_classes):
    y = np.array(["a", "b", "c"])[np.minimum(Y3, n_classes - 1)]
    options = FEW | {"n_estimators": 4} | options
    ours = GradientBoostingClassifier(**options).fit(X3, y, WEIGHTS)
    reference = theirs.GradientBoostingClassifier(**options).fit(X3, y, WEIGHTS)
    assert_same_trees(ours, reference, X3)
    np.testing.assert_array_equal(ours.predict(X3), reference.predict(X3))
    np.testing.assert_array_equal(ours.apply(X3), reference.apply(X3))
    staged = zip(ours.staged_predict_proba(X3), reference.staged_predict_proba(X3), strict=True)
    for mine, other in staged:
        np.testing.assert_allclose(mine, other, rtol=1e-9)


def test_stages_end_at_the_prediction():
    for model, y in ((GradientBoostingRegressor, Y), (GradientBoostingClassifier, Y3)):
        model = model(**FEW).fit(X, y)
        assert len(list(model.staged_predict(X))) == model.n_estimators_ == 8
        *_, last = model.staged_predict(X)
        np.testing.assert_array_equal(last, model.predict(X))
        np.testing.assert_array_equal(model.apply(X[:1]), model.apply(X)[:1])
    np.testing.assert_array_equal(
        [*model.staged_decision_function(X)][-1][0], model.decision_function(X)[0]
    )
    np.testing.assert_array_equal(model.predict_log_proba(X), np.log(model.predict_proba(X)))


def test_sparse_rows_are_dense_rows():
    few = np.where(X > 0.6, X, 0)
    dense = GradientBoostingRegressor(subsample=0.7, **FEW).fit(few, Y)
    sparse = GradientBoostingRegressor(subsample=0.7, **FEW).fit(csr_array(few), Y)
    np.testing.assert_array_equal(dense.predict(few), sparse.predict(csr_array(few)))


@pytest.mark.parametrize("seed", [0, 1])
def test_warm_start_is_one_long_fit(seed):
    options = {"subsample": 0.7, "max_depth": 2, "random_state": seed}
    long = GradientBoostingRegressor(n_estimators=8, **options).fit(X, Y)
    warm = GradientBoostingRegressor(n_estimators=5, warm_start=True, **options).fit(X, Y)
    warm.set_params(n_estimators=8).fit(X, Y)
    np.testing.assert_array_equal(warm.predict(X), long.predict(X))
    np.testing.assert_array_equal(warm.oob_scores_, long.oob_scores_)
    np.testing.assert_array_equal(warm.history_["loss"], long.train_score_)
    with pytest.raises(ValueError, match="larger or equal"):
        warm.set_params(n_estimators=7).fit(X, Y)


def test_given_validation_rows_are_noted_and_stop_the_fit():
    train, held_out = (X[:300], Y[:300]), {"X_val": X[300:], "y_val": Y[300:]}
    model = GradientBoostingRegressor(**FEW).fit(*train, **held_out)
    losses = [np.mean((Y[300:] - p) ** 2) for p in model.staged_predict(X[300:])]
    np.testing.assert_allclose(model.history_["validation_loss"], losses, rtol=1e-12)
    np.testing.assert_array_equal(model.history_["loss"], model.train_score_)
    assert "validation_loss" not in GradientBoostingRegressor(**FEW).fit(*train).history_
    eager = {"n_estimators": 200, "learning_rate": 1.0, "n_iter_no_change": 2}
    stopped = GradientBoostingRegressor(**FEW | eager).fit(*train, **held_out)
    losses = stopped.history_["validation_loss"]
    assert len(losses) == stopped.n_estimators_ < 200
    assert losses[-1] + stopped.tol >= losses[-3:-1].max()
    weighted = GradientBoostingRegressor(**FEW).fit(
        *train, **held_out, sample_weight_val=np.arange(100)
    )
    loss = np.average((Y[300:] - weighted.predict(X[300:])) ** 2, weights=np.arange(100))
    np.testing.assert_allclose(weighted.history_["validation_loss"][-1], loss, rtol=1e-12)


def test_validation_rows_of_a_classifier():
    y = np.array(["a", "b", "c"])[Y3]
    model = GradientBoostingClassifier(**FEW).fit(X3, y, X_val=X3, y_val=y)
    np.testing.assert_allclose(
        model.history_["validation_loss"], model.history_["loss"], rtol=1e-12
    )
    with pytest.raises(ValueError, match="previously unseen labels"):
        model.fit(X3, y, X_val=X3, y_val=np.where(y == "a", "d", y))
    with pytest.raises(ValueError, match="y_val was not provided"):
        model.fit(X3, y, X_val=X3)
    with pytest.raises(ValueError, match="X_val was not provided"):
        model.fit(X3, y, y_val=y)


def test_first_guess():
    line = GradientBoostingRegressor(init=LinearRegression(), **FEW).fit(X, Y)
    reference = theirs.GradientBoostingRegressor(init=LinearRegression(), **FEW).fit(X, Y)
    np.testing.assert_allclose(line.predict(X), reference.predict(X), rtol=1e-6)
    assert not hasattr(line.init, "coef_"), "the user's estimator stays as it is"
    curve = GradientBoostingClassifier(init=LogisticRegression(), **FEW).fit(X3, Y3)
    reference = theirs.GradientBoostingClassifier(init=LogisticRegression(), **FEW).fit(X3, Y3)
    np.testing.assert_allclose(curve.predict_proba(X3), reference.predict_proba(X3), rtol=1e-6)
    assert isinstance(GradientBoostingRegressor(**FEW).fit(X, Y).init_, DummyRegressor)
    assert isinstance(GradientBoostingClassifier(**FEW).fit(X3, Y3).init_, DummyClassifier)
    with pytest.raises(ValueError, match="does not support sample weights"):
        GradientBoostingRegressor(init=KNeighborsRegressor(), **FEW).fit(X, Y, WEIGHTS)


def test_missing_values_find_their_side():
    gaps, seen = X.copy(), np.median(Y) < Y
    gaps[seen, 0] = np.nan  # only those with a large y miss it
    model = GradientBoostingRegressor(**FEW).fit(gaps, Y)
    asked = np.full((2, 8), 0.5)
    asked[0, 0] = np.nan
    high, low = model.predict(asked)
    assert high > low + 1
    found = GradientBoostingClassifier(**FEW | {"n_estimators": 40}).fit(gaps[:, :1], seen)
    assert found.score(gaps[:, :1], seen) == 1


def test_categories():
    rng = np.random.default_rng(0)
    names = np.array(["elm", "oak", "fir", "ash", "yew"])
    kind = rng.integers(5, size=300)
    y = np.array([0.0, 5.0, 1.0, 5.0, 0.5])[kind]
    table = np.column_stack([names[kind], rng.standard_normal(300)]).astype(object)
    model = GradientBoostingRegressor(
        n_estimators=1, learning_rate=1.0, max_depth=1, categorical_features=[0]
    ).fit(table, y)
    of_kind = dict(zip(names, model.predict([[name, 0.0] for name in names]), strict=True))
    assert of_kind["oak"] == of_kind["ash"] == pytest.approx(5.0)
    assert of_kind["elm"] == of_kind["fir"] == of_kind["yew"] < 1
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(table), model.predict(table))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "log_loss", "exponential"])
def test_predictions_rise_or_fall_with_a_feature(loss, sign):
    signs = [sign] + 7 * [0]
    classes = loss in ("log_loss", "exponential")
    model = GradientBoostingClassifier if classes else GradientBoostingRegressor
    y = np.median(Y) < Y if classes else Y
    options = {"n_estimators": 20, "learning_rate": 0.5, "loss": loss}
    model = model(monotonic_cst=signs, **options).fit(X, y)
    asked = np.repeat(X[:50], 20, axis=0)
    asked[:, 0] = np.tile(np.linspace(0, 1, 20), 50)
    raw = (model.decision_function if classes else model.predict)(asked).reshape(50, 20)
    assert np.all(sign * np.diff(raw) >= -100 * EPS)
    assert len(np.unique(raw)) >= 50


def test_constraints_that_cannot_be():
    with pytest.raises(ValueError, match="not supported for multiclass"):
        GradientBoostingClassifier(monotonic_cst=[1] * 8).fit(X3, Y3)
    with pytest.raises(ValueError, match="invalid indices"):
        GradientBoostingRegressor(interaction_cst=[[0, 9]]).fit(X, Y)


def test_interactions_stay_in_their_sets():
    model = GradientBoostingRegressor(
        n_estimators=10, max_depth=4, interaction_cst="no_interactions"
    ).fit(X, Y)
    for tree in model.estimators_.flat:
        assert len(set(tree.tree_.feature) - {-2}) <= 1


def test_monitor_stops_the_fit_and_sees_it():
    seen = []

    def monitor(i, model, variables):
        seen.append((i, model.train_score_[i], variables["raw_predictions"].shape))
        assert model.estimators_[i, 0].tree_.node_count > 1
        return i == 2

    model = GradientBoostingRegressor(**FEW).fit(X, Y, monitor=monitor)
    assert model.n_estimators_ == len(model.estimators_) == len(model.history_["loss"]) == 3
    assert seen == [(i, model.train_score_[i], (400, 1)) for i in range(3)]


def test_what_is_printed(capsys):
    GradientBoostingRegressor(verbose=1, n_estimators=25, subsample=0.5, max_depth=1).fit(X, Y)
    ours = capsys.readouterr().out.splitlines()
    assert ours[0].split() == ["Iter", "Train", "Loss", "OOB", "Improve", "Remaining", "Time"]
    assert [line.split()[0] for line in ours[1:]] == [*map(str, range(1, 11)), "20"]
    GradientBoostingRegressor(verbose=2, n_estimators=12, max_depth=1).fit(X, Y)
    assert len(capsys.readouterr().out.splitlines()) == 13


def test_a_failed_fit_leaves_the_last_one():
    model = GradientBoostingRegressor(**FEW).fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="infinity"):
        model.fit(np.where(X > 0.9, np.inf, X), Y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_the_learning_rate_is_asked_when_predicting():
    model = GradientBoostingRegressor(**FEW).fit(X, Y)
    whole = model.predict(X) - Y.mean()
    model.set_params(learning_rate=0.05)
    np.testing.assert_allclose(model.predict(X) - Y.mean(), whole / 2, atol=1e-12)
    half = model.estimators_
    model.estimators_ = half[:4]
    np.testing.assert_allclose(model.predict(X), [*model.staged_predict(X)][3], atol=0)


def test_pickles_leave_the_table_behind():
    model = GradientBoostingRegressor(**FEW).fit(X, Y)
    size = len(pickle.dumps(model))
    model.predict(X)
    assert len(pickle.dumps(model)) == size


def test_shapley_values_add_up():
    for model, y in ((GradientBoostingRegressor, Y), (GradientBoostingClassifier, Y3)):
        model = model(**FEW).fit(X, y)
        raw = model.predict(X) if y is Y else model.decision_function(X)
        total = model.shap_values(X).sum(axis=1) + model.shap_expected_value_
        np.testing.assert_allclose(total, raw, atol=1e-12)


@pytest.mark.parametrize("model", [GradientBoostingRegressor, GradientBoostingClassifier])
def test_criterion_is_deprecated(model):
    with pytest.warns(FutureWarning, match="`criterion` is deprecated"):
        model(criterion="squared_error", **FEW).fit(X, Y3)


def test_classes_that_are_not_there():
    with pytest.raises(ValueError, match="y contains 1 class after sample_weight trimmed"):
        GradientBoostingClassifier().fit(X3, Y3 > 0, (Y3 > 0).astype(float))
    with pytest.raises(ValueError, match="only suitable for a binary"):
        GradientBoostingClassifier(loss="exponential").fit(X3, Y3)


def test_newton_steps_by_their_formula():
    rng = np.random.default_rng(0)
    leaves, w = rng.integers(-1, 4, 50), rng.uniform(0, 2, 50)
    g, h = rng.standard_normal(50), rng.uniform(0.1, 1, 50)
    found = newton_steps(leaves, 5, g, h, w, 0.5)
    for leaf in range(4):
        i = leaves == leaf
        expected = -0.5 * np.sum(w[i] * g[i]) / np.sum(w[i] * h[i])
        np.testing.assert_allclose(found[leaf], expected, rtol=100 * EPS)
    assert found[4] == 0 and np.all(newton_steps(leaves, 5, g, 0 * h, w, 1.0) == 0)


@pytest.mark.parametrize("sign", [1, -1])
def test_crossing_steps_are_brought_in_order(sign):
    nodes = GradientBoostingRegressor(**FEW).fit(X, Y).estimators_[0, 0].tree_.nodes
    steps = np.random.default_rng(0).standard_normal(len(nodes.feature))
    is_leaf = nodes.children_left == LEAF
    keep_order(nodes, steps, np.full(8, sign, np.int8))
    ordered = sign * steps[is_leaf]  # all splits rise: from left to right
    assert np.all(np.diff(ordered) >= 0)


@pytest.mark.parametrize("cls", [GradientBoostingClassifier, GradientBoostingRegressor])
def test_a_tree_that_draws_no_row_of_weight_is_refused(cls):
    rng = np.random.default_rng(0)
    X, y, weights = rng.standard_normal((30, 3)), np.arange(30) % 2, np.zeros(30)
    weights[3:8] = 1
    with pytest.raises(ValueError, match="at least one non-zero number"):
        cls(subsample=0.1, random_state=0).fit(X, y, weights)
