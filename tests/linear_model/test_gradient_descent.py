"""Gradient descent: its steps, where it comes to rest, and when it stops."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge

from skcourse.core.losses import Loss, derivatives, multinomial
from skcourse.core.optimizers import RULES
from skcourse.core.penalties import PENALTIES, Penalty, proximal_step
from skcourse.linear_model import GradientDescentClassifier, GradientDescentRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)) + 0.5
Y = X @ [1.5, -2.0, 0.0, 0.3] + 2.0 + 0.3 * RNG.normal(size=60)
CODES = np.argmax(X[:, :3] + 0.5 * RNG.normal(size=(60, 3)), axis=1)
WEIGHTS = RNG.uniform(0.5, 2, size=60)
REST = {"tol": 1e-26, "max_iter": 50_000}  # steps of 1e-13, errors larger by the condition, 10
SHORT = {"tol": None, "max_iter": 3}


def objective_gradient(loss, W, b, rows, y, s):
    """Return the gradient of the mean loss by (2), sample by sample."""
    G, gb = np.zeros_like(W), np.zeros_like(b)
    for x, target, weight in zip(rows, y, s, strict=True):
        z = W @ x + b
        if loss == "multinomial":
            g = np.empty(len(z))
            multinomial(int(target), z, g)
        else:
            g = np.array([derivatives(Loss(0), target, z[0])[1]])
        G += weight * np.outer(g, x) / len(rows)
        gb += weight * g / len(rows)
    return G, gb


@pytest.mark.parametrize("loss", ["squared", "multinomial"])
@pytest.mark.parametrize("batch_size", [1, 7, 60])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csr_matrix])
def test_steps_are_those_of_the_formula(loss, batch_size, kind):
    """Heavy ball on batches in order, with an l2 penalty and weights, by plain loops."""
    options = dict(
        penalty="l2", alpha=0.3, optimizer="momentum", momentum=0.6, learning_rate="invscaling",
        eta0=0.05, power_t=0.3, batch_size=batch_size, shuffle=False, record="path", **SHORT
    )  # fmt: skip
    if loss == "multinomial":
        model, y, K = GradientDescentClassifier(**options), CODES, 3
    else:
        model, y, K = GradientDescentRegressor(**options), Y, 1
    model.fit(kind(X), y, sample_weight=WEIGHTS)
    W, b, s = np.zeros((K, 4)), np.zeros(K), WEIGHTS / WEIGHTS.mean()
    VW, vb, t, path = np.zeros_like(W), np.zeros_like(b), 0, []
    for _ in range(3):
        for start in range(0, 60, batch_size):
            rows = slice(start, start + batch_size)
            G, g = objective_gradient(loss, W, b, X[rows], y[rows], s[rows])
            t += 1
            h = 0.05 / t**0.3
            VW, vb = 0.6 * VW - h * (G + 0.3 * W), 0.6 * vb - h * g
            W, b = W + VW, b + vb
            path.append(np.append(W, b))
    # up to 180 steps, each with a few roundings of numbers of size 1
    np.testing.assert_allclose(np.atleast_2d(model.coef_), W, rtol=0, atol=1e-13)
    np.testing.assert_allclose(model.intercept_, b if K > 1 else b[0], rtol=0, atol=1e-13)
    found = model.history_["parameters"]
    assert found.shape == (3, -(-60 // batch_size), K * 5)
    np.testing.assert_allclose(found.reshape(len(path), -1), path, rtol=0, atol=1e-13)


def test_history_of_a_full_batch():
    model = GradientDescentRegressor(penalty="l2", alpha=0.3, record="path", **SHORT).fit(X, Y)
    thetas = np.vstack([np.zeros(5), model.history_["parameters"][:, 0]])
    for k, theta in enumerate(thetas[:-1]):
        r = X @ theta[:4] + theta[4] - Y
        loss = np.mean(r**2) / 2 + 0.15 * theta[:4] @ theta[:4]
        gradient = np.append(X.T @ r / 60 + 0.3 * theta[:4], r.mean())
        assert model.history_["loss"][k] == pytest.approx(loss, rel=1e-12)
        assert model.history_["gradient_norm"][k] == pytest.approx(np.linalg.norm(gradient))
        h = model.history_["learning_rate"][k]
        np.testing.assert_allclose(thetas[k + 1], theta - h * gradient, rtol=1e-12)
    assert model.n_iter_ == 3
    assert set(model.history_) == {"loss", "gradient_norm", "learning_rate", "parameters"}


def test_loss_of_an_epoch_is_the_mean_over_its_batches():
    model = GradientDescentRegressor(
        batch_size=20, shuffle=False, tol=None, max_iter=1, eta0=0.1, learning_rate="constant",
        record="path", penalty="l1", alpha=0.2,
    ).fit(X, Y)  # fmt: skip
    thetas = np.vstack([np.zeros(5), model.history_["parameters"][0]])
    losses = [
        np.mean((X[i : i + 20] @ t[:4] + t[4] - Y[i : i + 20]) ** 2) / 2 + 0.2 * abs(t[:4]).sum()
        for i, t in zip((0, 20, 40), thetas, strict=False)
    ]
    assert model.history_["loss"][0] == pytest.approx(np.mean(losses), rel=1e-12)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_squares_and_ridge_are_found(weights, fit_intercept):
    s = np.ones(60) if weights is None else weights
    for ours, theirs in (
        (GradientDescentRegressor(fit_intercept=fit_intercept, **REST), LinearRegression()),
        (
            GradientDescentRegressor(
                penalty="l2", alpha=0.2, fit_intercept=fit_intercept, optimizer="nesterov", **REST
            ),
            Ridge(alpha=0.2 * s.sum()),
        ),
    ):
        theirs.set_params(fit_intercept=fit_intercept).fit(X, Y, weights)
        ours.fit(X, Y, weights)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-11)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=0, atol=1e-11)


@pytest.mark.parametrize("optimizer", RULES)
def test_every_rule_comes_to_rest_at_the_same_lasso(optimizer):
    """A proximal step of another length than the rule's own would rest beside the minimum."""
    lasso = Lasso(alpha=0.4, tol=1e-14, max_iter=100_000).fit(X, Y)
    # adaptive rules oscillate with a constant step, by their own normalisation
    adaptive = {"learning_rate": "invscaling", "eta0": 0.3, "power_t": 0.5}
    options = {"eta0": 1.0} if optimizer == "adagrad" else adaptive
    model = GradientDescentRegressor(
        penalty="l1", alpha=0.4, optimizer=optimizer, tol=1e-24, max_iter=30_000,
        **(options if optimizer.startswith(("ad", "rms")) else {}),
    ).fit(X, Y)  # fmt: skip
    np.testing.assert_allclose(model.coef_, lasso.coef_, rtol=0, atol=1e-8)
    assert np.array_equal(model.coef_ == 0, lasso.coef_ == 0)
    assert np.any(model.coef_ == 0)


def test_elastic_net_is_found():
    theirs = ElasticNet(alpha=0.3, l1_ratio=0.4, tol=1e-14).fit(X, Y)
    ours = GradientDescentRegressor(penalty="elasticnet", alpha=0.3, l1_ratio=0.4, **REST).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-11)


@pytest.mark.parametrize("penalty", ["mcp", "scad", "l0", "group"])
def test_rest_is_a_fixed_point_of_the_proximal_step(penalty):
    groups = np.array(["b", "a", "b", "c"])  # not side by side
    model = GradientDescentRegressor(penalty=penalty, alpha=0.25, groups=groups, **REST).fit(X, Y)
    gradient = X.T @ (X @ model.coef_ + model.intercept_ - Y) / 60
    h = model.history_["learning_rate"][-1]
    order = np.array([1, 0, 2, 3]) if penalty == "group" else np.arange(4)
    edges = np.array([0, 1, 3, 4]) if penalty == "group" else np.empty(0, np.int64)
    moved = (model.coef_ - h * gradient)[order]
    shape = {"mcp": 3.0, "scad": 3.7}.get(penalty, 0.0)
    proximal_step(Penalty(PENALTIES[penalty], 0.25, shape), moved, h, np.empty(0), edges)
    np.testing.assert_allclose(moved, model.coef_[order], rtol=0, atol=1e-11)
    plain = LinearRegression().fit(X, Y).coef_
    assert np.linalg.norm(model.coef_) < np.linalg.norm(plain)


def test_a_group_is_in_or_out_together():
    groups = [0, 1, 1, 0]
    model = GradientDescentRegressor(penalty="group", alpha=1.0, groups=groups, **REST).fit(X, Y)
    zero = model.coef_ == 0
    assert zero[1] == zero[2] and zero[0] == zero[3] and 0 < zero.sum() < 4


def test_logistic_regressions_are_found():
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    for y in (CODES, CODES > 0):
        ours = GradientDescentClassifier(penalty="l2", alpha=0.1, optimizer="nesterov", **REST)
        theirs = LogisticRegression(C=1 / (0.1 * 60), tol=1e-12, solver="newton-cholesky")
        ours.fit(Z, y)
        theirs.fit(Z, y)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-8)  # theirs' tol
        np.testing.assert_allclose(ours.predict_proba(Z), theirs.predict_proba(Z), atol=1e-8)
        np.testing.assert_allclose(np.exp(ours.predict_log_proba(Z)), ours.predict_proba(Z))
        assert np.array_equal(ours.predict(Z), theirs.predict(Z))
        assert ours.coef_.shape == theirs.coef_.shape
        assert ours.intercept_.shape == theirs.intercept_.shape


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "modified_huber", "perceptron"])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_margins_set_each_class_against_the_rest(loss, batch_size):
    options = dict(loss=loss, learning_rate="constant", eta0=0.02, batch_size=batch_size, **SHORT)
    model = GradientDescentClassifier(random_state=0, **options).fit(X, CODES)
    assert model.coef_.shape == (3, 4)
    for k in range(3):
        single = GradientDescentClassifier(random_state=0, **options).fit(X, k == CODES)
        np.testing.assert_allclose(model.coef_[k], single.coef_[0], rtol=1e-12)
    assert not hasattr(model, "predict_proba")
    assert np.array_equal(model.predict(X), model.decision_function(X).argmax(axis=1))


REGRESSION = {
    "squared_error": Y, "huber": Y, "epsilon_insensitive": Y, "squared_epsilon_insensitive": Y,
    "pinball": Y, "poisson": np.round(np.exp(Y / 4)), "gamma": np.exp(Y / 4),
    "tweedie": np.exp(Y / 4), "tweedie_identity": np.exp(Y / 4) + 5,
}  # fmt: skip


@pytest.mark.parametrize("loss", REGRESSION)
def test_every_loss_falls_by_its_own_gradient(loss):
    y = REGRESSION[loss]
    model = GradientDescentRegressor(
        loss, learning_rate="constant", eta0=1e-3, tol=None, max_iter=9
    )
    model.fit(X, y)
    assert np.all(np.diff(model.history_["loss"]) < 0)
    # along a short step the loss falls by the step times the gradient's length, squared
    drop, slope = -np.diff(model.history_["loss"])[0], model.history_["gradient_norm"][0] ** 2
    assert drop == pytest.approx(1e-3 * slope, rel=0.1)  # curvature and kinks: a tenth
    raw = X @ model.coef_ + model.intercept_
    predicted = np.exp(raw) if loss in ("poisson", "gamma", "tweedie") else raw
    np.testing.assert_allclose(model.predict(X), predicted, rtol=1e-12)


CHANGES = {
    "loss": ("huber", {}),
    "penalty": ("l1", {"alpha": 0.1}),
    "alpha": (0.5, {"penalty": "l2"}),
    "l1_ratio": (0.9, {"penalty": "elasticnet", "alpha": 0.1}),
    "gamma": (9.0, {"penalty": "mcp", "alpha": 0.5}),
    "groups": ([0, 1, 1, 0], {"penalty": "group", "alpha": 0.1, "groups": [0, 0, 1, 1]}),
    "epsilon": (0.3, {"loss": "huber"}),
    "quantile": (0.8, {"loss": "pinball"}),
    "power": (1.2, {"loss": "tweedie"}),
    "fit_intercept": (False, {}),
    "optimizer": ("momentum", {}),
    "learning_rate": ("invscaling", {}),
    "eta0": (0.02, {"learning_rate": "constant"}),
    "power_t": (0.9, {"learning_rate": "invscaling"}),
    "momentum": (0.5, {"optimizer": "nesterov"}),
    "beta_1": (0.5, {"optimizer": "adam"}),
    "beta_2": (0.5, {"optimizer": "rmsprop"}),
    "optimizer_epsilon": (0.5, {"optimizer": "adagrad"}),
    "batch_size": (10, {}),
    "max_iter": (5, {}),
    "shuffle": (False, {"batch_size": 10}),
    "random_state": (1, {"batch_size": 10, "random_state": 0}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_parameter_counts(name):
    value, others = CHANGES[name]
    y = np.exp(Y / 4)
    base = GradientDescentRegressor(**SHORT | {"random_state": 0} | others).fit(X, y)
    changed = GradientDescentRegressor(**SHORT | {"random_state": 0} | others | {name: value})
    assert not np.allclose(base.coef_, changed.fit(X, y).coef_, rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    "name", sorted(set(CHANGES) & set(GradientDescentClassifier().get_params()))
)
def test_every_parameter_counts_for_classes(name):
    value, others = CHANGES[name]
    value = "hinge" if name == "loss" else value
    others = others | {"alpha": 0.05} if name == "gamma" else others
    base = GradientDescentClassifier(**SHORT | {"random_state": 0} | others).fit(X, CODES)
    changed = GradientDescentClassifier(**SHORT | {"random_state": 0} | others | {name: value})
    assert not np.allclose(base.coef_, changed.fit(X, CODES).coef_, rtol=1e-3, atol=0)


def test_classifiers_stop_and_begin_as_regressors_do():
    short = GradientDescentClassifier(warm_start=True, **SHORT)
    twice = short.fit(X, CODES).fit(X, CODES).coef_
    whole = GradientDescentClassifier(tol=None, max_iter=6).fit(X, CODES).coef_
    np.testing.assert_allclose(twice, whole, rtol=1e-12)
    noise = {"X_val": X, "y_val": np.roll(CODES, 1)}
    for patience in (2, 5):
        model = GradientDescentClassifier(n_iter_no_change=patience, max_iter=500)
        losses = model.fit(X, CODES, **noise).history_["validation_loss"]
        assert model.n_iter_ == losses.argmin() + 1 + patience < 500


def test_all_parameters_are_tested():
    elsewhere = {"tol", "n_iter_no_change", "warm_start", "record"}
    assert set(CHANGES) | elsewhere == set(GradientDescentRegressor().get_params())
    assert set(GradientDescentClassifier().get_params()) - set(CHANGES) - elsewhere == {
        "class_weight"
    }


def test_batch_size_as_a_share_and_in_words():
    def path(batch_size):
        model = GradientDescentRegressor(batch_size=batch_size, random_state=0, record="path")
        return model.set_params(**SHORT).fit(X, Y).history_["parameters"]

    assert np.array_equal(path(0.25), path(15))
    assert np.array_equal(path("full"), path(None))
    assert np.array_equal(path(1000), path(None))
    assert path(1).shape == (3, 60, 5)
    assert path(25).shape == (3, 3, 5)  # the last batch is shorter


def test_adamw_lets_coefficients_decay_and_adam_does_not():
    options = {
        "penalty": "l2",
        "alpha": 2.0,
        "eta0": 0.1,
        "record": "path",
        "tol": None,
        "max_iter": 2,
    }
    adamw = GradientDescentRegressor(optimizer="adamw", **options).fit(X, Y)
    plain = GradientDescentRegressor(optimizer="adam", **options | {"penalty": None}).fit(X, Y)
    first, second = adamw.history_["parameters"][:, 0]
    assert np.array_equal(first, plain.history_["parameters"][0, 0])  # nothing to decay at 0
    # the second step starts from the same point with the same gradient, decayed by 1 - h alpha
    moved = plain.history_["parameters"][1, 0] - first
    np.testing.assert_allclose(second, first * np.array([0.8] * 4 + [1.0]) + moved, rtol=1e-12)


def test_stops_when_a_step_is_short():
    model = GradientDescentRegressor(tol=1e-6, record="path").fit(X, Y)
    path = np.vstack([np.zeros(5), model.history_["parameters"][:, 0]])
    moves = np.sum(np.diff(path, axis=0) ** 2, axis=1)
    assert moves[-1] <= 1e-6 < moves[:-1].min()
    with pytest.warns(ConvergenceWarning, match=r"max_iter=2 .*Increase max_iter"):
        GradientDescentRegressor(max_iter=2).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match=r"invscaling"):
        GradientDescentRegressor(max_iter=2, batch_size=5).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GradientDescentRegressor(max_iter=2, tol=None).fit(X, Y)


@pytest.mark.parametrize("sparse", [False, True])
def test_stops_by_validation_data_and_keeps_the_best(sparse):
    rng = np.random.default_rng(1)
    wide, noise = rng.normal(size=(30, 25)), rng.normal(size=30)
    fresh, target = rng.normal(size=(200, 25)), rng.normal(size=200)
    wide_, fresh_ = (sp.csr_array(wide), sp.csr_array(fresh)) if sparse else (wide, fresh)
    weights = rng.uniform(1, 2, size=200)
    model = GradientDescentRegressor(n_iter_no_change=4, record="path", max_iter=5000)
    model.fit(wide_, wide[:, 0] + noise, X_val=fresh_, y_val=fresh[:, 0] + target,
              sample_weight_val=weights)  # fmt: skip
    losses = model.history_["validation_loss"]
    best = losses.argmin()
    assert len(losses) == best + 5 == model.n_iter_ < 5000
    theta = model.history_["parameters"][best, 0]
    assert np.array_equal(model.coef_, theta[:-1])
    assert model.intercept_ == theta[-1]
    squares = (fresh @ theta[:-1] + theta[-1] - fresh[:, 0] - target) ** 2 / 2
    assert losses[best] == pytest.approx(np.average(squares, weights=weights), rel=1e-12)
    patient = GradientDescentRegressor(n_iter_no_change=9, max_iter=5000)
    patient.fit(wide, wide[:, 0] + noise, X_val=fresh, y_val=fresh[:, 0] + target,
                sample_weight_val=weights)  # fmt: skip
    assert patient.n_iter_ == best + 10


def test_classes_of_validation_data():
    options = {"X_val": X[:20], "y_val": np.array(["x", "y", "z"])[CODES[:20]]}
    model = GradientDescentClassifier(max_iter=50, tol=None)
    model.fit(X, np.array(["x", "y", "z"])[CODES], **options)
    assert len(model.history_["validation_loss"]) == model.n_iter_
    with pytest.raises(ValueError, match="not among the classes"):
        model.fit(X, CODES, **options)


@pytest.mark.parametrize("optimizer", RULES)
def test_partial_fit_goes_on_where_fit_was(optimizer):
    options = {
        "optimizer": optimizer, "eta0": 0.05, "penalty": "l1", "alpha": 0.1, "batch_size": 8,
        "random_state": 3, "learning_rate": "invscaling", "tol": None,
    }  # fmt: skip
    whole = GradientDescentRegressor(max_iter=3, **options).fit(X, Y)
    pieces = GradientDescentRegressor(max_iter=1, **options).fit(X, Y)
    pieces.partial_fit(X, Y).partial_fit(X, Y)
    assert np.array_equal(whole.coef_, pieces.coef_)
    assert np.array_equal(whole.history_["loss"], pieces.history_["loss"])
    assert pieces.n_iter_ == 3
    only = GradientDescentRegressor(**options)
    for _ in range(3):
        only.partial_fit(X, Y)
    assert np.array_equal(whole.coef_, only.coef_)


def test_partial_fit_of_classes():
    model = GradientDescentClassifier(batch_size=5, eta0=0.1, random_state=0)
    with pytest.raises(ValueError, match="classes must be passed"):
        model.partial_fit(X, CODES)
    model.partial_fit(X[CODES < 2], CODES[CODES < 2], classes=[0, 1, 2]).partial_fit(X, CODES)
    assert model.coef_.shape == (3, 4)
    with pytest.raises(ValueError, match="not the same as on last call"):
        model.partial_fit(X, CODES, classes=[0, 1])
    with pytest.raises(ValueError, match="balanced"):
        GradientDescentClassifier(class_weight="balanced").partial_fit(X, CODES, classes=[0, 1, 2])


def test_where_a_descent_begins():
    options = {"tol": None, "max_iter": 2}
    twice = GradientDescentRegressor(warm_start=True, **options).fit(X, Y).fit(X, Y)
    again = GradientDescentRegressor(warm_start=False, **options).fit(X, Y).fit(X, Y)
    four = GradientDescentRegressor(tol=None, max_iter=4).fit(X, Y)
    np.testing.assert_allclose(twice.coef_, four.coef_, rtol=1e-13)
    assert not np.allclose(again.coef_, four.coef_, rtol=1e-3)
    given = GradientDescentRegressor(**options)
    given.fit(X, Y, coef_init=again.coef_, intercept_init=again.intercept_)
    assert np.array_equal(given.coef_, twice.coef_)
    clf = GradientDescentClassifier(**options).fit(X, CODES)
    more = GradientDescentClassifier(**options)
    more.fit(X, CODES, coef_init=clf.coef_, intercept_init=clf.intercept_)
    np.testing.assert_allclose(
        more.coef_, GradientDescentClassifier(tol=None, max_iter=4).fit(X, CODES).coef_, rtol=1e-12
    )
    for bad, match in (([1.0, 2.0], "coef_init has shape"), ([np.nan] * 4, "NaN")):
        with pytest.raises(ValueError, match=match):
            given.fit(X, Y, coef_init=bad)


def test_class_weights_are_weights_of_samples():
    weights = {0: 1.0, 1: 3.0, 2: 0.5}
    by_class = GradientDescentClassifier(class_weight=weights, **SHORT).fit(X, CODES)
    by_row = GradientDescentClassifier(**SHORT).fit(
        X, CODES, sample_weight=np.array([1.0, 3.0, 0.5])[CODES]
    )
    assert np.array_equal(by_class.coef_, by_row.coef_)
    balanced = GradientDescentClassifier(class_weight="balanced", **SHORT).fit(X, CODES)
    assert not np.allclose(balanced.coef_, by_row.coef_)
