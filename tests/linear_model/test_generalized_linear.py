"""Any loss and any penalty: what scikit-learn has agrees, parameters act, the rest is refused."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, LogisticRegression, QuantileRegressor
from sklearn.svm import SVC, SVR, LinearSVC

from skcourse.core.penalties import PENALTIES
from skcourse.linear_model import (
    GeneralizedLinearClassifier,
    GeneralizedLinearRegressor,
    HuberRegressor,
    PoissonRegressor,
    Ridge,
)
from skcourse.linear_model.generalized_linear import NEEDS
from skcourse.linear_model.generalized_linear_classifier import LOSSES as OF_CLASSES
from skcourse.linear_model.generalized_linear_regressor import LOSSES as OF_NUMBERS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 5)) + 1
Z = X @ [1.0, -0.5, 0.3, 0.0, 0.0]
Y = Z + 0.5 * RNG.normal(size=120)
POSITIVE = np.exp(Z / 2) * RNG.gamma(5, 0.2, size=120)
CLASSES = np.digitize(Y, [0.0, 1.5])
WEIGHTS = RNG.integers(0, 3, size=120) + 1.0
GROUPS = ["a", "b", "a", "b", "c"]
SHARP = {"tol": 1e-10, "max_iter": 10_000}


def target(loss):
    return POSITIVE if loss in ("poisson", "gamma", "tweedie", "tweedie_identity") else Y


PAIRS = [
    pytest.param(loss, penalty, id=f"{loss}-{penalty}")
    for losses in (OF_NUMBERS, OF_CLASSES)
    for loss in sorted(losses)
    for penalty in [None, *sorted(set(PENALTIES) - {"none"})]
]


@pytest.mark.parametrize(("loss", "penalty"), PAIRS)
def test_every_pair_converges_or_is_refused(loss, penalty):
    """A fit without a warning; or the loss has kinks, and the reason is told."""
    options = {"penalty": penalty, "alpha": 0.05, "groups": GROUPS}
    if loss in OF_NUMBERS:
        model, y = GeneralizedLinearRegressor(loss, epsilon=0.5, **options), target(loss)
    else:
        model, y = GeneralizedLinearClassifier(loss, **options), CLASSES
    kinks = loss in ("pinball", "epsilon_insensitive", "hinge")
    if loss == "perceptron" or (kinks and penalty in ("mcp", "scad", "l0", "group")):
        with pytest.raises(ValueError, match=f"loss='{loss}'"):
            model.fit(X, y)
        return
    model.fit(X, y, sample_weight=WEIGHTS)
    measure = next(m for m in ("gap", "violation", "gradient") if m in model.history_)
    scale = max(1.0, abs(model.history_["loss"][-1])) if measure == "gap" else 1.0
    assert model.history_[measure][-1] <= model.tol * scale or model.n_iter_ > 1
    assert model.score(X, y) > 0.1


REFERENCES = [
    (("squared_error", "l1"), ElasticNet(alpha=0.1, l1_ratio=1.0, tol=1e-12)),
    (("squared_error", "elasticnet"), ElasticNet(alpha=0.1, l1_ratio=0.3, tol=1e-12)),
    (("squared_error", "l2"), Ridge(alpha=0.1 * WEIGHTS.sum())),
    (("poisson", "l2"), PoissonRegressor(alpha=0.1, tol=1e-12, solver="newton-cholesky")),
    (("pinball", "l1"), QuantileRegressor(quantile=0.3, alpha=0.1)),
]


@pytest.mark.parametrize(("names", "reference"), REFERENCES)
def test_references_agree(names, reference):
    loss, penalty = names
    options = {"penalty": penalty, "alpha": 0.1, "l1_ratio": 0.3, "quantile": 0.3}
    y = target(loss)
    model = GeneralizedLinearRegressor(loss, **options, **SHARP).fit(X, y, WEIGHTS)
    reference.fit(X, y, sample_weight=WEIGHTS)
    # Their optimum is as sharp as linear programming in double precision is: about 1e-9.
    np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-6)
    np.testing.assert_allclose(model.predict(X), reference.predict(X), atol=1e-5)


def test_huber_of_scale_one():
    """With its scale frozen at 1, scikit-learn's Huber loss is ours: the gradient vanishes."""
    model = GeneralizedLinearRegressor("huber", penalty=None, epsilon=0.4, **SHARP).fit(X, Y)
    pull = np.clip(Y - model.predict(X), -0.4, 0.4)
    assert abs(pull.mean()) <= 1e-8  # near 0 values of the loss tell no more: rounding's root
    assert np.abs(pull @ X / len(Y)).max() <= 1e-8
    assert not np.allclose(model.coef_, HuberRegressor(alpha=0).fit(X, Y).coef_, atol=1e-4)


@pytest.mark.parametrize("penalty", ["l2", "l1"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_agrees(penalty, n_classes):
    y = np.minimum(CLASSES, n_classes - 1)
    alpha = 0.05
    ours = GeneralizedLinearClassifier(penalty=penalty, alpha=alpha, **SHARP).fit(X, y)
    theirs = LogisticRegression(
        C=1 / (alpha * len(y)),
        l1_ratio=float(penalty == "l1"),
        solver="saga",
        tol=1e-10,
        max_iter=100_000,
    ).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


def test_squared_hinge_agrees():
    y, alpha = CLASSES == 2, 0.1
    ours = GeneralizedLinearClassifier("squared_hinge", alpha=alpha, fit_intercept=False, **SHARP)
    theirs = LinearSVC(C=1 / (alpha * len(y)), fit_intercept=False, tol=1e-12, max_iter=100_000)
    np.testing.assert_allclose(ours.fit(X, y).coef_, theirs.fit(X, y).coef_, atol=1e-6)
    assert ours.intercept_ == 0.0


def test_support_vector_machines_agree():
    """Of a weighted sum instead of a mean, C is 1 / (alpha times the sum of the weights)."""
    options = {"C": 1 / (0.1 * WEIGHTS.sum()), "kernel": "linear", "tol": 1e-9}
    sides = GeneralizedLinearClassifier("hinge", alpha=0.1, tol=1e-11).fit(X, CLASSES == 2, WEIGHTS)
    machine = SVC(**options).fit(X, CLASSES == 2, sample_weight=WEIGHTS)
    np.testing.assert_allclose(sides.coef_, machine.coef_, atol=1e-5)
    tube = GeneralizedLinearRegressor("epsilon_insensitive", alpha=0.1, epsilon=0.3, tol=1e-11)
    machine = SVR(epsilon=0.3, **options).fit(X, Y, sample_weight=WEIGHTS)
    np.testing.assert_allclose(tube.fit(X, Y, WEIGHTS).coef_, machine.coef_[0], atol=1e-5)


@pytest.mark.parametrize("penalty", ["l1", "l2", "mcp", "group", None])
@pytest.mark.parametrize("loss", ["squared_error", "pinball"])
def test_penalty_weights(loss, penalty):
    """Weight 0 frees a feature, infinity leaves it out."""
    if loss == "pinball" and penalty in ("mcp", "group"):
        return
    weights = np.array([1.0, 0.0, 1.0, np.inf, 2.0])
    options = {"penalty": penalty, "alpha": 50.0, "groups": range(5)} | SHARP
    model = GeneralizedLinearRegressor(loss, penalty_weights=weights, **options).fit(X, Y)
    assert model.coef_[3] == 0.0
    if penalty in ("l1", "group"):
        np.testing.assert_array_equal(model.coef_[[0, 2, 4]], 0.0)
        alone = GeneralizedLinearRegressor(loss, penalty=None, **SHARP).fit(X[:, [1]], Y)
        np.testing.assert_allclose(model.coef_[1], alone.coef_[0], atol=1e-6)
    without = np.delete(np.arange(5), 3)
    options |= {"groups": range(4), "penalty_weights": weights[without]}
    fewer = GeneralizedLinearRegressor(loss, **options).fit(X[:, without], Y)
    np.testing.assert_allclose(model.coef_[without], fewer.coef_, atol=1e-6)


def test_penalty_weights_are_units():
    """A weight c on feature j is a lasso in x_j / c."""
    c = np.array([0.5, 1.0, 2.0, 3.0, 1.0])
    ours = GeneralizedLinearRegressor(penalty="l1", alpha=0.05, penalty_weights=c, **SHARP)
    theirs = ElasticNet(alpha=0.05, l1_ratio=1.0, tol=1e-12).fit(X / c, Y)
    np.testing.assert_allclose(ours.fit(X, Y).coef_, theirs.coef_ / c, atol=1e-7)


def test_nothing_takes_part():
    model = GeneralizedLinearRegressor(penalty_weights=np.full(5, np.inf)).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, 0.0)
    assert model.intercept_ == pytest.approx(Y.mean())


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"penalty_weights": [1.0]}, r"shape \(1,\), expected \(5,\)"),
        ({"penalty_weights": [1, 1, -1, 1, 1]}, "at least 0"),
        ({"penalty_weights": [1, 1, np.nan, 1, 1]}, "at least 0"),
        ({"penalty": "group"}, "wants `groups`"),
        ({"penalty": "group", "groups": [1, 2]}, "one per feature"),
        ({"penalty": "group", "groups": GROUPS, "penalty_weights": [1, 1, 2, 1, 1]}, "of a group"),
        ({"penalty": "scad", "gamma": 1.5}, "must be > 2"),
        ({"penalty": "l1", "solver": "lbfgs"}, "needs a penalty among"),
        ({"loss": "huber", "solver": "newton-cholesky"}, "2 continuous derivatives"),
        ({"loss": "huber", "solver": "interior-point"}, "straight pieces"),
        ({"loss": "gamma"}, "y must be > 0"),
        ({"loss": "tweedie_identity", "fit_intercept": False}, "y must be >= 0"),
    ],
)
def test_refused_by_name(options, match):
    with pytest.raises(ValueError, match=match):
        GeneralizedLinearRegressor(**options).fit(X, Y)


def test_refused_for_other_reasons():
    model = GeneralizedLinearRegressor("tweedie_identity", fit_intercept=False)
    with pytest.raises(ValueError, match="no value for predictions of 0"):
        model.fit(X, POSITIVE)
    wide = sp.csr_array((4, 5000))
    with pytest.raises(ValueError, match="at most 4000"):
        GeneralizedLinearClassifier("hinge").fit(wide, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="only one class"):
        GeneralizedLinearClassifier().fit(X, np.zeros(120))


@pytest.mark.parametrize("penalty", ["l1", "group", "l2"])
def test_all_solvers_agree(penalty):
    options = {"penalty": penalty, "alpha": 0.05, "groups": GROUPS} | SHARP
    fits = [
        GeneralizedLinearRegressor("poisson", solver=name, **options).fit(X, POSITIVE)
        for name, needs in NEEDS.items()
        if penalty in needs.penalties and name != "interior-point"
    ]
    assert {fit.solver_ for fit in fits} == {fit.solver for fit in fits}
    for fit in fits:
        np.testing.assert_allclose(fit.coef_, fits[0].coef_, atol=1e-8)


@pytest.mark.parametrize(
    "options",
    [
        {"penalty": "elasticnet", "l1_ratio": 0.9},
        {"penalty": "mcp", "gamma": 50.0},
        {"penalty": "group", "groups": GROUPS[::-1]},
        {"penalty_weights": [0.0, 5.0, 1.0, 1.0, 1.0]},
        {"solver": "lbfgs"},
        {"solver": "lbfgs", "max_iter": 2},
        {"solver": "lbfgs", "tol": 0.03},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_options_of_classifiers(options):
    last = list(options)[-1]
    rest = {"alpha": 0.02, "tol": 1e-9} | {"groups": GROUPS} | options
    default = {"groups": GROUPS} if last == "groups" else {}
    del rest[last]
    plain = GeneralizedLinearClassifier(**rest | default).fit(X, CLASSES > 0)
    asked = GeneralizedLinearClassifier(**rest | {last: options[last]}).fit(X, CLASSES > 0)
    assert not np.array_equal(asked.coef_, plain.coef_)
    if last == "solver":
        assert (asked.solver_, plain.solver_) == ("lbfgs", "newton-cholesky")
    elif last in ("max_iter", "tol"):
        assert asked.n_iter_ < plain.n_iter_
    else:
        assert not np.allclose(asked.coef_, plain.coef_, rtol=1e-3)


def test_order_of_groups_is_nothing():
    options = {"penalty": "group", "alpha": 0.1} | SHARP
    fit = GeneralizedLinearRegressor(groups=GROUPS, **options).fit(X, Y)
    order = np.array([4, 2, 0, 3, 1])
    moved = GeneralizedLinearRegressor(groups=np.array(GROUPS)[order], **options).fit(
        X[:, order], Y
    )
    np.testing.assert_allclose(fit.coef_[order], moved.coef_, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "loss", "values"),
    [
        ("epsilon", "huber", (0.1, 1.0)),
        ("epsilon", "epsilon_insensitive", (0.1, 1.0)),
        ("epsilon", "squared_epsilon_insensitive", (0.1, 1.0)),
        ("quantile", "pinball", (0.2, 0.8)),
        ("power", "tweedie", (1.1, 1.9)),
        ("power", "tweedie_identity", (1.1, 1.9)),
    ],
)
def test_numbers_in_the_formula(name, loss, values):
    options = {"loss": loss, "penalty": None}
    fits = [GeneralizedLinearRegressor(**options, **{name: v}) for v in values]
    first, second = (fit.fit(X, target(loss)).predict(X) for fit in fits)
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize(("name", "penalty"), [("gamma", "mcp"), ("l1_ratio", "elasticnet")])
def test_shape_of_the_penalty(name, penalty):
    options = {"penalty": penalty, "alpha": 0.3}
    fits = [
        GeneralizedLinearRegressor(**options, **{name: v})
        for v in ((2.5, 50), (0, 1))[name != "gamma"]
    ]
    first, second = (fit.fit(X, Y).coef_ for fit in fits)
    assert np.abs(first - second).max() > 1e-2


@pytest.mark.parametrize("loss", ["squared_error", "pinball", "gamma"])
@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_weights_repeat_rows_and_sparse_is_dense(loss, penalty):
    model = GeneralizedLinearRegressor(loss, penalty=penalty, alpha=0.05, **SHARP)
    y, repeats = target(loss), WEIGHTS.astype(int)
    weighted = model.fit(X, y, WEIGHTS).coef_
    repeated = model.fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats)).coef_
    sparse = model.fit(sp.csr_array(X), y, WEIGHTS).coef_
    # Of a linear programme a gap of 1e-10 leaves the coefficients free by its root, at most.
    np.testing.assert_allclose(weighted, repeated, atol=1e-5)
    np.testing.assert_allclose(weighted, sparse, atol=1e-5)


def test_warm_start_and_limits():
    model = GeneralizedLinearRegressor("poisson", penalty="l1", alpha=0.02, warm_start=True)
    first = model.fit(X, POSITIVE).n_iter_
    assert model.fit(X, POSITIVE).n_iter_ < first
    model.coef_[0] = np.inf
    with pytest.raises(ValueError, match="not finite"):
        model.fit(X, POSITIVE)
    model.coef_[0] = 0
    with pytest.raises(ValueError, match="now there are 2"):
        model.fit(X[:, :2], POSITIVE)
    for solver in ("proximal-gradient", "proximal-newton"):
        with pytest.warns(ConvergenceWarning, match=f"{solver} did not converge in max_iter=1 "):
            model.set_params(solver=solver, max_iter=1, warm_start=False).fit(X, POSITIVE)
    with pytest.warns(ConvergenceWarning, match="the gap is"):
        GeneralizedLinearRegressor("pinball", max_iter=2).fit(X, Y)


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber", "hinge"])
def test_warm_start_of_classes(loss):
    model = GeneralizedLinearClassifier(loss, alpha=0.01, warm_start=True)
    first = model.fit(X, CLASSES).n_iter_
    assert model.fit(X, CLASSES).n_iter_ <= first
    with pytest.raises(ValueError, match="set warm_start=False"):
        model.fit(X, CLASSES > 0)


def test_verbose(capsys):
    model = GeneralizedLinearClassifier("hinge", verbose=1).fit(X, CLASSES > 0)
    assert capsys.readouterr().out.count("Iteration") == model.n_iter_ == len(model.history_["gap"])


def test_probabilities():
    for loss in ("log_loss", "multinomial", "modified_huber"):
        for y in (CLASSES, CLASSES > 0):
            model = GeneralizedLinearClassifier(loss).fit(X, y)
            P = model.predict_proba(X)
            np.testing.assert_allclose(P.sum(axis=1), 1.0)
            sure = np.abs(np.diff(np.sort(P, axis=1)[:, -2:])[:, 0]) > 1e-12
            same = model.classes_[P.argmax(axis=1)] == model.predict(X)
            assert np.all(same[sure])
            np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), P)
    assert not hasattr(GeneralizedLinearClassifier("hinge"), "predict_proba")


def test_two_classes_by_softmax_or_by_one_score():
    """A squared penalty on two scores is half of that on their difference."""
    y = CLASSES > 0
    one = GeneralizedLinearClassifier("log_loss", alpha=0.05, **SHARP).fit(X, y)
    two = GeneralizedLinearClassifier("multinomial", alpha=0.1, **SHARP).fit(X, y)
    assert two.coef_.shape == one.coef_.shape == (1, 5)
    np.testing.assert_allclose(one.coef_, two.coef_, atol=1e-7)


def test_class_weight():
    weights = {0: 1.0, 1: 5.0, 2: 1.0}
    given = GeneralizedLinearClassifier("hinge", class_weight=weights).fit(X, CLASSES)
    same = GeneralizedLinearClassifier("hinge").fit(
        X, CLASSES, sample_weight=np.where(CLASSES == 1, 5.0, 1.0)
    )
    np.testing.assert_array_equal(given.coef_, same.coef_)
    plain = GeneralizedLinearClassifier("hinge").fit(X, CLASSES)
    assert (given.predict(X) == 1).sum() > (plain.predict(X) == 1).sum()


def test_history_tells_the_classes_apart():
    model = GeneralizedLinearClassifier("squared_hinge").fit(X, CLASSES)
    assert {len(values) for values in model.history_.values()} == {model.n_iter_}
    assert sorted(set(model.history_["class"])) == [0, 1, 2]


def test_adaptive_lasso_finds_the_features():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(400, 8))
    y = A @ np.array([2.0, -1, 0.5, 0, 0, 0, 0, 0]) + rng.normal(size=400)
    weights = 1 / np.abs(Ridge().fit(A, y).coef_)
    model = GeneralizedLinearRegressor(penalty="l1", alpha=0.03, penalty_weights=weights)
    np.testing.assert_array_equal(np.flatnonzero(model.fit(A, y).coef_), [0, 1, 2])


@pytest.mark.parametrize("loss", ["squared_error", "pinball", "poisson", "huber"])
@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
def test_columns_far_from_0_only_shift_the_intercept(loss, penalty):
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(60, 4)), 3)
    y = rng.poisson(np.exp(X[:, 0])).astype(float)
    near = GeneralizedLinearRegressor(loss, penalty=penalty, alpha=0.01, tol=1e-8).fit(X, y)
    far = clone(near).fit(X + 2.0**20, y)
    np.testing.assert_allclose(far.coef_, near.coef_, atol=1e-4)  # X itself is rounded by 1e-10
    np.testing.assert_allclose(far.predict(X + 2.0**20), near.predict(X), atol=1e-3)


def test_rows_beyond_the_bends_are_no_minimum_of_the_penalty():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = (
        20 * np.sign(X[:, 0]) + X[:, 0]
    )  # for w = 0 all residuals are where Huber's loss is straight
    for alpha in (1e-3, 1e-2):
        options = {"penalty": "elasticnet", "alpha": alpha, "fit_intercept": False}
        model = GeneralizedLinearRegressor("huber", **options).fit(X, y)
        slopes = np.clip(X @ model.coef_ - y, -0.1, 0.1) @ X / 40 + 0.85 * alpha * model.coef_
        assert np.any(model.coef_ != 0)
        pull = 0.15 * alpha
        at_0 = model.coef_ == 0
        np.testing.assert_allclose((slopes + pull * np.sign(model.coef_))[~at_0], 0, atol=1e-5)
        assert np.all(np.abs(slopes[at_0]) <= pull + 1e-5)
