"""Sparse codes: the answers of each algorithm, every option, odd dictionaries, bad input."""

import warnings

import numpy as np
import pytest
import sklearn.decomposition
from sklearn.exceptions import ConvergenceWarning

from skcourse import testing
from skcourse.core import gram_lars
from skcourse.decomposition import SparseCoder, sparse_encode
from skcourse.decomposition.sparse_encode import ALGORITHMS

EPS = np.finfo(float).eps


def problem(n=300, p=12, k=20, dtype=np.float64):
    """Return rows and a dictionary of atoms of length 1."""
    rng = np.random.default_rng(0)
    D = rng.standard_normal((k, p))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    return rng.standard_normal((n, p)).astype(dtype), D.astype(dtype)


def cost(X, D, codes, alpha):
    return 0.5 * np.sum((X - codes @ D) ** 2, axis=1) + alpha * np.abs(codes).sum(axis=1)


# They solve systems whose condition is below 1e5.
@pytest.mark.parametrize(
    ("algorithm", "tolerance"),
    [("lasso_lars", 1e-10), ("omp", 1e-10), ("threshold", 1e-14)],
)
@pytest.mark.parametrize("options", [{}, {"alpha": 0.2, "n_nonzero_coefs": 3}])
def test_same_codes_as_theirs(algorithm, tolerance, options):
    X, D = problem()
    expected = sklearn.decomposition.sparse_encode(X, D, algorithm=algorithm, **options)
    found = sparse_encode(X, D, algorithm=algorithm, **options)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    assert np.count_nonzero(found)


@pytest.mark.parametrize("alpha", [None, 0.2])
def test_descent_ends_at_a_gap(alpha):
    X, D = problem()
    alpha_used = 1.0 if alpha is None else alpha
    best = cost(X, D, sparse_encode(X, D, alpha=alpha), alpha_used)
    found = cost(X, D, sparse_encode(X, D, algorithm="lasso_cd", alpha=alpha), alpha_used)
    assert (found - best <= 1e-8 * np.sum(X**2, axis=1)).all()


def test_same_codes_as_theirs_by_least_angles():
    X, D = problem()
    expected = sklearn.decomposition.sparse_encode(X, D, algorithm="lars", n_nonzero_coefs=3)
    found = sparse_encode(X, D, algorithm="lars", n_nonzero_coefs=3)
    same = np.abs(found - expected).max(axis=1) <= 1e-10
    assert same.mean() > 0.9  # but where a coefficient passes through 0 there
    np.testing.assert_array_equal(np.count_nonzero(found, axis=1), 3)


@pytest.mark.parametrize("algorithm", ["lasso_lars", "lasso_cd", "threshold"])
def test_positive_codes_are_the_best_ones(algorithm):
    X, D = problem()
    codes = sparse_encode(X, D, algorithm=algorithm, alpha=0.3, positive=True)
    assert (codes >= 0).all()
    assert (codes > 0).any()
    if algorithm == "threshold":
        np.testing.assert_array_equal(codes, np.maximum(X @ D.T - 0.3, 0.0))
        return
    slopes = (X - codes @ D) @ D.T
    assert (slopes <= 0.3 + 1e-3).all()
    np.testing.assert_allclose(slopes[codes > 0], 0.3, atol=1e-3)
    theirs = sklearn.decomposition.sparse_encode(
        X, D, algorithm=algorithm, alpha=0.3, positive=True
    )
    assert (cost(X, D, codes, 0.3) <= cost(X, D, theirs, 0.3) + 1e-6).all()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_threads_and_company_change_nothing(algorithm):
    X, D = problem(n=700)
    codes = sparse_encode(X, D, algorithm=algorithm, alpha=0.2)
    for n_jobs in (2, 8, -1):
        again = sparse_encode(X, D, algorithm=algorithm, alpha=0.2, n_jobs=n_jobs)
        np.testing.assert_array_equal(codes, again)
    alone = np.vstack([sparse_encode(x, D, algorithm=algorithm, alpha=0.2) for x in X[:5, None]])
    np.testing.assert_allclose(codes[:5], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_float32_stays(algorithm):
    X, D = problem(dtype=np.float32)
    codes = sparse_encode(X, D, algorithm=algorithm, alpha=0.2)
    assert codes.dtype == np.float32
    wide = sparse_encode(X.astype(float), D.astype(float), algorithm=algorithm, alpha=0.2)
    np.testing.assert_array_equal(codes, wide.astype(np.float32))  # all is float64 within


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_known_products_are_used(algorithm):
    X, D = problem()
    expected = sparse_encode(X, D, algorithm=algorithm, alpha=0.2)
    cov = D @ X.T
    before = cov.copy()
    for copy in (True, False):
        found = sparse_encode(
            X, D, gram=D @ D.T, cov=cov, algorithm=algorithm, alpha=0.2, copy_cov=copy
        )
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(cov, before)
    other = sparse_encode(X, D, cov=2 * cov, algorithm=algorithm, alpha=0.2)
    assert np.abs(other - expected).max() > 0.1
    if algorithm != "threshold":
        other = sparse_encode(X, D, gram=2 * D @ D.T, algorithm=algorithm, alpha=0.2)
        assert np.abs(other - expected).max() > 0.1


def test_init_and_max_iter():
    X, D = problem()
    best = sparse_encode(X, D, algorithm="lasso_cd", alpha=0.2)
    with pytest.warns(ConvergenceWarning, match=r"max_iter=1.* of 300 rows") as caught:
        sparse_encode(X, D, algorithm="lasso_cd", alpha=0.2, max_iter=1)
    assert caught[0].filename == __file__
    few = {"algorithm": "lasso_cd", "alpha": 0.2, "max_iter": 3}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = sparse_encode(X, D, init=best, **few)
    np.testing.assert_allclose(again, best, atol=1e-4)
    lines = [sparse_encode(X, D, alpha=0.0, max_iter=i) for i in (0, 1, 2)]
    assert [np.count_nonzero(codes, axis=1).max() for codes in lines] == [0, 1, 2]


def test_verbose_says_what_was_done(capsys):
    X, D = problem()
    sparse_encode(X, D, alpha=0.2)
    assert not capsys.readouterr().out
    sparse_encode(X, D, alpha=0.2, verbose=1)
    assert "lasso_lars: 300 rows coded" in capsys.readouterr().out


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.filterwarnings("ignore")  # of atoms that depend on each other
def test_odd_dictionaries(algorithm):
    X, D = problem(p=6, k=9)
    D[1], D[4], D[5] = D[0], 0.0, -D[2]
    X[3] = 0.0
    many = {"alpha": 0.01, "n_nonzero_coefs": 5, "max_iter": 20_000}
    codes = sparse_encode(X, D, algorithm=algorithm, **many)
    assert np.isfinite(codes).all()
    np.testing.assert_array_equal(codes[3], 0.0)
    assert not codes[:, 4].any()
    if algorithm.startswith("lasso"):
        fewer = np.delete(D, [1, 4, 5], axis=0)
        best = cost(X, fewer, sparse_encode(X, fewer, alpha=0.01), 0.01)
        np.testing.assert_allclose(cost(X, D, codes, 0.01), best, atol=1e-6)


@pytest.mark.parametrize("apart", [1e-5, 1e-7, 1e-9])
def test_atoms_that_are_nearly_one(apart):
    X, D = problem(p=6, k=8)
    noise = np.random.default_rng(1).standard_normal((2, 6))
    D[1], D[3] = D[0] + apart * noise[0], -D[2] + apart * noise[1]
    fewer = np.delete(D, [1, 3], axis=0)
    for alpha in (0.1, 0.01):
        best = cost(X, fewer, sparse_encode(X, fewer, alpha=alpha), alpha)
        codes = sparse_encode(X, D, alpha=alpha)
        assert (cost(X, D, codes, alpha) <= best + 1e-8 * np.sum(X**2, axis=1)).all()


def test_what_the_path_cannot_certify_is_descended_to(monkeypatch):
    def give_up(gram, products, route, room, codes, good):
        codes[:], good[:] = 0.0, False

    X, D = problem()
    best = cost(X, D, sparse_encode(X, D, alpha=0.2), 0.2)
    monkeypatch.setattr(gram_lars, "follow_each", give_up)
    found = cost(X, D, sparse_encode(X, D, alpha=0.2), 0.2)
    assert (np.abs(found - best) <= 1e-8 * np.sum(X**2, axis=1)).all()


def test_atoms_that_do_not_suffice_are_warned_of():
    X, D = problem(p=3, k=6)
    with pytest.warns(RuntimeWarning, match="ended prematurely") as caught:
        codes = sparse_encode(X, D, algorithm="omp", n_nonzero_coefs=5)
    assert caught[0].filename == __file__
    np.testing.assert_allclose(codes @ D, X, atol=1e-8)


def test_what_is_refused():
    X, D = problem(n=10)
    for algorithm in ("omp", "lars"):
        with pytest.raises(ValueError, match=f"not supported for '{algorithm}'"):
            sparse_encode(X, D, algorithm=algorithm, positive=True)
    with pytest.raises(ValueError, match="different numbers of features"):
        sparse_encode(X[:, 1:], D)
    with pytest.raises(ValueError, match="cannot be more than the number of features"):
        sparse_encode(X, D, algorithm="omp", n_nonzero_coefs=21)
    with pytest.raises(ValueError, match="NaN"):
        sparse_encode(np.where(X > 2, np.nan, X), D)
    with pytest.raises(ValueError, match="too large"):
        sparse_encode(np.where(X > 0, np.nan, X), D, check_input=False)
    with pytest.raises(ValueError, match="too large"):
        sparse_encode(X * 1e200, D * 1e200)
    for name, wrong in {
        "gram": D,
        "cov": X,
        "init": D,
        "alpha": -1.0,
        "algorithm": "lasso",
    }.items():
        with pytest.raises(ValueError, match=name):
            sparse_encode(X, D, **{name: wrong})


def test_coder_is_the_function():
    X, D = problem()
    coder = SparseCoder(
        D, transform_algorithm="lasso_cd", transform_alpha=0.2, positive_code=True, n_jobs=2
    )
    codes = coder.fit_transform(X)
    expected = sparse_encode(X, D, algorithm="lasso_cd", alpha=0.2, positive=True)
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_allclose(coder.inverse_transform(codes), codes @ D, atol=1e-12)
    few = SparseCoder(D, transform_n_nonzero_coefs=4).transform(X)  # needs no fit
    np.testing.assert_array_equal(np.count_nonzero(few, axis=1), 4)
    hasty = SparseCoder(D, transform_algorithm="lasso_lars", transform_max_iter=1)
    assert np.count_nonzero(hasty.transform(X), axis=1).max() == 1


def test_signs_are_split():
    X, D = problem(dtype=np.float32)
    plain, split = SparseCoder(D), SparseCoder(D, split_sign=True)
    codes, halves = plain.fit_transform(X), split.fit_transform(X)
    assert halves.dtype == np.float32
    assert (halves >= 0).all()
    np.testing.assert_array_equal(halves[:, :20] - halves[:, 20:], codes)
    np.testing.assert_array_equal(split.inverse_transform(halves), plain.inverse_transform(codes))
    assert len(split.get_feature_names_out()) == halves.shape[1]
    with pytest.raises(ValueError, match="Expected 40, got 20"):
        split.inverse_transform(codes)


ONE_WIDTH = {
    "check_fit_forgets": "a dictionary is for one number of features",
    "check_failed_fit_leaves_no_trace": "a dictionary is for one number of features",
    "check_threads_agree": "a dictionary is for one number of features",
}
CODERS = [
    testing.Case(
        SparseCoder(problem(k=5, p=4)[1], transform_algorithm=algorithm, transform_alpha=0.3),
        draws=False,
        same_bits=True,
        excused=ONE_WIDTH,
    )
    for algorithm in ("omp", "lasso_lars")
]


@testing.parametrize(CODERS)
def test_coder_keeps_what_every_estimator_promises(check):
    check()
