"""How long a step may be, what happens if it is longer, and what must not matter."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcourse.linear_model import GradientDescentClassifier, GradientDescentRegressor
from skcourse.linear_model.gradient_descent_curvature import largest_curvature, largest_eigenvalue

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)) + 0.5
Y = X @ [1.5, -2.0, 0.0, 0.3] + 2.0 + 0.3 * RNG.normal(size=60)
CODES = np.argmax(X[:, :3] + 0.5 * RNG.normal(size=(60, 3)), axis=1)
WEIGHTS = RNG.uniform(0.5, 2, size=60)
WEIGHTS /= WEIGHTS.mean()


def longest(A, s):
    return np.linalg.eigvalsh((A * s[:, np.newaxis]).T @ A / len(A))[-1]


@pytest.mark.parametrize("kind", [np.ascontiguousarray, sp.csr_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_largest_eigenvalue(kind, fit_intercept, weights):
    A = np.column_stack([X, np.ones(60)]) if fit_intercept else X
    s = np.ones(60) if weights is None else weights
    found = largest_eigenvalue(kind(X), weights, fit_intercept)
    assert found == pytest.approx(longest(A, s), rel=1e-13)


@pytest.mark.parametrize("kind", [np.ascontiguousarray, sp.csr_array])
def test_largest_eigenvalue_of_many_columns_is_bounded_from_above(kind):
    wide = RNG.normal(size=(60, 1500)) + 0.3
    exact = longest(np.column_stack([wide, np.ones(60)]), WEIGHTS)
    for dtype in (np.float64, np.float32):
        found = largest_eigenvalue(kind(wide.astype(dtype)), WEIGHTS, True)
        assert exact * (1 - 1e-6) <= found <= exact * 1.0021


def test_curvature_of_batches_goes_from_that_of_all_rows_to_that_of_the_steepest():
    norms = WEIGHTS * (np.sum(X**2, axis=1) + 1)

    def bound(b):
        options = {"fit_intercept": True, "batch_size": b}
        return largest_curvature(X, WEIGHTS, 0.25, **options)

    every = longest(np.column_stack([X, np.ones(60)]), WEIGHTS)
    assert bound(60) == pytest.approx(0.25 * every, rel=1e-12)
    assert bound(1) == pytest.approx(0.25 * norms.max(), rel=1e-12)
    between = (60 * 9 * every + 50 * norms.max()) / (10 * 59)
    assert bound(10) == pytest.approx(0.25 * between, rel=1e-12)


CURVED = {"squared_error": 1, "huber": 1, "squared_epsilon_insensitive": 2}
MARGINS = {"squared_hinge": 2, "modified_huber": 2, "log_loss": 0.5}  # of the softmax


@pytest.mark.parametrize("loss", [*CURVED, *MARGINS])
@pytest.mark.parametrize("penalty", [None, "l2", "l1"])
def test_a_lipschitz_step_never_raises_the_objective(loss, penalty):
    cls, y = (GradientDescentRegressor, Y) if loss in CURVED else (GradientDescentClassifier, CODES)
    model = cls(loss, penalty=penalty, alpha=0.1, learning_rate="lipschitz", tol=None, max_iter=60)
    history = model.fit(X, y).history_
    losses = history["loss"]
    assert np.all(np.diff(losses) <= 1e-15 * losses[0])
    curvature = (CURVED | MARGINS)[loss] * longest(np.column_stack([X, np.ones(60)]), np.ones(60))
    L = curvature + (0.1 if penalty == "l2" else 0)
    np.testing.assert_allclose(history["learning_rate"], 1 / L, rtol=1e-12)


def test_auto_is_lipschitz_where_that_exists():
    def rate(**options):
        model = GradientDescentRegressor(tol=None, max_iter=1, eta0=0.0123, **options)
        return model.fit(X, Y).history_["learning_rate"][0]

    assert rate() == rate(learning_rate="lipschitz") != 0.0123
    assert rate(optimizer="adam") == rate(loss="pinball") == 0.0123


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
def test_the_bound_that_is_named_is_sharp(optimizer):
    """Just below it the objective falls to its minimum, just above it grows without end."""
    limit = 2 / longest(np.column_stack([X, np.ones(60)]), np.ones(60))
    limit *= {"sgd": 1.0, "momentum": 1.5, "nesterov": 1.5 / 2}[optimizer]
    options = {"optimizer": optimizer, "momentum": 0.5, "learning_rate": "constant"}
    below = GradientDescentRegressor(eta0=0.99 * limit, **options, max_iter=5000).fit(X, Y)
    assert below.history_["loss"][-1] < 0.1
    above = GradientDescentRegressor(eta0=1.01 * limit, **options)
    with pytest.warns(ConvergenceWarning, match=rf"diverges.*= {limit:.3g}, where L"):
        above.fit(X, Y)
    assert np.isfinite(above.coef_).all()


def test_a_descent_that_leaves_the_numbers_raises_and_leaves_nothing():
    model = GradientDescentRegressor(learning_rate="constant", eta0=2.0)
    with pytest.raises(ValueError, match=r"above 2 / L = 0.\d+, where L = .*StandardScaler"):
        model.fit(X, Y)
    assert not hasattr(model, "coef_") and not hasattr(model, "history_")
    for options, match in (
        ({"batch_size": 1}, "above 2 / L"),
        ({"optimizer": "momentum"}, r"above 2 \(1 \+ momentum\) / L"),
        ({"optimizer": "nesterov"}, r"above 2 \(1 \+ momentum\) / \(1 \+ 2 momentum\) / L"),
        ({"loss": "poisson"}, "curvature has no bound"),
        ({"penalty": "l1"}, "above 2 / L"),
    ):
        y = np.exp(Y / 4) if "loss" in options else Y
        with pytest.raises(ValueError, match=match):
            GradientDescentRegressor(learning_rate="constant", eta0=50.0, **options).fit(X, y)
    fitted = GradientDescentRegressor(learning_rate="constant", eta0=0.1).fit(X, Y)
    before = fitted.coef_.copy()
    with pytest.raises(ValueError, match="diverged"):
        for _ in range(9):
            fitted.partial_fit(1e150 * X, Y)
    assert np.array_equal(fitted.coef_, before)


def test_numbers_that_are_too_large_for_a_step():
    with pytest.raises(ValueError, match="too large"):
        GradientDescentRegressor().fit(1e200 * X, Y)
    zeros = GradientDescentRegressor(fit_intercept=False).fit(np.zeros((5, 2)), np.ones(5))
    assert np.array_equal(zeros.coef_, [0, 0])


REFUSED = [
    (GradientDescentRegressor(learning_rate="lipschitz", loss="pinball"), Y, "no bound"),
    (GradientDescentRegressor(learning_rate="lipschitz", optimizer="adam"), Y, "no multiples"),
    (GradientDescentRegressor(penalty="group"), Y, "wants `groups`"),
    (GradientDescentRegressor(penalty="group", groups=[1, 2]), Y, "groups has shape"),
    (GradientDescentRegressor(penalty="group", groups=[1] * 4, optimizer="adam"), Y, "one length"),
    (GradientDescentRegressor(penalty="scad", gamma=1.5), Y, "must be > 2"),
    (GradientDescentRegressor(penalty="mcp", gamma=0.5), Y, "must be > 1"),
    (GradientDescentRegressor("poisson"), Y - 5, "out of the valid range"),
    (GradientDescentRegressor("gamma"), np.abs(Y) * 0, "out of the valid range"),
    (GradientDescentRegressor("tweedie_identity", fit_intercept=False), Y**2, "coef_init"),
    (GradientDescentClassifier(), np.ones(60), "greater than one"),
    (GradientDescentClassifier(), Y, "Unknown label type"),
]


@pytest.mark.parametrize(("model", "y", "match"), REFUSED, ids=lambda value: str(value)[:50])
def test_refused(model, y, match):
    with pytest.raises(ValueError, match=match):
        model.fit(X, y)
    assert not [name for name in vars(model) if name.endswith("_")]


def test_validation_data_come_whole():
    for options in ({"X_val": X}, {"y_val": Y}):
        with pytest.raises(ValueError, match="go together"):
            GradientDescentRegressor().fit(X, Y, **options)
    with pytest.raises(ValueError, match="features"):
        GradientDescentRegressor().fit(X, Y, X_val=X[:, :2], y_val=Y)
    with pytest.raises(ValueError, match="sample_weight_val goes with"):
        GradientDescentRegressor().fit(X, Y, sample_weight_val=np.ones(60))


@pytest.mark.parametrize("batch_size", [None, 64])
def test_threads_change_no_bit(batch_size, n_threads):
    rng = np.random.default_rng(2)
    A, codes = rng.normal(size=(20_000, 6)), rng.integers(0, 3, size=20_000)
    model = GradientDescentClassifier(max_iter=2, tol=None, batch_size=batch_size, random_state=0)
    found = model.fit(A, codes).coef_.tobytes()
    assert BITS.setdefault(batch_size, found) == found


BITS = {}  # of the first number of threads that was tried


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("indices", [np.int32, np.int64])
def test_sparse_rows_are_rows(batch_size, indices):
    options = {"max_iter": 5, "tol": None, "batch_size": batch_size, "random_state": 0}
    A = X * (RNG.random(X.shape) < 0.5)
    rows = sp.csr_array(A)
    rows.indices, rows.indptr = rows.indices.astype(indices), rows.indptr.astype(indices)
    for model, y in (
        (GradientDescentRegressor(penalty="l1", alpha=0.01, **options), Y),
        (GradientDescentClassifier(**options), CODES),
    ):
        dense = model.fit(A, y).coef_
        np.testing.assert_allclose(model.fit(rows, y).coef_, dense, rtol=1e-12)
        np.testing.assert_allclose(model.fit(sp.csc_array(A), y).coef_, dense, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_float32_stays(batch_size):
    options = {"max_iter": 5, "tol": None, "batch_size": batch_size, "random_state": 0}
    single = X.astype(np.float32)
    model = GradientDescentClassifier(**options).fit(single, CODES)
    double = GradientDescentClassifier(**options).fit(single.astype(np.float64), CODES)
    assert {model.coef_.dtype, model.intercept_.dtype, model.predict_proba(single).dtype} == {
        np.dtype(np.float32)
    }
    # the same arithmetic in float64, rounded once
    np.testing.assert_allclose(model.coef_, double.coef_, rtol=1e-6)


def test_rows_of_a_large_batch_come_in_several_tiles():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(1000, 50))
    b = A @ rng.normal(size=50)
    options = {"tol": None, "max_iter": 2, "shuffle": False, "learning_rate": "constant"}
    found = GradientDescentRegressor(batch_size=400, **options).fit(A, b)
    theta = np.zeros(51)
    Z = np.column_stack([A, np.ones(1000)])
    for i in (0, 400, 800, 0, 400, 800):
        rows = slice(i, min(1000, i + 400))
        theta -= 0.01 * Z[rows].T @ (Z[rows] @ theta - b[rows]) / len(b[rows])
    np.testing.assert_allclose(found.coef_, theta[:-1], rtol=0, atol=1e-13)


def test_every_row_is_seen_once_in_an_epoch():
    """With the identity for X, and no rows in common, each coefficient tells of its row."""
    model = GradientDescentRegressor(
        batch_size=1, max_iter=1, tol=None, eta0=0.5, learning_rate="constant", fit_intercept=False,
        random_state=0, record="path",
    ).fit(np.eye(40), np.ones(40))  # fmt: skip
    assert np.array_equal(model.coef_, np.full(40, 0.5))
    order = np.argmax(np.diff(model.history_["parameters"][0][:, :40], axis=0, prepend=0), axis=1)
    assert sorted(order) == list(range(40)) != list(order)


class Recorder:
    """A callback that keeps the coefficients after each epoch and stops at one of them."""

    def __init__(self, stop_at=None):
        self.stop_at, self.coefs = stop_at, []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.coefs.append(fitted_estimator.coef_)
            return len(self.coefs) == self.stop_at
        return False


def test_callbacks_see_each_epoch_and_may_stop():
    recorder = Recorder()
    model = GradientDescentRegressor(max_iter=6, tol=None, record="path").set_callbacks(recorder)
    model.fit(X, Y)
    assert np.array_equal(recorder.coefs, model.history_["parameters"][:, 0, :4])
    stopped = GradientDescentRegressor(max_iter=6).set_callbacks(Recorder(stop_at=2)).fit(X, Y)
    assert stopped.n_iter_ == 2
    assert np.array_equal(stopped.coef_, recorder.coefs[1])


def test_a_monitor_can_score_every_epoch():
    monitor = ScoringMonitor(scoring="accuracy")
    GradientDescentClassifier(max_iter=6, tol=None).set_callbacks(monitor).fit(X, CODES)


def test_validation_data_are_routed_through_a_pipeline():
    with sklearn.config_context(enable_metadata_routing=True):
        model = GradientDescentRegressor(max_iter=9, tol=None)
        model.set_fit_request(X_val=True, y_val=True)
        pipe = make_pipeline(StandardScaler(), model)
        pipe.set_params(transform_input=["X_val"])
        pipe.fit(X, Y, X_val=X[:20], y_val=Y[:20])
    found = pipe[-1].history_["validation_loss"]
    Z = pipe[0].transform(X)
    direct = GradientDescentRegressor(max_iter=9, tol=None).fit(Z, Y, X_val=Z[:20], y_val=Y[:20])
    assert np.array_equal(found, direct.history_["validation_loss"])
