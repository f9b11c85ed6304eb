"""Quantile regression: the optimum of the linear program, whichever way it is found."""

import numpy as np
import pytest
import sklearn.linear_model as reference
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning

from skcourse.linear_model import QuantileRegressor, quantile, quantile_rows, vertex_descent
from skcourse.linear_model.quantile_program import solve_dual
from skcourse.linear_model.quantile_rows import Quantile, solve, strides
from skcourse.linear_model.vertex_descent import OPTIMAL, Rows, Totals, optimal_vertex


def draw(n=200, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = X @ rng.normal(size=p) + rng.standard_t(3, size=n) + 2
    return X, y, rng.uniform(0.2, 2, n)


def objective(model, X, y, weights=None):
    r = y - X @ model.coef_ - model.intercept_
    losses = np.maximum(model.quantile * r, (model.quantile - 1) * r)
    return np.average(losses, weights=weights) + model.alpha * np.abs(model.coef_).sum()


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.05])
@pytest.mark.parametrize("q", [0.05, 0.5, 0.71])
def test_scikit_learn_agrees(q, alpha, fit_intercept):
    X, y, w = draw()
    parameters = {"quantile": q, "alpha": alpha, "fit_intercept": fit_intercept}
    ours = QuantileRegressor(**parameters).fit(X, y, w)
    theirs = reference.QuantileRegressor(**parameters).fit(X, y, w)
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-12)  # the same vertex, cond < 1e3
    assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9)
    assert isinstance(ours.intercept_, float)
    assert isinstance(ours.n_iter_, int)
    assert ours.n_iter_ > 0


@pytest.mark.parametrize("solver", ["highs-ds", "highs-ipm", "revised simplex"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_solvers_of_scipy_find_the_same(solver, fit_intercept):
    X, y, w = draw(n=60, p=3)
    ours = QuantileRegressor(quantile=0.3, alpha=0.02, fit_intercept=fit_intercept)
    expected = ours.fit(X, y, w).predict(X)
    with np.testing.suppress_warnings() as quiet:
        quiet.filter(DeprecationWarning)
        found = ours.set_params(solver=solver).fit(X, y, w).predict(X)
    assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


def test_each_solver_is_the_one_that_runs(monkeypatch):
    asked = []

    def spy(*args, method, **kwargs):
        asked.append((method, kwargs["options"]))
        return linprog(*args, method=method, **kwargs)

    monkeypatch.setattr("skcourse.linear_model.quantile_program.linprog", spy)
    X, y, _ = draw(n=30, p=2)
    for solver in ("highs", "highs-ds", "highs-ipm"):
        QuantileRegressor(solver=solver, solver_options={"presolve": False}).fit(X, y)
    QuantileRegressor().fit(X, y)
    options = {"presolve": False}
    assert asked == [("highs", options), ("highs-ds", options), ("highs-ipm", options)]


def test_an_unfinished_program_warns_and_answers_the_best_constant():
    X, y, _ = draw(n=101)
    model = QuantileRegressor(alpha=0.0, solver_options={"maxiter": 1})
    with pytest.warns(ConvergenceWarning, match=r"(?s)did not succeed.*Iteration limit") as caught:
        model.fit(X, y)
    assert caught[0].filename == __file__
    assert_array_equal(model.coef_, np.zeros(4))
    assert model.intercept_ == np.median(y)


def test_interior_point_is_gone_and_simplex_wants_dense_rows():
    X, y, _ = draw(n=30)
    with pytest.raises(ValueError, match="interior-point is not anymore available in SciPy"):
        QuantileRegressor(solver="interior-point").fit(X, y)
    with pytest.raises(ValueError, match="revised simplex does not support sparse X"):
        QuantileRegressor(solver="revised simplex").fit(sparse.csr_array(X), y)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.8])
def test_many_rows_of_which_few_take_part(q):
    X, y, w = draw(n=4_000, p=3, seed=1)
    problem = Quantile(X, y, w / w.mean(), q, 0.01, True)
    assert len(strides(len(y), 4)) > 1
    coef, intercept, _ = solve(problem)
    expected = solve_dual(problem, "highs", None)
    assert_allclose(coef, expected.coef, rtol=1e-9)
    assert_allclose(intercept, expected.intercept, rtol=1e-9)
    below, at = y < X @ coef + intercept - 1e-9, y <= X @ coef + intercept + 1e-9
    assert w[below].sum() <= q * w.sum() <= w[at].sum()  # (3) of the module


def test_rows_far_off_that_were_guessed_wrong(monkeypatch):
    X, y, _ = draw(n=4_000, p=3, seed=2)
    expected = solve(Quantile(X, y, np.ones(len(y)), 0.3, 0.0, True))
    monkeypatch.setattr(quantile_rows, "NEAR", 0.1)  # the first guess then fails
    found = solve(Quantile(X, y, np.ones(len(y)), 0.3, 0.0, True))
    assert_allclose(found[0], expected[0], rtol=1e-10)
    X[::4] += 100 * np.sign(y[::4, np.newaxis])  # every 4th row says something else
    problem = Quantile(X, y, np.ones(len(y)), 0.3, 0.0, True)
    assert_allclose(solve(problem)[0], solve_dual(problem, "highs", None).coef, rtol=1e-8)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
@pytest.mark.parametrize("wide_indices", [False, True])
def test_sparse_rows(container, wide_indices):
    X, y, w = draw(n=3_000, p=6)
    X[X < 0.5] = 0
    rows = container(X)
    if wide_indices and rows.format != "coo":
        rows.indices, rows.indptr = rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
    dense = QuantileRegressor(alpha=0.01).fit(X, y, w)
    found = QuantileRegressor(alpha=0.01).fit(rows, y, w)
    assert_allclose(found.coef_, dense.coef_, rtol=1e-10)
    assert_allclose(found.predict(rows), dense.predict(X), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", ["grid", "duplicates", "constant y", "equal columns", "exact fit"])
@pytest.mark.parametrize("alpha", [0.0, 0.01])
def test_vertices_in_which_many_rows_meet(kind, alpha):
    X, y, _ = draw(n=150, p=3)
    if kind == "grid":
        X, y = np.round(X), np.round(y)
    if kind == "duplicates":
        X, y = np.tile(X[:15], (10, 1)), np.tile(y[:15], 10)
    if kind == "constant y":
        y[:] = 3.0
    if kind == "equal columns":
        X[:, 2] = X[:, 0]
    if kind == "exact fit":
        y = X @ [1.0, 2.0, 3.0]
    problem = Quantile(X, y, np.ones(len(y)), 0.4, alpha, True)
    found = solve(problem)
    assert found is not None
    model = QuantileRegressor(quantile=0.4, alpha=alpha).fit(X, y)
    best = -solve_dual(problem, "highs", None).result.fun / len(y)
    size = np.abs(y).mean()  # the losses are sums of such numbers
    assert abs(objective(model, X, y) - best) <= 1e-10 * best + 1e-13 * size


@pytest.mark.parametrize(("q", "expected"), [(0.25, 2.0), (0.5, 3.0), (0.75, 3.0), (0.6, 3.0)])
def test_of_several_optima_the_one_towards_the_median(q, expected):
    y = np.array([3.0, 1.0, 4.0, 2.0])
    X = np.random.default_rng(0).normal(size=(4, 2))
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        model = QuantileRegressor(quantile=q, alpha=100.0).fit(X[order], y[order])
        assert model.intercept_ == expected
        assert_array_equal(model.coef_, [0, 0])


def test_fewer_rows_than_columns():
    X, y, _ = draw(n=5, p=12)
    free = QuantileRegressor(alpha=0.0).fit(X, y)
    assert_allclose(free.predict(X), y, atol=1e-12)
    assert np.count_nonzero(free.coef_) <= 5
    few = QuantileRegressor(alpha=0.05).fit(X, y)
    theirs = reference.QuantileRegressor(alpha=0.05).fit(X, y)
    assert_allclose(objective(few, X, y), objective(theirs, X, y), rtol=1e-10)


def test_wide_rows_go_to_the_library(monkeypatch):
    X, y, _ = draw(n=80, p=12)
    expected = QuantileRegressor(alpha=0.05).fit(X, y)
    monkeypatch.setattr(quantile, "WIDE", 11)
    monkeypatch.setattr(quantile, "solve", None)
    found = QuantileRegressor(alpha=0.05).fit(X, y)
    assert_allclose(found.coef_, expected.coef_, atol=1e-10)


def test_what_rounding_keeps_from_a_proof_goes_to_the_library(monkeypatch):
    X, y, _ = draw(n=80, p=3)
    expected = QuantileRegressor(alpha=0.01).fit(X, y)
    monkeypatch.setattr(vertex_descent, "ROUNDS", 0)
    found = QuantileRegressor(alpha=0.01).fit(X, y)
    assert_allclose(found.coef_, expected.coef_, rtol=1e-9)


def test_the_answer_is_certified():
    X, y, _ = draw(n=120, p=3)
    A = np.column_stack([np.ones(120), X])
    low, high = np.full(120, -0.3), np.full(120, 0.7)
    rows = Rows(A, y, low, high, np.ones(120))
    totals = Totals(np.zeros(4), A.sum(axis=0), np.abs(A).sum(axis=0))
    vertex, _, status = optimal_vertex(rows, np.arange(4), np.ones(120, np.int8), totals)
    assert status == OPTIMAL
    d = np.where(vertex.side > 0, high, low)
    d[vertex.basis] = -np.linalg.solve(A[vertex.basis].T, vertex.pull)
    assert_allclose(A.T @ d, 0, atol=1e-11)  # feasible for the dual, and of the same value
    assert (d >= low - 1e-12).all() and (d <= high + 1e-12).all()
    r = y - A @ vertex.coef
    assert_allclose(d @ y, np.maximum(high * r, low * r).sum(), rtol=1e-12)


def test_threads_and_float32_and_weights_of_nothing(n_threads):
    X, y, w = draw(n=40_000, p=3)
    w[::3] = 0
    model = QuantileRegressor(alpha=0.01).fit(X.astype(np.float32), y.astype(np.float32), w)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    some = w > 0
    X, y = X.astype(np.float32).astype(float), y.astype(np.float32).astype(float)
    expected = QuantileRegressor(alpha=0.01).fit(X[some], y[some], w[some])
    assert_allclose(model.coef_, expected.coef_, rtol=1e-6)
    one_row = model.predict(X[:1])
    assert_allclose(one_row, expected.predict(X[:1]), rtol=1e-6)


def test_numbers_out_of_range():
    X, y, _ = draw(n=20)
    for column in (1e-300, 1e-150, 1e150):
        model = QuantileRegressor(alpha=0.0).fit(X * [column, 1, 1, 1], y)
        expected = QuantileRegressor(alpha=0.0).fit(X, y)
        assert_allclose(model.predict(X * [column, 1, 1, 1]), expected.predict(X), rtol=1e-9)
    with pytest.raises(ValueError, match="Negative values"):
        QuantileRegressor().fit(X, y, -np.ones(20))
