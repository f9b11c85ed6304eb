"""Which route is taken, and that each is as precise as an orthogonal method."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression as Reference

from skcourse.core import chunks
from skcourse.core.moments import Moments
from skcourse.linear_model import LinearRegression, least_squares

EPS = np.finfo(np.float64).eps
ROUTES = ("moments", "gradient", "factor", "solve_wide")


@pytest.fixture
def routes(monkeypatch):
    """Note which steps a fit takes, in order."""
    taken = []

    def spy(name):
        step = getattr(least_squares, name)

        def noted(*args, **kwargs):
            taken.append(name)
            return step(*args, **kwargs)

        monkeypatch.setattr(least_squares, name, noted)

    for name in ROUTES:
        spy(name)
    return taken


def with_singular_values(s, n, rng):
    """Return a matrix of n rows whose columns have mean 0, with singular values s."""
    p = len(s)
    U = rng.normal(size=(n, p))
    U = np.linalg.qr(U - U.mean(axis=0))[0]
    return (U * s) @ np.linalg.qr(rng.normal(size=(p, p)))[0]


def centred(X, Y, weights=None):
    """Return sqrt(w) (X - mean), sqrt(w) (Y - mean), in the best arithmetic there is."""
    X, Y = X.astype(np.longdouble), Y.astype(np.longdouble)
    w = np.ones(len(X), np.longdouble) if weights is None else weights.astype(np.longdouble)
    root = np.sqrt(w)[:, np.newaxis]
    sides = [root * (Z - w @ Z / w.sum()) for Z in (X, Y)]
    return [side.astype(np.float64) for side in sides]


def allowed(A, B, coef, s):
    """Bound the distance of two backward stable solutions (Golub and Van Loan, (5.3.8)).

    Each is the solution for A and B changed by c u of their size, c a polynomial of the shape,
    for which the sum of the lengths stands here; a cut solution is that of the cut A.
    """
    k = s[0] / s[-1]
    residual = np.linalg.norm(B - A @ coef)
    size = np.linalg.norm(coef) + np.linalg.norm(B) / s[0]
    return 2 * sum(A.shape) * EPS * (k * size + k**2 * residual / s[0])


def check(X, Y, weights=None, **parameters):
    """Compare a fit with LAPACK's, for the centred, weighted rows, and with scikit-learn."""
    model = LinearRegression(**parameters).fit(X, Y, weights)
    if parameters.get("fit_intercept", True):
        A, B = centred(X, Y.reshape(len(Y), -1), weights)
    else:
        root = 1.0 if weights is None else np.sqrt(weights)[:, np.newaxis]
        A, B = root * X, root * Y.reshape(len(Y), -1)
    coef, _, rank, s = np.linalg.lstsq(A, B, rcond=parameters.get("tol", 1e-6) or EPS)
    assert model.rank_ == rank
    np.testing.assert_allclose(model.singular_, s, atol=sum(A.shape) * EPS * s[0])
    bound = allowed(A, B, coef, s[:rank]) if rank else 0.0
    np.testing.assert_allclose(np.atleast_2d(model.coef_).T, coef, rtol=0, atol=bound)
    theirs = Reference(**parameters).fit(X, Y, weights)
    assert model.coef_.shape == theirs.coef_.shape
    assert np.shape(model.intercept_) == np.shape(theirs.intercept_)
    assert model.rank_ == theirs.rank_
    return model


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    "condition, tol, route",
    [
        (1.0, 1e-6, ["moments"]),
        (20.0, 1e-6, ["moments"]),
        (300.0, 1e-6, ["moments", "gradient"]),
        (1e5, 1e-6, ["moments", "factor"]),
        (1e12, 1e-6, ["moments", "factor"]),
        (1e12, 1e-14, ["moments", "factor"]),
        (1e12, 0.0, ["moments", "factor"]),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 1e-3])
@pytest.mark.parametrize("weighted", [False, True])
def test_each_condition_takes_its_route(condition, tol, route, noise, weighted, routes, rng):
    n, p = 3000, 8
    X = with_singular_values(np.geomspace(1, 1 / condition, p), n, rng)
    X += rng.normal(size=p)
    Y = X @ rng.normal(size=(p, 2)) + noise * rng.normal(size=(n, 2))
    weights = rng.integers(0, 3, n).astype(float) if weighted else None
    check(X, Y, weights, tol=tol)
    assert routes == route


@pytest.mark.parametrize(
    "n, p", [(1, 1), (1, 5), (2, 2), (3, 2), (2, 9), (9, 9), (10, 9), (40, 300)]
)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_shapes(n, p, fit_intercept, routes, rng):
    X, Y = rng.normal(size=(n, p)), rng.normal(size=(n, 3))
    check(X, Y, fit_intercept=fit_intercept)
    assert ("solve_wide" in routes) == (n <= p)


@pytest.mark.parametrize("tol", [0.0, 1.0, 7.0])
@pytest.mark.parametrize("n", [4, 300])
def test_a_tol_outside_0_to_1_is_the_working_precision(tol, n, rng):
    X, Y = rng.normal(size=(n, 6)), rng.normal(size=(n, 1))
    assert check(X, Y, tol=tol).rank_ == min(n - 1, 6)


def deficient(X):
    return np.c_[X, X @ np.ones(len(X.T)), X[:, 0]]


def constant(X):
    return np.c_[X, np.full(len(X), 0.1), np.full(len(X), -1e8), np.zeros(len(X))]


def indicators(X):
    return np.c_[X, np.eye(4)[np.arange(len(X)) % 4]]  # they add up to the intercept


def shifted(X):
    return X + 1e8


def stretched(X):
    return X * np.geomspace(1, 1e-5, len(X.T))


def stretched_beyond_the_cut(X):
    return X * np.geomspace(1, 1e-9, len(X.T))


TROUBLES = [deficient, constant, indicators, shifted, stretched, stretched_beyond_the_cut]


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("n", [7, 2000, 60_000])
@pytest.mark.parametrize("weighted", [False, True])
def test_troubles(trouble, n, weighted, rng):
    X = rng.integers(-8, 9, size=(n, 5)) / 8  # exact after a shift
    Y = X @ rng.normal(size=5) + 3 + rng.normal(size=n)
    weights = rng.integers(0, 3, n).astype(float) if weighted else None
    check(trouble(X), Y, weights)


@pytest.mark.parametrize("n, p", [(3, 9), (2000, 9), (60_000, 9), (500, 600)])
def test_constant_columns_are_no_features_even_without_a_cut(n, p, rng):
    X = rng.normal(size=(n, p))
    X[:, 2:] = np.resize([0.1, 0.3, -1e8, 1 / 3, 1e15 / 7, 0.0, 1.0], p - 2)
    y, weights = rng.normal(size=n), rng.uniform(size=n)
    model = LinearRegression(tol=0.0).fit(X, y, weights)
    assert model.rank_ == 2
    np.testing.assert_array_equal(model.coef_[2:], 0.0)
    plain = LinearRegression(tol=0.0).fit(X[:, :2], y, weights)
    np.testing.assert_allclose(model.coef_[:2], plain.coef_, atol=1e3 * n * EPS)


def test_what_the_rounding_of_a_mean_may_have_left_is_not_certified():
    def column(spread):
        squares = 100 * np.square([1.0, spread])
        return Moments(100.0, np.array([0.0, 1e8, 0.0]), np.diag([*squares, 1.0]), 100)

    assert least_squares.certified(column(0.9e8 * EPS), 2, 1e6) is None
    assert least_squares.certified(column(1.1e8 * EPS), 2, 1e6) is not None


@pytest.mark.parametrize("weighted", [False, True])
def test_gradient(weighted, rng):
    X, Y, coef = rng.normal(size=(5000, 4)), rng.normal(size=(5000, 2)), rng.normal(size=(4, 2))
    weights = rng.integers(0, 3, 5000).astype(float) if weighted else None
    A, B = centred(X, Y, weights)
    rows = least_squares.Rows(X, Y, weights, True, 1)
    mean = np.hstack([np.average(X, 0, weights), np.average(Y, 0, weights)])
    expected = A.T @ (B - A @ coef)
    bound = 5000 * EPS * np.abs(A).max() * (np.abs(B).max() + 4 * np.abs(A).max()) * 100
    found = least_squares.gradient(rows, mean, coef)
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


def test_refinement_is_worth_its_pass(rng, monkeypatch):
    X = with_singular_values(np.geomspace(1, 1 / 300, 8), 3000, rng)
    b = rng.normal(size=8)
    y = X @ b  # no residual: an orthogonal method is off by k u only, k = 300

    def error():
        return np.abs(LinearRegression().fit(X, y).coef_ - b).max()

    refined = error()
    monkeypatch.setattr(least_squares, "gradient", lambda rows, mean, coef: 0 * coef)
    assert refined < 300 * 8 * EPS * np.linalg.norm(b)
    assert 10 * refined < error()


@pytest.mark.parametrize("n", [40, 60_000])
def test_far_from_the_origin_coefficients_are_those_near_it(n, rng):
    X = rng.integers(-64, 65, size=(n, 50 if n == 40 else 5)) / 64
    y = X[:, :5] @ np.arange(5.0) + rng.normal(size=n)
    near, far = LinearRegression().fit(X, y), LinearRegression().fit(X + 2.0**27, y)
    # the shift is exact, and so should the centred rows be: n additions apart
    np.testing.assert_allclose(far.coef_, near.coef_, rtol=0, atol=max(n, 1000) * EPS)


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e150, 1e200])
def test_huge_and_tiny_numbers_whose_squares_are_not_numbers(size, rng):
    X = rng.normal(size=(500, 4))
    y = X @ [1.0, 2.0, 3.0, 4.0] + 0.1 * rng.normal(size=500)
    plain = LinearRegression().fit(X, y)
    model = LinearRegression().fit(X * size, y)
    assert model.rank_ == 4
    np.testing.assert_allclose(model.coef_ * size, plain.coef_, rtol=504 * EPS)
    np.testing.assert_allclose(model.singular_ / size, plain.singular_, rtol=504 * EPS)


@pytest.mark.parametrize("tall", [True, False])
def test_numbers_too_large_to_add_up_are_an_error(tall, rng):
    X = np.full((4, 2) if tall else (2, 4), 1.7e308)
    X[0] *= -1
    with pytest.raises(ValueError, match="too large"):
        LinearRegression().fit(X, np.arange(float(len(X))))


@pytest.mark.parametrize("condition, tol", [(3.0, 1e-6), (300.0, 1e-6), (1e10, 1e-13)])
def test_the_gradient_is_zero(condition, tol, rng):
    n, p = 5000, 8
    X = with_singular_values(np.geomspace(1, 1 / condition, p), n, rng)
    y = rng.normal(size=n)
    weights = rng.uniform(0, 2, n)
    model = LinearRegression(tol=tol).fit(X, y, weights)
    A, B = centred(X, y[:, np.newaxis], weights)
    residual = B[:, 0] - A @ model.coef_
    # of a backward stable solution |A'r| <= c u |A| (|A| |b| + |r|)
    size = np.linalg.norm(A, 2) * np.linalg.norm(model.coef_) + np.linalg.norm(residual)
    assert np.linalg.norm(A.T @ residual) <= (n + p) * EPS * np.linalg.norm(A, 2) * size


@pytest.mark.parametrize("condition", [3.0, 1e6])
def test_float32_is_as_good_as_its_own_digits(condition, rng):
    n, p = 4000, 6
    X = with_singular_values(np.geomspace(1, 1 / condition, p), n, rng) * 100
    X, b = X.astype(np.float32), rng.normal(size=p).astype(np.float32)
    y = (X @ b + 1).astype(np.float32)
    tol = 1e-3 if condition > 1e3 else 1e-6
    model = LinearRegression(tol=tol).fit(X, y)
    assert {model.coef_.dtype, model.singular_.dtype, model.predict(X).dtype} == {X.dtype}
    A, B = centred(X, y[:, np.newaxis])
    coef, _, rank, _ = np.linalg.lstsq(A, B, rcond=tol)
    assert model.rank_ == rank
    # all is float64 until the coefficients are rounded
    np.testing.assert_allclose(model.coef_, coef[:, 0], rtol=np.finfo(np.float32).eps)


@pytest.mark.parametrize("condition", [1.0, 300.0, 1e12])
@pytest.mark.parametrize("shape", [(100_000, 6), (60, 20_000)])
def test_same_bits_on_any_number_of_threads(condition, shape, rng, monkeypatch):
    X = rng.normal(size=shape)
    X[:, 1] = X[:, 0] + X[:, 1] / condition
    y = rng.normal(size=len(X))
    found = []
    for n_threads in (1, 2, 3, 8):
        monkeypatch.setattr(chunks, "count_threads", lambda n_jobs, n=n_threads: n)
        model = LinearRegression().fit(X, y)
        found.append(model.coef_.tobytes() + model.singular_.tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize("condition", [1e1, 1e3, 1e5, 1e7, 1e12])
@pytest.mark.parametrize(("n", "p"), [(40, 100), (30, 30), (8, 300)])
@pytest.mark.parametrize("centre", [False, True])
def test_wide_rows_are_met_exactly_however_ill_conditioned(n, p, centre, condition):
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(m, n)))[0] for m in (n, p))
    X = U * np.geomspace(1, 1 / condition, n) @ V.T
    y = X @ rng.normal(size=p)
    model = LinearRegression(fit_intercept=centre, tol=1e-15).fit(X, y)
    # a backward stable solution meets y but for some p u |X| |b|, and |X| = 1
    allowed = 10 * p * EPS * (np.linalg.norm(model.coef_) + np.linalg.norm(y))
    np.testing.assert_allclose(model.predict(X), y, atol=allowed)
    assert np.linalg.norm(model.coef_) < 1.1 * np.linalg.norm(np.linalg.pinv(X, 1e-15) @ y) + 1


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_wide_rows_of_any_size(scale):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 12)), rng.normal(size=(5, 2))
    one, other = LinearRegression().fit(X, Y), LinearRegression().fit(X * scale, Y)
    np.testing.assert_allclose(other.coef_ * scale, one.coef_, atol=1e-13)


def test_residuals_that_stay_are_left_to_lapack(monkeypatch):
    calls = []
    monkeypatch.setattr(least_squares, "refined", lambda *args: calls.append(args))
    X, y = np.random.default_rng(0).normal(size=(2, 6, 9))[0], np.arange(6.0)
    model = LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-13)
    assert len(calls) == 1
    assert model.rank_ == 5  # centred
