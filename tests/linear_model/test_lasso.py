"""Lasso and elastic net: certified optima, whatever X looks like and however they are found."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as theirs
from scipy.optimize import minimize, nnls
from sklearn.exceptions import ConvergenceWarning

from skcourse.linear_model import ElasticNet, Lasso, MultiTaskElasticNet, MultiTaskLasso
from skcourse.linear_model import working_set as working_set_module

TIGHT = {"tol": 1e-12, "max_iter": 50_000}
# The objective is flat at its minimum: a relative gap g leaves some sqrt(g) to the coefficients.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def data(n=60, p=20, seed=0, n_targets=None, offset=5.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + offset
    shape = (p,) if n_targets is None else (p, n_targets)
    w = rng.standard_normal(shape)
    w[5:] = 0
    y = X @ w
    return X, y + 0.3 * rng.standard_normal(y.shape)


def objective(model, X, y, weights=None):
    """The objective of the docstring, for one target or several tasks."""
    coef = np.atleast_2d(model.coef_)
    residuals = (y - model.predict(X)).reshape(len(X), -1)
    loss = np.average((residuals**2).sum(axis=1), weights=weights) / 2
    lengths = np.linalg.norm(coef, axis=0)
    r = model.l1_ratio
    return loss + model.alpha * (r * lengths.sum() + (1 - r) / 2 * (lengths**2).sum())


@pytest.mark.parametrize("shape", [(60, 20), (20, 60)])
@pytest.mark.parametrize("options", [{}, {"positive": True}, {"fit_intercept": False}])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_scikit_learn_agrees(shape, options, l1_ratio):
    X, y = data(*shape)
    weights = np.random.default_rng(1).uniform(0, 2, len(X))
    args = {"alpha": 0.1, "l1_ratio": l1_ratio, "tol": 1e-12, "max_iter": 5_000} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ours = ElasticNet(**args).fit(X, y, weights)
        reference = theirs.ElasticNet(**args).fit(X, y, weights)
    assert objective(ours, X, y, weights) <= objective(reference, X, y, weights) * (1 + 1e-9)
    assert ours.dual_gap_ <= max(reference.dual_gap_, 1e-12 * np.average(y**2, weights=weights))
    if reference.n_iter_ < 5_000:
        np.testing.assert_allclose(ours.coef_, reference.coef_, **CLOSE)
        np.testing.assert_allclose(ours.intercept_, reference.intercept_, rtol=1e-4, atol=1e-4)


def test_optimum_of_a_smooth_reformulation():
    """Positive and negative parts are bounded variables of a smooth problem, for scipy."""
    X, y = data(30, 6)
    A, b, alpha = X - X.mean(axis=0), y - y.mean(), 0.2

    def smooth(v):
        r = b - A @ (v[:6] - v[6:])
        slope = -A.T @ r / len(b)
        return r @ r / (2 * len(b)) + alpha * v.sum(), np.concatenate([slope, -slope]) + alpha

    found = minimize(smooth, np.ones(12), jac=True, bounds=[(0, None)] * 12, tol=1e-14)
    model = Lasso(alpha=alpha, **TIGHT).fit(X, y)
    np.testing.assert_allclose(objective(model, X, y), found.fun, rtol=1e-8)


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-8])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gap_is_a_true_bound_and_within_tol(tol, dtype):
    X, y = data(50, 100)
    X, y = X.astype(dtype), y.astype(dtype)
    model = Lasso(alpha=0.05, tol=tol).fit(X, y)
    best = objective(Lasso(alpha=0.05, **TIGHT).fit(X.astype(float), y.astype(float)), X, y)
    value = objective(model, X.astype(float), y.astype(float))
    rounding = 100 * np.finfo(dtype).eps * value  # of coefficients and intercept as returned
    assert value - best + rounding >= 0
    assert value - best <= model.dual_gap_ + rounding
    if dtype == np.float64:
        assert model.dual_gap_ <= tol * np.var(y)


def test_gap_is_that_of_the_primal_and_a_dual_point():
    X, y = data(40, 80, offset=0.0)
    options = {"fit_intercept": False, "tol": 1e-9, "max_iter": 3}  # stopped on the way
    with pytest.warns(ConvergenceWarning):
        model = ElasticNet(alpha=0.1, l1_ratio=0.7, **options).fit(X, y)
    n, w = len(y), model.coef_
    A = np.vstack([X, np.sqrt(n * 0.1 * 0.3) * np.eye(80)])
    b = np.concatenate([y, np.zeros(80)])
    r = b - A @ w
    v = r * min(1, n * 0.1 * 0.7 / np.abs(A.T @ r).max())
    primal = r @ r / 2 + n * 0.1 * 0.7 * np.abs(w).sum()
    np.testing.assert_allclose(model.dual_gap_, (primal - b @ v + v @ v / 2) / n, rtol=1e-7)


@pytest.mark.parametrize("estimator", [Lasso(alpha=0.05), MultiTaskLasso(alpha=0.05)])
def test_layouts_and_kinds_agree(estimator):
    X, y = data(80, 30, n_targets=2 if "Multi" in repr(estimator) else None)
    X[np.abs(X - 5) < 1] = 0.0
    estimator.set_params(**TIGHT)
    want = estimator.fit(X, y).coef_.copy()
    frozen = X.copy()
    frozen.flags.writeable = False
    long = sp.csr_array(X)
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    strided = np.repeat(X, 2, axis=1)[:, ::2]
    for other in (np.asfortranarray(X), frozen, strided, sp.csr_array(X), sp.csc_array(X), long):
        np.testing.assert_allclose(estimator.fit(other, y).coef_, want, **CLOSE)


@pytest.mark.parametrize("shape", [(300, 2_000), (3_000, 200)])
def test_threads_change_no_bit(shape, monkeypatch):
    X, y = data(*shape)
    models = []
    for n_threads in (1, 2, 8):
        monkeypatch.setenv("OMP_NUM_THREADS", str(n_threads))
        models += [Lasso(alpha=0.05).fit(rows, y) for rows in (X, np.asfortranarray(X))]
    for model in models[2:]:
        assert any(np.array_equal(model.coef_, first.coef_) for first in models[:2])


def test_a_working_set_finds_what_all_features_find(monkeypatch):
    X, y = data(100, 1_000)
    few = Lasso(alpha=0.02, **TIGHT).fit(X, y)
    monkeypatch.setattr(working_set_module, "ALL_WORK", 0)
    grown = Lasso(alpha=0.02, **TIGHT).fit(X, y)
    everything = Lasso(alpha=0.02, precompute=True, **TIGHT).fit(X, y)
    np.testing.assert_allclose(few.coef_, everything.coef_, **CLOSE)
    np.testing.assert_allclose(grown.coef_, everything.coef_, **CLOSE)


def test_sparse_rows_walk_over_stored_entries():
    """So many columns that no Gram matrix is made, with an intercept and weights."""
    rng = np.random.default_rng(0)
    X = sp.random_array((400, 900), density=0.01, format="csc", rng=rng)
    y = X @ np.r_[np.ones(50), np.zeros(850)] + 0.01 * rng.standard_normal(400)
    weights = rng.uniform(0, 2, 400)
    for model in (Lasso(alpha=1e-4, **TIGHT), ElasticNet(alpha=1e-3, l1_ratio=0.0, **TIGHT)):
        sparse = model.fit(X, y, weights).coef_.copy()
        np.testing.assert_allclose(sparse, model.fit(X.toarray(), y, weights).coef_, **CLOSE)


def test_ill_conditioned_problems_converge_where_sweeps_alone_crawl():
    rng = np.random.default_rng(0)
    X = np.cumsum(rng.standard_normal((200, 30)), axis=1) / 10
    y = X[:, -1] + rng.standard_normal(200)
    ours = ElasticNet(alpha=1e-5, tol=1e-7).fit(X, y)
    with pytest.warns(ConvergenceWarning):
        theirs.ElasticNet(alpha=1e-5, tol=1e-7, max_iter=ours.n_iter_ + 1).fit(X, y)


def test_parameters_do_something():
    X, y = data(40, 30)
    assert Lasso(alpha=0.01, positive=True).fit(X, y).coef_.min() >= 0
    assert Lasso(alpha=0.01).fit(X, y).coef_.min() < 0
    assert Lasso(fit_intercept=False).fit(X, y).intercept_ == 0.0
    random = [Lasso(selection="random", random_state=s, max_iter=3, tol=0) for s in (0, 0, 1)]
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        a, b, c = (model.fit(X, y).coef_ for model in random)
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    warm = Lasso(alpha=0.01, warm_start=True).fit(X, y)
    assert warm.n_iter_ > 0 and warm.fit(X, y).n_iter_ == 0
    gram = (X - X.mean(axis=0)).T @ (X - X.mean(axis=0))
    centred = X - X.mean(axis=0)
    given = Lasso(alpha=0.01, precompute=gram, **TIGHT).fit(centred, y)
    np.testing.assert_allclose(given.coef_, Lasso(alpha=0.01, **TIGHT).fit(X, y).coef_, **CLOSE)
    with pytest.raises(ValueError, match="did not pass validation"):
        Lasso(precompute=gram + 1).fit(centred, y)
    before = X.copy()
    Lasso(copy_X=False).fit(X, y)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("args", [{"l1_ratio": 0.0}, {"alpha": 0.0}])
@pytest.mark.filterwarnings("ignore:With alpha=0")
def test_positive_coefficients_without_an_l1_penalty_converge(args):
    X, y = data(60, 8, offset=0.0)
    model = ElasticNet(**{"alpha": 0.1} | args, positive=True, tol=1e-10).fit(X, y)
    A = np.vstack([X - X.mean(axis=0), np.sqrt(60 * model.alpha) * np.eye(8)])
    best, _ = nnls(A, np.concatenate([y - y.mean(), np.zeros(8)]))
    np.testing.assert_allclose(model.coef_, best, **CLOSE)
    assert model.n_iter_ < 1_000


def test_several_targets_are_fitted_one_by_one():
    X, Y = data(n_targets=3)
    model = Lasso(alpha=0.1).fit(X, Y)
    assert model.coef_.shape == (3, 20) and len(model.n_iter_) == 3
    for k in range(3):
        single = Lasso(alpha=0.1).fit(X, Y[:, k])
        np.testing.assert_allclose(model.coef_[k], single.coef_, **CLOSE)
        np.testing.assert_allclose(model.intercept_[k], single.intercept_, rtol=1e-5)
    assert model.sparse_coef_.shape == (3, 20)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_tasks_share_their_features(l1_ratio):
    X, Y = data(n_targets=3)
    model = MultiTaskElasticNet(alpha=1.0, l1_ratio=l1_ratio, **TIGHT).fit(X, Y)
    reference = theirs.MultiTaskElasticNet(alpha=1.0, l1_ratio=l1_ratio, **TIGHT).fit(X, Y)
    np.testing.assert_allclose(model.coef_, reference.coef_, **CLOSE)
    used = model.coef_ != 0
    assert np.array_equal(used.any(axis=0), used.all(axis=0)) and not used.all()


def test_bad_input_is_refused_and_leaves_nothing():
    X, y = data()
    hole = X.copy()
    hole[3, 3] = np.nan
    model = Lasso()
    for bad in ((hole, y), (X, np.r_[y[:-1], np.inf]), (X, y[:-1]), (X, y, -np.ones(60))):
        with pytest.raises(ValueError):
            model.fit(*bad)
    with pytest.raises(ValueError, match="non-zero"):
        model.fit(X, y, np.zeros(60))
    with pytest.raises(ValueError, match="non-finite"), np.errstate(all="ignore"):
        model.set_params(alpha=0.1).fit(X * 1e307, y)
    assert not hasattr(model, "coef_")
    with pytest.raises(ValueError, match="use Lasso"):
        MultiTaskLasso().fit(X, y)
    with pytest.warns(UserWarning, match="alpha=0"):
        Lasso(alpha=0).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        Lasso(alpha=1e-6, max_iter=1).fit(X, y)


def test_sums_that_overflow_are_no_coefficients_of_zero():
    rng = np.random.default_rng(0)
    X = np.finfo(float).max * rng.random((10, 2))
    with pytest.raises(ValueError, match="non-finite"), np.errstate(all="ignore"):
        ElasticNet(0.1).fit(X, rng.integers(0, 2, 10))
