import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import nnls
from sklearn.linear_model import LinearRegression as Reference

from skcourse.linear_model import LinearRegression, ols
from skcourse.linear_model import least_squares as routes

EPS = np.finfo(np.float64).eps


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6)) + 3
    Y = X @ rng.normal(size=(6, 2)) + rng.normal(size=(300, 2))
    return X, Y, rng.integers(0, 3, 300).astype(float)


def close(model, other, n=300, condition=10.0):
    """Assert that two fits agree to the rounding of n sums and a solve."""
    size = np.abs(other.coef_).max() + 1
    bound = n * EPS * condition**2 * size
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=0, atol=bound)
    np.testing.assert_allclose(
        model.intercept_, other.intercept_, rtol=0, atol=bound * 10 * model.n_features_in_
    )


@pytest.mark.parametrize("form", [np.ascontiguousarray, np.asfortranarray, np.ndarray.tolist])
@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_as_scikit_learn(form, flat, weighted, positive, fit_intercept, data):
    X, Y, weights = data
    X, Y, weights = form(X), Y[:, 0] if flat else Y, weights if weighted else None
    parameters = {"positive": positive, "fit_intercept": fit_intercept}
    model = LinearRegression(**parameters).fit(X, Y, weights)
    theirs = Reference(**parameters).fit(X, Y, weights)
    close(model, theirs)
    public = {name for name in vars(model) if not name.startswith("_")}
    assert public == set(vars(theirs))
    for name in public:
        assert np.shape(getattr(model, name)) == np.shape(getattr(theirs, name))
        assert type(getattr(model, name)) is type(getattr(theirs, name)) or name == "rank_"
    np.testing.assert_allclose(model.predict(X), theirs.predict(X), atol=1e6 * EPS)
    assert model.score(X, Y) == pytest.approx(theirs.score(X, Y), abs=1e4 * EPS)


def test_a_target_matrix_of_one_column_keeps_its_shape(data):
    X, Y, _ = data
    model = LinearRegression().fit(X, Y[:, :1])
    assert model.coef_.shape == (1, 6)
    assert model.intercept_.shape == (1,)
    assert model.predict(X).shape == (300, 1)


@pytest.mark.parametrize("positive", [False, True])
def test_a_weight_is_a_repetition_and_none_is_an_absent_row(positive, data):
    X, Y, weights = data
    weighted = LinearRegression(positive=positive).fit(X, Y, weights)
    rows = np.repeat(np.arange(len(X)), weights.astype(int))
    close(weighted, LinearRegression(positive=positive).fit(X[rows], Y[rows]))
    if not positive:
        np.testing.assert_allclose(
            weighted.singular_, LinearRegression().fit(X[rows], Y[rows]).singular_, rtol=300 * EPS
        )


def test_one_weight_for_all_changes_the_singular_values_only(data):
    X, Y, _ = data
    model, plain = LinearRegression().fit(X, Y, 4.0), LinearRegression().fit(X, Y)
    np.testing.assert_array_equal(model.coef_, plain.coef_)  # a power of 4 rounds nothing
    np.testing.assert_array_equal(model.singular_, 2 * plain.singular_)


class TestPositive:
    @pytest.mark.parametrize("trouble", ["none", "wide", "twins", "ill"])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    def test_as_scipy(self, trouble, fit_intercept):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(8 if trouble == "wide" else 200, 12))
        if trouble == "twins":
            X[:, 5] = X[:, 7]
        if trouble == "ill":
            X[:, 5] = X[:, 7] + 1e-5 * X[:, 5]
        y = X @ rng.normal(size=12) + rng.normal(size=len(X))
        model = LinearRegression(positive=True, fit_intercept=fit_intercept).fit(X, y)
        assert (model.coef_ >= 0).all()
        A, c = (X - X.mean(axis=0), y - y.mean()) if fit_intercept else (X, y)
        b, distance = nnls(A, c, maxiter=1000)
        # the residual is within the rounding of the best; so is the fit, which is unique
        ours = A @ model.coef_
        assert np.linalg.norm(c - ours) <= distance + 212 * EPS * np.linalg.norm(c)
        root = np.sqrt(212 * EPS) * np.linalg.norm(c)  # a convex function is flat at its minimum
        np.testing.assert_allclose(ours, A @ b, rtol=0, atol=root)
        slopes = A.T @ (c - ours)
        bound = 212 * EPS * np.linalg.norm(A, axis=0) * np.linalg.norm(c)
        assert (np.where(model.coef_ > 0, np.abs(slopes), slopes) <= bound).all()

    @pytest.mark.parametrize("shape", [(50, 4), (5, 12), (3, 3)])
    @pytest.mark.parametrize("exponent", [-1000, -700, -530, 530, 700, 1000])
    def test_any_unit(self, shape, exponent):
        rng = np.random.default_rng(0)
        X = rng.normal(size=shape)
        y = X @ np.abs(rng.normal(size=shape[1])) + rng.normal(size=shape[0])
        expected = LinearRegression(positive=True).fit(X, y).coef_
        assert expected.any()
        found = LinearRegression(positive=True).fit(np.ldexp(X, exponent), y).coef_
        # the triangle may come by another route: the error is c k u |b|
        bound = 200 * EPS * np.linalg.cond(X) * np.linalg.norm(expected)
        np.testing.assert_allclose(np.ldexp(found, exponent), expected, rtol=0, atol=bound)

    @pytest.mark.parametrize("n", [5, 60_000])
    def test_constant_columns_are_no_features(self, n):
        rng = np.random.default_rng(0)
        X = np.c_[rng.normal(size=(n, 2)), np.full((n, 3), [0.1, -1e8, 1 / 3])]
        y, weights = X[:, 0] + rng.normal(size=n), rng.uniform(size=n)
        model = LinearRegression(positive=True).fit(X, y, weights)
        np.testing.assert_array_equal(model.coef_[2:], 0.0)

    def test_it_matters(self, data):
        X, Y, _ = data
        free = LinearRegression().fit(X, -Y)
        assert (free.coef_ < 0).any()
        assert (LinearRegression(positive=True).fit(X, -Y).coef_ >= 0).all()

    def test_sparse_rows_are_refused(self, data):
        X, Y, _ = data
        with pytest.raises(TypeError, match="Sparse data was passed"):
            LinearRegression(positive=True).fit(sparse.csr_array(X), Y)


class TestPartialFit:
    @pytest.mark.parametrize("size", [1, 4, 7, 150, 300])
    @pytest.mark.parametrize("weighted", [True, False])
    @pytest.mark.parametrize("positive", [True, False])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    def test_pieces_are_the_whole(self, size, weighted, positive, fit_intercept, data):
        X, Y, weights = data
        weights = weights if weighted else np.ones(300)
        parameters = {"positive": positive, "fit_intercept": fit_intercept}
        model = LinearRegression(**parameters)
        for i in range(0, 300, size):
            rows = slice(i, i + size)
            if weights[rows].any():
                model.partial_fit(X[rows], Y[rows], weights[rows])
        close(model, LinearRegression(**parameters).fit(X, Y, weights))

    @pytest.mark.parametrize("condition, tol", [(1e3, 1e-6), (1e9, 1e-6), (1e9, 1e-12)])
    def test_however_ill_the_condition(self, condition, tol):
        rng = np.random.default_rng(0)
        n, p = 500, 5
        U = rng.normal(size=(n, p))
        U = np.linalg.qr(U - U.mean(axis=0))[0]
        X = U * np.geomspace(1, 1 / condition, p) @ np.linalg.qr(rng.normal(size=(p, p)))[0] + 1
        y = X @ np.arange(5.0)
        model, whole = LinearRegression(tol=tol), LinearRegression(tol=tol).fit(X, y)
        for rows in np.split(np.arange(n), 7 * np.arange(1, 70)):
            model.partial_fit(X[rows], y[rows])
        assert model.rank_ == whole.rank_
        # 70 triangles, each backward stable; the 1 that was added costs its share of s_1 = 1
        s = whole.singular_
        bound = 70 * (n + p) * EPS * np.sqrt(n)
        np.testing.assert_allclose(model.singular_, s, atol=bound)
        k = s[0] / s[whole.rank_ - 1]
        np.testing.assert_allclose(model.coef_, whole.coef_, atol=bound * k * 10)

    @pytest.mark.parametrize("route", ["moments", "factor"])
    def test_a_fit_goes_on(self, route, data):
        X, Y, _ = data
        X = np.c_[X, X[:, 0]] if route == "factor" else X
        model = LinearRegression().fit(X[:100], Y[:100]).partial_fit(X[100:], Y[100:])
        close(model, LinearRegression().fit(X, Y))
        close(model.fit(X[:50], Y[:50]), LinearRegression().fit(X[:50], Y[:50]))  # begins anew

    def test_a_wide_fit_says_that_it_cannot_go_on(self, data):
        X, Y, _ = data
        model = LinearRegression().fit(X[:4], Y[:4])
        with pytest.raises(ValueError, match="kept no statistics"):
            model.partial_fit(X, Y)

    @pytest.mark.parametrize("dense", [True, False])
    def test_sparse_pieces(self, dense, data, monkeypatch):
        X, Y, _ = data
        monkeypatch.setattr(ols, "worth_densifying", lambda X: dense)  # a triangle, in any case
        model = LinearRegression()
        for rows in (slice(0, 3), slice(3, 200), slice(200, 300)):
            model.partial_fit(sparse.csr_array(X[rows]), Y[rows])
        close(model, LinearRegression().fit(X, Y))

    def test_other_targets_or_features_are_refused_and_change_nothing(self, data):
        X, Y, _ = data
        model = LinearRegression().partial_fit(X, Y)
        before = pickle.dumps(model)
        for bad in [(X, Y[:, 0]), (X, np.c_[Y, Y]), (X[:, :5], Y), (X * np.nan, Y), (X[:0], Y[:0])]:
            with pytest.raises(ValueError):
                model.partial_fit(*bad)
            assert pickle.dumps(model) == before

    def test_float32(self, data):
        X, Y, _ = data
        model = LinearRegression().partial_fit(X.astype(np.float32), Y.astype(np.float32))
        assert model.coef_.dtype == np.float32


class TestParameters:
    def test_tol_cuts(self, data):
        X, Y, _ = data
        X = X * [1, 1, 1, 1, 1, 1e-4]
        assert LinearRegression().fit(X, Y).rank_ == 6
        cut = LinearRegression(tol=1e-3).fit(X, Y)
        assert cut.rank_ == 5
        close(cut, Reference(tol=1e-3).fit(X, Y))

    def test_copy_X_or_not_X_is_never_written(self, data):
        X, Y, weights = data
        before = X.copy(), Y.copy(), weights.copy()
        for copy_X in (True, False):
            for positive in (True, False):
                LinearRegression(copy_X=copy_X, positive=positive).fit(X, Y, weights)
        for array, copy in zip((X, Y, weights), before, strict=True):
            np.testing.assert_array_equal(array, copy)

    @pytest.mark.parametrize("weighted", [False, True])
    def test_copy_X_false_spares_a_wide_X_being_copied(self, weighted):
        rng = np.random.default_rng(0)
        X, Y = rng.normal(size=(20, 300)) + 3, rng.normal(size=(20, 2))
        weights = rng.random(20) if weighted else None
        given = X.copy(), Y.copy()
        kept = LinearRegression().fit(*given, weights)
        np.testing.assert_array_equal(given[0], X)
        model = LinearRegression(copy_X=False).fit(*given, weights)
        roots = np.ones((20, 1)) if weights is None else np.sqrt(weights)[:, np.newaxis]
        centred = roots * (X - np.average(X, axis=0, weights=weights))
        np.testing.assert_allclose(given[0], centred, atol=20 * np.finfo(float).eps * 5)
        np.testing.assert_array_equal(given[1], Y)
        close(model, kept)

    @pytest.mark.parametrize("bad", ["read-only", "float32", "nan"])
    def test_what_cannot_be_centred_in_place_is_left_alone(self, bad):
        X, y = np.random.default_rng(0).normal(size=(5, 9)), np.arange(5.0)
        if bad == "float32":
            X = X.astype(np.float32)
        if bad == "nan":
            X[1, 1] = np.nan
        X.setflags(write=bad != "read-only")
        before = X.copy()
        model = LinearRegression(copy_X=False)
        if bad == "nan":
            with pytest.raises(ValueError, match="NaN"):
                model.fit(X, y)
        else:
            assert model.fit(X, y).score(X, y) > 1 - 1e-5
        np.testing.assert_array_equal(X, before)

    def test_n_jobs_is_heard(self, monkeypatch, data):
        asked = []

        def spy(*args, n_jobs, **kwargs):
            asked.append(n_jobs)
            return moments(*args, n_jobs=n_jobs, **kwargs)

        moments = routes.moments
        monkeypatch.setattr(routes, "moments", spy)
        found = [LinearRegression(n_jobs=n).fit(*data[:2]).coef_.tobytes() for n in (None, 1, 3)]
        assert asked == [-1, 1, 3]  # None: all that the process may use
        assert len(set(found)) == 1

    @pytest.mark.parametrize(
        "wrong",
        [{"tol": -1.0}, {"tol": "small"}, {"positive": "yes"}, {"n_jobs": 1.5}, {"copy_X": 3}],
    )
    def test_what_they_must_be(self, wrong, data):
        with pytest.raises(ValueError, match="parameter of LinearRegression must be"):
            LinearRegression(**wrong).fit(*data[:2])


def spoilt(X, value):
    X = X.copy()
    X[7, 2] = value
    return X


BAD = {
    "NaN": lambda X, Y, w: (spoilt(X, np.nan), Y),
    "infinity": lambda X, Y, w: (spoilt(X, np.inf), Y),
    "two infinities": lambda X, Y, w: (spoilt(spoilt(X, np.inf)[::-1], -np.inf), Y),
    "NaN in a wide X": lambda X, Y, w: (spoilt(X, np.nan)[5:9], Y[5:9]),
    "infinity in a wide X": lambda X, Y, w: (spoilt(X, np.inf)[5:9], Y[5:9]),
    "NaN in y": lambda X, Y, w: (X, spoilt(np.hstack([Y, Y]), np.nan)),
    "NaN without weight": lambda X, Y, w: (spoilt(X, np.nan), Y, np.arange(300) != 7),
    "lengths": lambda X, Y, w: (X, Y[1:]),
    "no rows": lambda X, Y, w: (X[:0], Y[:0]),
    "no columns": lambda X, Y, w: (X[:, :0], Y),
    "a vector": lambda X, Y, w: (X[:, 0], Y),
    "three dimensions": lambda X, Y, w: (X[np.newaxis], Y),
    "strings": lambda X, Y, w: (np.full((300, 2), "a"), Y),
    "complex": lambda X, Y, w: (X + 1j, Y),
    "a negative weight": lambda X, Y, w: (X, Y, w - 1),
    "no weight at all": lambda X, Y, w: (X, Y, 0 * w),
    "NaN weight": lambda X, Y, w: (X, Y, w * np.nan),
    "too few weights": lambda X, Y, w: (X, Y, w[1:]),
    "a matrix of weights": lambda X, Y, w: (X, Y, w[:, np.newaxis]),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("positive", [False, True])
def test_bad_input_is_scikit_learns_error_and_changes_nothing(name, positive, data):
    bad = BAD[name](*data)
    with pytest.raises((ValueError, TypeError)) as theirs:
        Reference(positive=positive).fit(*bad)
    fresh, fitted = LinearRegression(positive=positive), LinearRegression(positive=positive)
    fitted.fit(*data)
    for model in (fresh, fitted):
        before = pickle.dumps(model)
        with pytest.raises(theirs.type) as ours:
            model.fit(*bad)
        if name != "strings":  # read as floats at once, they are numpy's error
            assert str(ours.value).splitlines()[0] == str(theirs.value).splitlines()[0]
        assert pickle.dumps(model) == before


def test_names_of_features(data):
    X, Y, _ = data
    X = pd.DataFrame(X, columns=list("abcdef"))
    model = LinearRegression().fit(X, Y)
    assert list(model.feature_names_in_) == list("abcdef")
    np.testing.assert_array_equal(
        model.predict(X), LinearRegression().fit(X.values, Y).predict(X.values)
    )
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[list("bacdef")])


# a wide fit is a sum over columns, and a triangle of rows squared is all that it holds at once
SHAPES = {"tall": (200_000, 20), "deficient": (200_000, 20), "wide": (100, 40_000)}


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("positive", [False, True])
def test_no_copy_of_X_in_memory_or_mapped(kind, positive, tmp_path):
    if kind == "wide" and positive:
        return  # which takes a triangle as large as X
    rng = np.random.default_rng(0)
    X = rng.normal(size=SHAPES[kind])
    if kind == "deficient":
        X[:, 3] = X[:, 4]
    y = X[:, 0] + rng.normal(size=len(X))
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = LinearRegression(positive=positive)
    found = []
    for rows in (X, mapped):
        model.fit(rows[: len(X) // 2], y[: len(X) // 2])  # what is loaded once
        tracemalloc.start()
        model.fit(rows, y)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < X.nbytes / 2
        found.append(model.coef_.tobytes())
    assert len(set(found)) == 1


@given(power=st.integers(-60, 60), seed=st.integers(0, 100), n=st.sampled_from([2, 5, 40]))
def test_a_unit_that_rounds_nothing_changes_nothing(power, seed, n):
    rng = np.random.default_rng(seed)
    X, y, unit = rng.normal(size=(n, 4)), rng.normal(size=n), 2.0**power
    plain = LinearRegression().fit(X, y)
    np.testing.assert_array_equal(LinearRegression().fit(X, y * unit).coef_, plain.coef_ * unit)
    rescaled = LinearRegression().fit(X * unit, y)
    np.testing.assert_allclose(rescaled.coef_ * unit, plain.coef_, rtol=1e4 * EPS)  # LAPACK scales
    assert rescaled.rank_ == plain.rank_


@given(seed=st.integers(0, 1000), n=st.integers(6, 60), positive=st.booleans())
def test_symmetries(seed, n, positive):
    rng = np.random.default_rng(seed)
    X, y, b = rng.normal(size=(n, 3)), rng.normal(size=n), rng.uniform(size=3)
    plain = LinearRegression(positive=positive).fit(X, y)
    # each side is known to c k^2 u
    bound = 100 * n * EPS * np.linalg.cond(X - X.mean(axis=0)) ** 2
    order = rng.permutation(n)
    permuted = LinearRegression(positive=positive).fit(X[order], y[order])
    shifted = LinearRegression(positive=positive).fit(X + 5, y - 7)
    swapped = LinearRegression(positive=positive).fit(X[:, ::-1], y)
    np.testing.assert_allclose(permuted.coef_, plain.coef_, atol=bound)
    np.testing.assert_allclose(shifted.coef_, plain.coef_, atol=10 * bound)
    np.testing.assert_allclose(swapped.coef_[::-1], plain.coef_, atol=bound)
    exact = LinearRegression(positive=positive).fit(X, X @ b + 2)
    np.testing.assert_allclose(exact.coef_, b, atol=bound)
    assert exact.intercept_ == pytest.approx(2, abs=10 * bound)
