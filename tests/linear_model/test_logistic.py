"""Logistic regression: scikit-learn's answers, by every solver, and what each parameter does."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import softmax
from sklearn.callback import ProgressBar
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression as Theirs

from skcourse.linear_model import LogisticRegression

SOLVERS = ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga", "liblinear")
TIGHT = {"tol": 1e-9, "max_iter": 20_000}


def data(n_classes=2, n=120, seed=0):
    return make_classification(
        n, 6, n_informative=4, n_redundant=0, n_classes=n_classes, random_state=seed
    )


def objective(model, X, y, weights=None, scaling=None):
    """Return C sum_i s_i -log p(y_i | x_i) and the penalty."""
    z = X @ model.coef_.T + model.intercept_
    z = np.hstack([np.zeros_like(z), z]) if z.shape[1] == 1 else z
    log_p = np.log(softmax(z, axis=1))[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    W, r = model.coef_, model.l1_ratio
    loss = -model.C * np.sum(log_p * (1.0 if weights is None else weights))
    return loss + r * np.abs(W).sum() + (1 - r) / 2 * np.sum(W**2)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csc_array])
def test_the_optimum_is_theirs(solver, n_classes, kind):
    if solver == "liblinear" and n_classes > 2:
        return
    X, y = data(n_classes)
    found = LogisticRegression(solver=solver, C=0.5, random_state=0, **TIGHT).fit(kind(X), y)
    name = "liblinear" if solver == "liblinear" else "newton-cholesky"
    expected = Theirs(solver=name, C=0.5, tol=1e-11, max_iter=1000).fit(X, y)
    # A slope of 1e-9 moves the optimum by 1e-9 over the curvature, C sum s p (1 - p) / C sum s + ..
    np.testing.assert_allclose(found.coef_, expected.coef_, atol=2e-6)
    np.testing.assert_allclose(found.intercept_, expected.intercept_, atol=2e-6)
    assert np.array_equal(found.predict(kind(X)), expected.predict(X))
    for method in ("predict_proba", "predict_log_proba", "decision_function"):
        ours, theirs = getattr(found, method)(kind(X)), getattr(expected, method)(X)
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert found.n_iter_.dtype == np.int32 and found.n_iter_.shape == (1,)


@pytest.mark.parametrize(("solver", "n_classes"), [("saga", 2), ("saga", 3), ("liblinear", 2)])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_l1_is_no_worse_than_theirs_at_the_same_tolerance(solver, n_classes, l1_ratio, kind):
    if solver == "liblinear" and l1_ratio < 1:
        return
    X, y = data(n_classes)
    model = {"solver": solver, "C": 0.1, "l1_ratio": l1_ratio, "fit_intercept": solver == "saga"}
    ours = LogisticRegression(**model).fit(kind(X), y)
    theirs = Theirs(random_state=0, max_iter=10_000, **model).fit(X, y)
    assert objective(ours, X, y) <= objective(theirs, X, y) * (1 + 1e-9)
    assert (ours.coef_ == 0).any()


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_l2_is_no_worse_than_theirs_at_the_same_tolerance(solver, n_classes):
    X, y = data(n_classes, n=500)
    ours = LogisticRegression(solver=solver).fit(X, y)
    theirs = Theirs(solver=solver).fit(X, y)
    assert objective(ours, X, y) <= objective(theirs, X, y) * (1 + 1e-6)


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("scaling", [0.5, 1, 10])
def test_liblinear_penalises_the_intercept(dual, scaling):
    X, y = data()
    X = X + 1.0
    model = {"solver": "liblinear", "dual": dual, "intercept_scaling": scaling, "tol": 1e-10}
    ours = LogisticRegression(random_state=0, max_iter=10_000, **model).fit(X, y)
    theirs = Theirs(random_state=0, max_iter=100_000, **model).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-5)


def test_weights_of_rows_and_classes():
    X, y = data(3)
    counts = np.random.default_rng(0).integers(0, 3, len(y))
    balance = {0: 2.0, 1: 1.0, 2: 3.0}
    weighted = LogisticRegression(class_weight=balance, **TIGHT).fit(X, y, counts)
    rows = np.repeat(np.arange(len(y)), counts * np.array([2, 1, 3])[y])
    repeated = LogisticRegression(**TIGHT).fit(X[rows], y[rows])
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-6)
    few = np.flatnonzero((y == 0) | (np.arange(len(y)) % 3 == 0))
    ours = LogisticRegression(class_weight="balanced", **TIGHT).fit(X[few], y[few])
    theirs = Theirs(class_weight="balanced", **TIGHT).fit(X[few], y[few])
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_float32(solver):
    X, y = data()
    narrow = LogisticRegression(solver=solver, tol=1e-5, random_state=0, max_iter=1000)
    narrow.fit(X.astype(np.float32), y)
    wide = LogisticRegression(solver=solver, tol=1e-5, random_state=0, max_iter=1000).fit(X, y)
    dtype = np.float64 if solver == "liblinear" else np.float32
    assert narrow.coef_.dtype == narrow.intercept_.dtype == dtype
    np.testing.assert_allclose(narrow.coef_, wide.coef_, atol=1e-4)


@pytest.mark.parametrize("solver", SOLVERS[:-1])
def test_warm_start(solver):
    X, y = data(3)
    model = LogisticRegression(solver=solver, warm_start=True, random_state=0, **TIGHT).fit(X, y)
    first = model.n_iter_[0]
    assert model.fit(X, y).n_iter_[0] < first
    model.coef_ = model.coef_ * np.nan
    with pytest.raises(ValueError, match="not finite"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="features and classes of the last fit"):
        LogisticRegression(warm_start=True).fit(X, y).fit(X[:, :3], y)


@pytest.mark.parametrize("solver", ["sag", "saga"])
def test_random_state_draws_the_samples(solver):
    X, y = data()

    def fit(seed):
        model = LogisticRegression(solver=solver, random_state=seed, max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(X, y).coef_

    assert np.array_equal(fit(0), fit(0))
    assert not np.array_equal(fit(0), fit(1))


@pytest.mark.parametrize("solver", SOLVERS)
def test_history_and_verbose(solver, capsys):
    X, y = data()
    model = LogisticRegression(solver=solver, random_state=0, verbose=1, max_iter=1000).fit(X, y)
    assert capsys.readouterr().out
    for values in model.history_.values():
        assert values.shape == (model.n_iter_[0],)
    if "loss" in model.history_ and solver != "liblinear":
        mean = objective(model, X, y) / (model.C * len(y))
        assert model.history_["loss"][-1] == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_callbacks_follow_every_solver(solver, capsys):
    X, y = data()
    model = LogisticRegression(solver=solver, random_state=0, max_iter=1000)
    model.set_callbacks(ProgressBar())
    model.fit(X, y)
    assert "LogisticRegression" in capsys.readouterr().out


def test_probabilities_that_underflow_have_logarithms():
    model = LogisticRegression(C=1e6).fit([[-1.0], [1.0]], [0, 1])
    log_p = model.predict_log_proba([[1000.0]])
    assert np.isfinite(log_p).all()
    assert log_p[0, 0] == pytest.approx(-model.decision_function([[1000.0]])[0])
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    assert np.isfinite(model.predict_log_proba(1000 * X)).all()
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0, rtol=1e-12)


def test_sparse_coefficients_predict_the_same():
    for n_classes in (2, 3):
        X, y = data(n_classes)
        model = LogisticRegression(solver="saga", l1_ratio=1, C=0.1).fit(X, y)
        expected = model.predict_proba(X)
        assert sp.issparse(model.sparsify().coef_)
        np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-12)
        np.testing.assert_allclose(model.predict_proba(sp.csr_array(X)), expected, rtol=1e-12)
        assert isinstance(model.densify().coef_, np.ndarray)


def test_separable_classes_without_a_penalty_warn():
    X, y = [[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1]
    with pytest.warns(ConvergenceWarning, match="Set a finite C"):
        LogisticRegression(C=np.inf).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="Set a finite C"):
        LogisticRegression(C=np.inf).fit([*X, [9.0], [10.0]], [*y, 2, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LogisticRegression(C=np.inf).fit([*X, [-1.5]], [*y, 1])


@pytest.mark.parametrize(
    ("solver", "message"),
    [("lbfgs", "lbfgs failed"), ("newton-cg", "newton-cg failed"), ("sag", "max_iter was reached")],
)
def test_too_few_iterations_warn_and_name_the_remedy(solver, message):
    X, y = data(3)
    model = LogisticRegression(solver=solver, max_iter=1, tol=1e-12)
    with pytest.warns(ConvergenceWarning, match=f"(?s){message}.*increase max_iter") as caught:
        model.fit(X, y)
    assert caught[0].filename == __file__


def test_bad_input():
    X, y = data()
    model = LogisticRegression()
    with pytest.raises(ValueError, match="only one class"):
        model.fit(X, np.zeros(len(y)))
    with pytest.raises(ValueError, match="Unknown label type"):
        model.fit(X, X[:, 0])
    for bad in (np.nan, np.inf):
        broken = X.copy()
        broken[3, 2] = bad
        with pytest.raises(ValueError, match="Input X contains"):
            model.fit(broken, y)
        with pytest.raises(ValueError, match="Input X contains"):
            LogisticRegression().fit(X, y).predict_proba(broken)
    with pytest.raises(ValueError, match="scale"):
        model.fit(X * 1e307, y)
    with pytest.raises(ValueError, match="Negative values"):
        model.fit(X, y, -np.ones(len(y)))
    with pytest.raises(ValueError, match="at least one non-zero"):
        model.fit(X, y, np.zeros(len(y)))
    assert not hasattr(model, "coef_") and not hasattr(model, "classes_")
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_labels_may_be_anything_that_sorts():
    X, y = data(3)
    names = np.array(["ham", "eggs", "spam"])[y]
    model = LogisticRegression().fit(X, names)
    assert list(model.classes_) == ["eggs", "ham", "spam"]
    assert model.score(X, names) > 0.5


@pytest.mark.parametrize("solver", SOLVERS)
def test_without_an_intercept(solver):
    X, y = data()
    options = {"fit_intercept": False, "C": 0.5, "random_state": 0}
    found = LogisticRegression(solver=solver, **options, **TIGHT).fit(X + 0.5, y)
    expected = Theirs(solver="newton-cholesky", tol=1e-11, max_iter=1000, **options)
    np.testing.assert_allclose(found.coef_, expected.fit(X + 0.5, y).coef_, atol=2e-6)
    assert np.array_equal(found.intercept_, [0.0])


def test_the_dual_is_another_way_to_the_same_optimum():
    X, y = data()
    options = {"solver": "liblinear", "C": 0.5, "random_state": 0, **TIGHT}
    dual = LogisticRegression(dual=True, **options).fit(X, y)
    primal = LogisticRegression(**options).fit(X, y)
    assert set(dual.history_) == {"slope"} and set(primal.history_) == {"loss", "gradient"}
    np.testing.assert_allclose(dual.coef_, primal.coef_, atol=2e-6)


@pytest.mark.parametrize(
    ("penalty", "instead"),
    [("l1", {"l1_ratio": 1.0}), ("l2", {}), (None, {"C": np.inf}), ("elasticnet", {})],
)
def test_the_old_name_of_a_penalty(penalty, instead):
    X, y = data()
    options = {"solver": "saga", "C": 0.05, "l1_ratio": 0.5 if penalty == "elasticnet" else 0.0}
    options |= {"random_state": 0, "tol": 1e-6, "max_iter": 5000}
    with pytest.warns(FutureWarning, match="penalty"):
        old = LogisticRegression(penalty=penalty, **options).fit(X, y)
    np.testing.assert_array_equal(
        old.coef_, LogisticRegression(**options | instead).fit(X, y).coef_
    )
