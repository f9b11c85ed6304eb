"""Every solver finds the optimum, counts its iterations, heeds its parameters, and says so."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning

from skcourse.core import chunks
from skcourse.linear_model import Ridge, RidgeClassifier, sag
from skcourse.linear_model.centred_rows import CentredRows, is_near, weighted_mean
from skcourse.linear_model.nonnegative import coordinate_descent
from skcourse.linear_model.ridge_bounded import solve_quadratics

ITERATIVE = ("lsqr", "sparse_cg", "sag", "saga")
TIGHT = {"tol": 1e-13, "max_iter": 50_000, "random_state": 0}


def draw(n=60, p=7, t=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + rng.normal(size=p)
    X[rng.random((n, p)) < 0.4] = 0.0
    return X, X @ rng.normal(size=(p, t)) + rng.normal(size=(n, t)) + 3.0, rng.uniform(0.1, 3, n)


@pytest.mark.parametrize("shape", [(60, 7), (8, 30)])
@pytest.mark.parametrize("solver", ITERATIVE)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.coo_array])
@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_iterations_find_the_optimum(shape, solver, container, centre, weighted):
    X, Y, w = draw(*shape)
    if solver == "saga" and centre and container is not np.asarray:
        return  # refused, as scikit-learn does: see test_ridge
    weights = w if weighted else None
    exact = Ridge([0.5, 2.0], fit_intercept=centre, solver="svd").fit(X, Y, weights)
    model = Ridge([0.5, 2.0], fit_intercept=centre, solver=solver, **TIGHT)
    model.fit(container(X), Y, weights)
    # what is left when an iteration changes 1e-13: that times the condition number, below 1e4
    assert_allclose(model.coef_, exact.coef_, rtol=0, atol=1e-9)
    assert_allclose(model.intercept_, exact.intercept_, rtol=0, atol=1e-8)
    assert model.solver_ == solver


@pytest.mark.parametrize("solver", ["svd", "cholesky", "lsqr", "sparse_cg"])
@pytest.mark.parametrize("shape", [(60, 7), (8, 30)])
def test_scikit_learn_agrees(solver, shape):
    X, Y, w = draw(*shape)
    parameters = {"alpha": [0.5, 2.0], "solver": solver, "tol": 1e-8}
    ours = Ridge(**parameters).fit(X, Y, w)
    theirs = reference.Ridge(**parameters).fit(X, Y, w)
    assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-7)  # tol, and a condition of 10
    assert_allclose(ours.intercept_, theirs.intercept_, rtol=0, atol=1e-6)
    assert (ours.n_iter_ is None) == (theirs.n_iter_ is None)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("solver", ITERATIVE)
def test_iterations_are_counted_and_their_end_is_told(container, solver):
    X, Y, _ = draw()
    model = Ridge(solver=solver, fit_intercept=False, tol=1e-14, max_iter=3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="not converge"):
        model.fit(container(X), Y)
    if solver == "sparse_cg":
        assert model.n_iter_ is None  # as in scikit-learn
    else:
        assert_array_equal(model.n_iter_, [3, 3])
    loose = Ridge(solver=solver, fit_intercept=False, tol=1e-2, random_state=0)
    tight = Ridge(solver=solver, fit_intercept=False, tol=1e-8, random_state=0)
    exact = Ridge(fit_intercept=False).fit(X, Y).coef_
    errors = [np.abs(m.fit(container(X), Y).coef_ - exact).max() for m in (loose, tight)]
    assert errors[1] < errors[0] / 100


def test_a_tolerance_of_zero_ends_at_the_optimum():
    X, Y, _ = draw(5, 10)
    with pytest.warns(ConvergenceWarning, match="sparse_cg did not converge"):
        model = Ridge(solver="sparse_cg", tol=0.0).fit(X, Y)
    assert_allclose(model.coef_, Ridge().fit(X, Y).coef_, rtol=1e-10)


def test_auto_counts_whatever_it_does():
    X, Y, _ = draw()
    assert_array_equal(Ridge().fit(X, Y).n_iter_, [1, 1])
    assert Ridge().fit(sparse.csr_array(X), Y).n_iter_.min() > 1
    assert Ridge(positive=True).fit(X, Y).n_iter_.min() >= 1


@pytest.mark.parametrize("solver", ["sag", "saga"])
def test_random_state_draws(solver):
    X, Y, _ = draw()
    first, again, other = (
        Ridge(solver=solver, tol=1e-3, random_state=seed).fit(X, Y).coef_ for seed in (0, 0, 1)
    )
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert_allclose(first, other, atol=0.1)


@pytest.mark.parametrize("saga", [True, False])
@pytest.mark.parametrize("centre", [True, False])
def test_sparse_epochs_are_dense_epochs(saga, centre):
    X, Y, w = draw()
    mean = weighted_mean(X, w) * centre
    targets = sag.Targets(mean, Y[:, 0] - weighted_mean(Y, w)[0] * centre, w)
    csr = sparse.csr_array(X)
    rows = sag.Rows(csr.data, csr.indices, csr.indptr.astype(np.int64))
    curvature = CentredRows(X, mean, w).squared_norms().max()
    assert_allclose(CentredRows(csr, mean, w).squared_norms().max(), curvature)
    found = [
        sag.average_gradients(
            some, targets, 0.3, curvature, saga=saga, max_iter=7, tol=0, seed=np.uint64(5)
        )[0]
        for some in (X, rows)
    ]
    assert_allclose(found[0], found[1], rtol=1e-11)  # the same steps, written differently


def test_sag_survives_a_penalty_that_shrinks_to_nothing():
    X, Y, _ = draw()
    strong = 1e12  # b shrinks by 1e-9 or so in a single step
    model = Ridge(strong, solver="sag", **TIGHT).fit(sparse.csr_array(X), Y)
    assert_allclose(model.coef_, Ridge(strong).fit(X, Y).coef_, rtol=1e-6, atol=1e-16)


def test_sag_of_nothing_is_zero():
    X = np.zeros((5, 2))
    assert_array_equal(Ridge(solver="sag").fit(X, np.arange(5.0)).coef_, [0, 0])


def test_sag_on_sparse_rows_with_an_intercept_warns_of_a_loose_tol():
    X, Y, _ = draw()
    with pytest.warns(UserWarning, match='"sag" solver requires'):
        Ridge(solver="sag", tol=1e-3).fit(sparse.csr_array(X), Y)


def kkt(model, X, y, alpha, w):
    """Return the gradient of half the objective at the solution."""
    r = y - model.predict(X)
    centred = X - np.average(X, axis=0, weights=w)
    return alpha * model.coef_ - centred.T @ (w * r)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("shape", [(60, 7), (8, 30), (10, 400)])
@pytest.mark.parametrize("alpha", [1e-3, 1.0])
@pytest.mark.parametrize("solver", ["auto", "lbfgs"])
def test_positive(container, shape, alpha, solver):
    X, Y, w = draw(*shape)
    y = X @ (-1.0) ** np.arange(shape[1]) + Y[:, 0]
    model = Ridge(alpha, positive=True, solver=solver, tol=1e-14).fit(container(X), y, w)
    gradient = kkt(model, X, y, alpha, w)
    exact = solver == "auto" and shape[1] < 400
    atol = (1e-11 if exact else 1e-4) * np.abs(X.T @ (w * y)).max()
    assert model.coef_.min() >= 0
    assert gradient.min() > -atol
    assert np.abs(gradient[model.coef_ > 0]).max() < atol
    assert 0 < np.count_nonzero(model.coef_) < shape[1]
    assert model.solver_ == "lbfgs"


@given(st.integers(1, 12), st.integers(1, 8), st.sampled_from([0.0, 1e-8, 0.1]), st.integers(0, 99))
def test_quadratics_are_nnls(n, p, alpha, seed):
    rng = np.random.default_rng(seed)
    A, c = rng.normal(size=(n, p)), rng.normal(size=n)
    rows = np.vstack([A, np.sqrt(alpha) * np.eye(p)])
    least = optimize.nnls(rows, np.concatenate([c, np.zeros(p)]))[1]
    found, _ = solve_quadratics(
        A.T @ A, (A.T @ c)[:, None], np.array([alpha]), lambda: (A, c[:, None])
    )
    assert found.min() >= 0
    reached = np.linalg.norm(rows @ found[:, 0] - np.concatenate([c, np.zeros(p)]))
    assert reached <= least * (1 + 1e-10) + 1e-7  # where it is 0, f is flat to the root of eps


def test_coordinate_descent_leaves_a_hard_case_to_others():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(20, 1)) + 1e-7 * rng.normal(size=(20, 5))
    c = A @ np.ones(5)
    assert coordinate_descent(A.T @ A, A.T @ c, 100)[0] is None
    b = Ridge(0, positive=True, fit_intercept=False).fit(A, c).coef_
    lost = np.linalg.norm(A @ b - c) ** 2 - optimize.nnls(A, c)[1] ** 2
    assert lost <= 10 * np.finfo(float).eps * (c @ c)  # all that the objective can tell apart


def test_lbfgs_heeds_its_limits():
    X, Y, _ = draw()
    model = Ridge(0.01, positive=True, solver="lbfgs", tol=1e-12, max_iter=1)
    with pytest.warns(ConvergenceWarning, match="lbfgs solver did not converge"):
        model.fit(X, Y)
    exact = Ridge(0.01, positive=True).fit(X, Y).coef_
    errors = [
        np.abs(model.set_params(max_iter=None, tol=tol).fit(X, Y).coef_ - exact).max()
        for tol in (1.0, 1e-12)
    ]
    assert errors[1] < 1e-5 < errors[0]


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("near", [True, False])
def test_centred_rows_are_what_they_say(weighted, container, near):
    X, Y, w = draw()
    weights, mean = (
        (w if weighted else None),
        np.average(X, axis=0, weights=w if weighted else None),
    )
    A = np.sqrt(w if weighted else np.ones(60))[:, None] * (X - mean)
    rows = CentredRows(container(X), mean, weights, near=near and container is np.asarray)
    B, C = np.eye(7)[:, :3] + 1.0, Y
    assert_allclose(weighted_mean(container(X), weights), mean, rtol=1e-13)
    assert_allclose(rows @ B, A @ B, atol=1e-12)
    assert_allclose(rows @ B[:, 0], A @ B[:, 0], atol=1e-12)
    assert_allclose(rows.T @ C, A.T @ C, atol=1e-11)
    assert_allclose(rows.T @ C[:, 0], A.T @ C[:, 0], atol=1e-11)
    assert_allclose(rows.squared_norms(), (A**2).sum(axis=1), atol=1e-12)


def test_near_and_far_means():
    X, Y, _ = draw(2000, 5)
    assert is_near(X, X.mean(axis=0))
    far = X + 1e9
    assert not is_near(far, far.mean(axis=0))
    model = Ridge(solver="lsqr", tol=1e-13).fit(far, Y)
    assert_allclose(model.coef_, Ridge(solver="svd").fit(far, Y).coef_, atol=1e-9)


@pytest.mark.parametrize("solver", ["lsqr", "sparse_cg", "sag"])
def test_same_bits_on_any_threads(solver, monkeypatch):
    X, Y, w = draw(40_000, 20)
    bits = set()
    for n_threads in (1, 2, 3, 8):
        monkeypatch.setattr(chunks, "count_threads", lambda n_jobs=-1, n=n_threads: n)
        bits.add(Ridge(solver=solver, random_state=0).fit(X, Y, w).coef_.tobytes())
    assert len(bits) == 1


def test_every_parameter_reaches_the_classifier():
    X, Y, _ = draw()
    y = (Y[:, 0] > Y[:, 0].mean()).astype(int)
    base = {"solver": "sag", "random_state": 0, "tol": 1e-3, "max_iter": 50}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        plain = RidgeClassifier(**base).fit(X, y).coef_
        for change in (
            {"alpha": 9.0},
            {"fit_intercept": False},
            {"max_iter": 1},
            {"tol": 0.3},
            {"class_weight": {0: 2.0}},
            {"solver": "saga"},
            {"solver": "auto", "positive": True},
            {"random_state": 1},
        ):
            other = RidgeClassifier(**base | change).fit(X, y).coef_
            assert not np.array_equal(plain, other), change
