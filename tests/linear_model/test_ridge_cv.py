"""Leave-one-out by brute force, against scikit-learn, and where the algebra grows thin."""

from fractions import Fraction
from operator import mul

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model as reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.metrics import get_scorer, make_scorer, mean_absolute_error
from sklearn.model_selection import GroupKFold, KFold

from skcourse.core import chunks
from skcourse.linear_model import Ridge, RidgeClassifierCV, RidgeCV
from skcourse.linear_model.ridge_cv import first_largest

ALPHAS = np.array([1e-3, 0.1, 1.0, 30.0])


def draw(n=25, p=6, t=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + rng.normal(size=p)
    return (
        X,
        X @ rng.normal(size=(p, t)) + 2 * rng.normal(size=(n, t)) + 3.0,
        rng.uniform(0.1, 3, n),
    )


def left_out(X, Y, w, centre):
    """Predict every row by the model of all the others, for every penalty: (n, t, a)."""
    found = np.empty((*Y.shape, len(ALPHAS)))
    for i in range(len(X)):
        others = np.arange(len(X)) != i
        for a, alpha in enumerate(ALPHAS):
            model = Ridge(alpha, fit_intercept=centre, solver="svd")
            model.fit(X[others], Y[others], None if w is None else w[others])
            found[i, :, a] = model.predict(X[i : i + 1])[0]
    return found


@pytest.mark.parametrize("shape", [(25, 6), (12, 12), (9, 20), (2, 1), (13, 12)])
@pytest.mark.parametrize("mode", ["eigen", "svd", "sparse"])
@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_brute_force(shape, mode, centre, weighted):
    X, Y, w = draw(*shape)
    w = w if weighted else None
    predictions = left_out(X, Y, w, centre)
    given_X = sparse.csr_array(X) if mode == "sparse" else X
    parameters = {"fit_intercept": centre, "gcv_mode": None if mode == "sparse" else mode}
    model = RidgeCV(ALPHAS, store_cv_results=True, **parameters).fit(given_X, Y, w)
    weights = np.ones(len(X)) if w is None else w
    errors = weights[:, None, None] * (Y[:, :, None] - predictions) ** 2
    # 1 - h is known to eps, and is not below alpha / (alpha + s^2), 1e-6 here
    assert_allclose(model.cv_results_, errors, rtol=1e-7, atol=1e-9 * errors.max())
    means = errors.mean(axis=(0, 1))
    assert_allclose(means[ALPHAS.tolist().index(model.alpha_)], means.min(), rtol=1e-9)
    assert_allclose(model.best_score_, -means.min(), rtol=1e-9)
    final = Ridge(model.alpha_, fit_intercept=centre, solver="svd").fit(X, Y, w)
    assert_allclose(model.coef_, final.coef_, rtol=1e-8, atol=1e-10)
    assert_allclose(model.intercept_, final.intercept_, rtol=1e-8, atol=1e-9)
    scored = RidgeCV(ALPHAS, store_cv_results=True, scoring="r2", **parameters)
    scored.fit(given_X, Y, w)
    assert_allclose(scored.cv_results_, predictions, rtol=1e-7, atol=1e-8 * np.abs(Y).max())


@given(st.integers(2, 15), st.integers(1, 15), st.booleans(), st.integers(0, 2**32 - 1))
def test_brute_force_on_any_shape(n, p, centre, seed):
    X, Y, w = draw(n, p, seed=seed)
    model = RidgeCV(ALPHAS, fit_intercept=centre, store_cv_results=True, scoring="r2").fit(X, Y, w)
    expected = left_out(X, Y, w, centre)
    # an error is divided by 1 - h >= alpha / (alpha + |X|^2 max w), which is known to eps
    leverage = 1 + 3 * np.sum(X**2) / ALPHAS
    atol = 1e3 * np.finfo(float).eps * leverage * (1 + np.abs(expected).max(axis=(0, 1)))
    assert (np.abs(model.cv_results_ - expected) <= atol).all()


@pytest.mark.parametrize("shape", [(25, 6), (9, 20)])
@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error", "explained_variance"])
def test_scorers_see_what_they_would_see(shape, scoring):
    X, Y, w = draw(*shape)
    ours = RidgeCV(ALPHAS, scoring=scoring).fit(X, Y, w)
    theirs = reference.RidgeCV(ALPHAS, scoring=scoring).fit(X, Y, w)
    assert ours.alpha_ == theirs.alpha_
    assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-8)
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-7)
    vector = RidgeCV(ALPHAS, scoring=scoring, store_cv_results=True).fit(X, Y[:, 0])
    scores = [get_scorer(scoring)._score_func(Y[:, 0], p) for p in vector.cv_results_.T]
    sign = get_scorer(scoring)._sign
    assert_allclose(vector.best_score_, max(sign * np.array(scores)), rtol=1e-12)


@pytest.mark.parametrize("shape", [(25, 6), (9, 20)])
@pytest.mark.parametrize("scoring", [None, "r2"])
def test_a_penalty_for_each_target(shape, scoring):
    X, Y, w = draw(*shape, t=3)
    Y[:, 0] = X.sum(axis=1)  # wants a small penalty
    Y[:, 1] = np.random.default_rng(5).normal(size=len(X))  # noise wants a large one
    model = RidgeCV(ALPHAS, scoring=scoring, alpha_per_target=True).fit(X, Y, w)
    single = [RidgeCV(ALPHAS, scoring=scoring).fit(X, y, w) for y in Y.T]
    assert_array_equal(model.alpha_, [one.alpha_ for one in single])
    assert len(set(model.alpha_)) > 1
    assert_allclose(model.best_score_, [one.best_score_ for one in single], rtol=1e-10)
    assert_allclose(model.coef_, [one.coef_ for one in single], rtol=1e-9)
    column = RidgeCV(ALPHAS, alpha_per_target=True).fit(X, Y[:, 0])
    assert np.isscalar(column.alpha_) and np.isscalar(column.best_score_)


def test_grid_search_is_scikit_learns():
    X, Y, w = draw(60)
    for cv in (3, KFold(4)):
        ours = RidgeCV(ALPHAS, cv=cv).fit(X, Y, w)
        theirs = reference.RidgeCV(ALPHAS, cv=cv).fit(X, Y, w)
        assert ours.alpha_ == theirs.alpha_
        assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-9)
        assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)


@config_context(enable_metadata_routing=True)
def test_metadata_reach_scorer_and_splitter():
    X, Y, w = draw(30)
    y, groups = Y[:, 0], np.arange(30) // 10
    seen = []

    def score(y_true, y_pred, sample_weight=None):
        seen.append(sample_weight)
        return -mean_absolute_error(y_true, y_pred)

    scorer = make_scorer(score).set_score_request(sample_weight=True)
    RidgeCV(ALPHAS, scoring=scorer).fit(X, y, sample_weight=w)
    assert len(seen) == len(ALPHAS) and all(np.array_equal(s, w) for s in seen)
    RidgeCV(ALPHAS, cv=GroupKFold(3)).fit(X, y, groups=groups)
    RidgeCV(ALPHAS).fit(X, y, sample_weight=w)


def test_extra_parameters_need_routing():
    X, Y, _ = draw()
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        RidgeCV().fit(X, Y, groups=np.ones(25))


@pytest.mark.parametrize("shape", [(2000, 30), (30, 400)])
@pytest.mark.parametrize("mode", ["eigen", "svd"])
def test_ill_conditioned(shape, mode):
    rng = np.random.default_rng(0)
    X, Y, _ = draw(*shape)
    U, _, Vt = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    r = min(shape) - 1
    s = np.logspace(0, -7, r)
    X = (U[:, :r] * s) @ Vt[:r]
    Y = U[:, :r] @ (rng.normal(size=(r, 2)) * s[:, None])
    alphas = [1e-15, 1e-12, 1e-3]
    model = RidgeCV(alphas, gcv_mode=mode, store_cv_results=True).fit(X, Y)
    # leverages and errors of a full decomposition, by definition (1)
    v = Y - Y.mean(axis=0)
    for a, alpha in enumerate(alphas):
        shrink = s**2 / (s**2 + alpha)
        h = np.square(U[:, :r]) @ shrink + 1 / shape[0]
        e = (v - (U[:, :r] * shrink) @ (U[:, :r].T @ v)) / (1 - h)[:, None]
        if shape[0] > shape[1]:  # else 1 - h is lost to rounding here: see test_tiny_penalties
            assert_allclose(model.cv_results_[:, :, a], e**2, rtol=0, atol=1e-6 * np.max(e**2))
    assert_allclose(model.coef_, Ridge(model.alpha_, solver="svd").fit(X, Y).coef_, atol=1e-6)


def solve(G, B):
    """Solve G b = B in fractions, by elimination; G is positive definite."""
    rows = [[*g, b] for g, b in zip(G, B, strict=True)]
    for i, pivot in enumerate(rows):
        for j, row in enumerate(rows):
            if j != i:
                ratio = row[i] / pivot[i]
                rows[j] = [x - ratio * z for x, z in zip(row, pivot, strict=True)]
    return [row[-1] / row[i] for i, row in enumerate(rows)]


def exact(X, y, alpha):
    """Return the ridge solution without an intercept, without rounding; X has 3 rows or columns."""
    wide = len(X) < X.shape[1]
    A = [[Fraction(x) for x in row] for row in (X.T if wide else X).tolist()]
    v = [Fraction(value) for value in y.tolist()]
    G = [[sum(row[j] * row[k] for row in A) for k in range(3)] for j in range(3)]
    for j in range(3):
        G[j][j] += Fraction(alpha)
    if wide:
        c = solve(G, v)
        return np.array([float(sum(map(mul, row, c))) for row in A])
    B = [sum(row[j] * value for row, value in zip(A, v, strict=True)) for j in range(3)]
    return np.array([float(b) for b in solve(G, B)])


@pytest.mark.parametrize("shape", [(50, 3), (3, 50)])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("alpha", [1e-4, 3e-8])
def test_directions_far_below_the_root_of_the_rounding_count(shape, form, alpha):
    rng = np.random.default_rng(0)
    U = np.linalg.qr(rng.normal(size=(shape[0], 3)))[0]
    V = np.linalg.qr(rng.normal(size=(shape[1], 3)))[0]
    X = (U * [1, 1e-3, 1e-8]) @ V.T  # of which X'X knows 1, 1e-6 and nothing
    y = U.sum(axis=1)
    expected = exact(X, y, alpha)
    model = RidgeCV([alpha], fit_intercept=False, store_cv_results=True).fit(form(X), y)
    # u times the condition of X'X + alpha I, 3e7 at most, squared by the step of refinement;
    # left are the u of the rows times the condition of X on the scale of alpha^(1/2)
    bound = 50 * np.finfo(float).eps / np.sqrt(alpha)
    assert_allclose(model.coef_, expected, rtol=0, atol=bound * np.abs(expected).max())
    by_rows = RidgeCV([alpha], fit_intercept=False, gcv_mode="svd", store_cv_results=True).fit(X, y)
    errors = by_rows.cv_results_
    # not refined: u times the condition, in rows that know each direction to its own length
    assert_allclose(model.cv_results_, errors, rtol=0, atol=1e-9 * errors.max())


@pytest.mark.parametrize("shape", [(200, 6), (6, 200)])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_what_is_noise_next_to_the_penalty_too_is_left_out(shape, form):
    X, Y, _ = draw(*shape)
    if shape[0] > shape[1]:
        X[:, 5], X[:, 3] = X[:, 4], X[:, 0] + X[:, 1]
    else:
        X[5], X[3], Y[5] = X[4], X[0] + X[1], Y[4]
    for alphas in ([1e-15], [1e-15, 1.0]):
        model = RidgeCV(alphas, fit_intercept=False).fit(form(X), Y)
        rows = Ridge(model.alpha_, fit_intercept=False, solver="svd").fit(X, Y)
        assert_allclose(model.coef_, rows.coef_, rtol=0, atol=1e-9 * np.abs(rows.coef_).max())


@pytest.mark.parametrize("mode", ["eigen", "svd"])
def test_tiny_penalties_of_wide_problems(mode):
    X, Y, _ = draw(9, 20)
    model = RidgeCV([1e-13], gcv_mode=mode, store_cv_results=True, scoring="r2").fit(X, Y)
    for i in range(9):  # the interpolation of least norm by the others
        others = np.arange(9) != i
        mean = X[others].mean(axis=0)
        B = np.linalg.pinv(X[others] - mean) @ (Y[others] - Y[others].mean(axis=0))
        expected = (X[i] - mean) @ B + Y[others].mean(axis=0)
        assert_allclose(model.cv_results_[i, :, 0], expected, rtol=1e-8)


@pytest.mark.parametrize("shape", [(25, 6), (9, 20)])
def test_zero_weights_are_absent(shape):
    X, Y, w = draw(*shape)
    w[[1, 4]] = 0
    kept = w > 0
    model = RidgeCV(ALPHAS, store_cv_results=True, scoring="r2").fit(X, Y, w)
    only = RidgeCV(ALPHAS, store_cv_results=True, scoring="r2").fit(X[kept], Y[kept], w[kept])
    assert_allclose(model.cv_results_[kept], only.cv_results_, rtol=1e-9)
    for a, alpha in enumerate(ALPHAS):
        rest = Ridge(alpha, solver="svd").fit(X[kept], Y[kept], w[kept])
        assert_allclose(model.cv_results_[~kept][:, :, a], rest.predict(X[~kept]), rtol=1e-9)
    errors = RidgeCV(ALPHAS, store_cv_results=True).fit(X, Y, w).cv_results_
    assert_array_equal(errors[~kept], 0)


def test_degenerate_matrices():
    X, Y, _ = draw()
    constant = RidgeCV(ALPHAS).fit(np.full((25, 3), 7.0), Y)
    assert_array_equal(constant.coef_, 0)
    assert_allclose(constant.intercept_, Y.mean(axis=0))
    wide = RidgeCV(ALPHAS).fit(np.full((4, 9), 7.0), Y[:4])
    assert_array_equal(wide.coef_, 0)
    X[:, 2] = X[:, 1]
    doubled = RidgeCV([0.1]).fit(X, Y)
    assert_allclose(doubled.coef_, Ridge(0.1, solver="svd").fit(X, Y).coef_, atol=1e-10)


@pytest.mark.parametrize("shape", [(25, 6), (9, 20)])
def test_numbers_whose_squares_overflow(shape):
    X, Y, _ = draw(*shape)
    model = RidgeCV([0.1]).fit(X * 1e160, Y)  # next to which a penalty is nothing
    assert_allclose(model.coef_ * 1e160, Ridge(0).fit(X, Y).coef_, rtol=1e-9)
    with pytest.raises(ValueError, match="too large to be added up"):
        RidgeCV().fit(sparse.csr_array(X * 1e160), Y)


def test_huge_offset():
    X, Y, _ = draw(300, 5)
    X = np.round(X * 2**20) / 2**20  # exact still with 2^27 added
    plain, moved = RidgeCV(ALPHAS).fit(X, Y), RidgeCV(ALPHAS).fit(X + 2.0**27, Y)
    assert plain.alpha_ == moved.alpha_
    assert_allclose(moved.coef_, plain.coef_, rtol=1e-9)


@pytest.mark.parametrize("shape", [(25, 6), (9, 20)])
def test_float32_is_kept(shape):
    X, Y, _ = draw(*shape)
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    model = RidgeCV(ALPHAS, store_cv_results=True).fit(X, Y)
    double = RidgeCV(ALPHAS).fit(X.astype(float), Y.astype(float))
    assert model.coef_.dtype == model.intercept_.dtype == model.cv_results_.dtype == np.float32
    assert_allclose(model.coef_, double.coef_, rtol=1e-6)
    assert_allclose(model.best_score_, double.best_score_, rtol=1e-12)


@pytest.mark.parametrize("shape", [(20_000, 20), (20, 3000)])
def test_same_bits_on_any_threads(shape, monkeypatch):
    X, Y, w = draw(*shape)
    bits = set()
    for n_threads in (1, 2, 3, 8):
        monkeypatch.setattr(chunks, "count_threads", lambda n_jobs=-1, n=n_threads: n)
        model = RidgeCV(ALPHAS).fit(X, Y, w)
        bits.add((model.coef_.tobytes(), np.float64(model.best_score_).tobytes()))
    assert len(bits) == 1


def test_the_first_of_equals_wins():
    assert first_largest(np.array([1.0, 3.0, 3.0, 2.0])) == 1
    assert first_largest(np.array([1.0, np.nan, 2.0])) == 2
    assert_array_equal(first_largest(np.array([[1.0, 5.0], [3.0, 5.0]])), [1, 0])


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"alphas": (0.0, 1.0)}, ValueError, r"alphas\[0\] == 0.0, must be > 0"),
        ({"alphas": (1.0, -1.0), "cv": 3}, ValueError, r"alphas\[1\] == -1.0, must be >= 0"),
        ({"alphas": (1.0, "1")}, TypeError, r"alphas\[1\] must be an instance of float"),
        ({"alphas": []}, ValueError, "at least one penalty"),
        ({"cv": 3, "store_cv_results": True}, ValueError, "cv!=None and store_cv_results"),
        ({"cv": 3, "alpha_per_target": True}, ValueError, "cv!=None and alpha_per_target"),
        ({"gcv_mode": "qr"}, ValueError, "gcv_mode"),
        ({"scoring": "best"}, ValueError, "scoring"),
    ],
)
def test_bad_parameters(parameters, error, message):
    X, Y, _ = draw()
    model = RidgeCV().fit(X, Y)
    before = dict(vars(model))
    model.set_params(**parameters)
    with pytest.raises(error, match=message):
        model.fit(X[:, :3], Y)
    fitted = {name for name in before if name.endswith("_")}
    assert {name: vars(model)[name] for name in fitted} == {name: before[name] for name in fitted}


def test_not_finite():
    X, Y, _ = draw()
    X[3, 2] = np.nan
    for mode in ("eigen", "svd"):
        with pytest.raises(ValueError, match="NaN"):
            RidgeCV(gcv_mode=mode).fit(X, Y)
    with pytest.raises(ValueError, match="NaN"):
        RidgeCV().fit(X[:5], Y[:5])


def test_sparse_x_has_no_svd():
    X, Y, _ = draw()
    with pytest.warns(FutureWarning, match="'svd' mode is not supported for sparse X"):
        RidgeCV(gcv_mode="svd").fit(sparse.csr_array(X), Y)


@pytest.mark.parametrize("estimator_class", [RidgeCV, RidgeClassifierCV])
def test_a_search_by_folds_leaves_nothing_of_an_earlier_fit(estimator_class):
    X, Y, _ = draw(t=1)
    y = Y[:, 0] if estimator_class is RidgeCV else Y[:, 0] > np.median(Y)
    table = pd.DataFrame(X, columns=list("abcdef"))
    model = estimator_class(store_cv_results=True).fit(table, y)
    assert model.cv_results_ is not None and model.feature_names_in_ is not None
    model.set_params(store_cv_results=False, cv=3).fit(X, y)
    assert vars(model).keys() == vars(estimator_class(cv=3).fit(X, y)).keys()
