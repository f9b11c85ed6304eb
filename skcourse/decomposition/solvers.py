"""Which solver finds the principal axes, and of how many components.

Rule        "auto" looks at the shape alone:
                p <= 1000 and n >= 10 p            "covariance_eigh": `spectrum`, (2)
                max(n, p) <= 500                   "full": `spectrum`, (3) or (4)
                1 <= n_components < 0.8 min(n, p)  "randomized"
                otherwise                          "full"
            Sparse rows take "arpack", or "covariance_eigh" or "deflation" if asked to.
Numbers     Where squares overflow or vanish, or where the passes of "randomized" would cost more
            than an exact answer, "full" answers in the place of the others.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from skcourse.core import factors, moments
from skcourse.core.centred_rows import CentredRows
from skcourse.core.factors import Factor
from skcourse.core.linalg import FLOOR
from skcourse.core.moments import Moments, centred_rows, quiet
from skcourse.core.validation import check_finite_sums
from skcourse.decomposition import deflation, randomized, spectrum
from skcourse.decomposition.dispersion import dispersion
from skcourse.decomposition.lanczos import lanczos
from skcourse.decomposition.spectrum import Spectrum

TRUNCATED = ("arpack", "randomized")
SQUARE = 1000  # columns up to which "deflation" makes a scatter matrix
SHORT = 0.1  # of the first axis: a variance that float32 products know to 1e-6 / SHORT^2, or better


class Solution(NamedTuple):
    """What a solver finds."""

    spectrum: Spectrum
    mean: np.ndarray  # (p,)
    weight: float  # W
    sums: object = None  # Moments or Factor of the rows, where the solver made them
    n_iter: np.ndarray | None = None  # steps of each axis, (k,), where there were any
    complaint: str | None = None  # about what did not converge


def choose_solver(svd_solver, n_components, n, p, *, sparse):
    """Return the name of the solver and the number of components, which may still be a rule."""
    if svd_solver == "auto" and sparse:
        svd_solver = "arpack"
    if n_components is None:
        n_components = min(n, p) - (svd_solver == "arpack")
    if svd_solver == "auto":
        if p <= 1000 and n >= 10 * p:
            svd_solver = "covariance_eigh"
        elif max(n, p) <= 500 or n_components == "mle":
            svd_solver = "full"
        elif 1 <= n_components < 0.8 * min(n, p):
            svd_solver = "randomized"
        else:
            svd_solver = "full"
    return svd_solver, n_components


def check_n_components(n_components, solver, n, p):
    """Raise scikit-learn's ValueError if the solver cannot find so many components."""
    if solver not in TRUNCATED:
        if n_components == "mle":
            if n < p:
                raise ValueError("n_components='mle' is only supported if n_samples >= n_features")
        elif not 0 <= n_components <= min(n, p):
            raise ValueError(
                f"n_components={n_components} must be between 0 and "
                f"min(n_samples, n_features)={min(n, p)} with svd_solver={solver!r}"
            )
    elif isinstance(n_components, str):
        raise ValueError(
            f"n_components={n_components!r} cannot be a string with svd_solver={solver!r}"
        )
    elif not 1 <= n_components <= min(n, p):
        raise ValueError(
            f"n_components={n_components!r} must be between 1 and "
            f"min(n_samples, n_features)={min(n, p)!r} with svd_solver={solver!r}"
        )
    elif solver == "arpack" and n_components == min(n, p):
        raise ValueError(
            f"n_components={n_components!r} must be strictly less than "
            f"min(n_samples, n_features)={min(n, p)!r} with svd_solver={solver!r}"
        )


def solve(pca, X, weights, solver, k, q):
    """Return the solution of validated rows.

    Parameters
    ----------
    pca : PCA, for its parameters and the messages
    X : {array, sparse matrix} of shape (n, p)
    weights : array of shape (n,) or None
    solver : {"covariance_eigh", "full", "arpack", "randomized", "deflation"}
    k : int, how many axes are wanted
    q : int, how many there are: min(n, p)

    Returns
    -------
    solution : Solution
    """
    solution = None
    if solver == "covariance_eigh":
        solution = by_scatter(pca, X, weights, k)
    elif solver == "deflation":
        solution = by_deflation(pca, X, weights, k)
    elif solver in TRUNCATED:
        solution = by_products(pca, X, weights, solver, k)
    if solution is None:
        X = X.toarray() if issparse(X) else X  # no larger than its axes, or all but empty
        solution = by_rows(pca, X, weights, k, q)
    return solution


def by_scatter(pca, X, weights, k):
    """Return the solution from the scatter matrix; None where its squares are of no use.

    The products of float32 rows are float32 where that cannot be seen: for few axes, none of which
    turns out to be short beside the first. Theirs take half the time.
    """
    if X.dtype == np.float32 and not issparse(X) and spectrum.is_partial(X.shape[1], k):
        sums = sums_of(pca, X, weights, Moments, dtype=X.dtype)
        if FLOOR < np.trace(sums.scatter) < np.inf:
            found = spectrum.of_scatter(sums.scatter, k)
            if found.values[k - 1] > SHORT * found.values[0]:
                return Solution(found, sums.mean, sums.weight, sums)
    sums = sums_of(pca, X, weights, Moments)
    if not FLOOR < np.trace(sums.scatter) < np.inf:
        return None
    return Solution(spectrum.of_scatter(sums.scatter, k), sums.mean, sums.weight, sums)


def by_products(pca, X, weights, solver, k):
    """Return the solution from products with the rows; None where `by_rows` is as good."""
    n, p = X.shape
    b = randomized.block_width((n, p), k, pca.n_oversamples)
    n_steps = randomized.STEPS if pca.iterated_power == "auto" else pca.iterated_power
    if solver == "randomized" and not randomized.is_worthwhile((n, p), b, n_steps):
        return None
    if issparse(X):
        check_finite_sums(X.data.sum(), X, estimator=pca)
    weight, mean, total = dispersion(X, weights)
    check_finite_sums(total, X, estimator=pca)
    if not FLOOR < total < np.inf or k >= min(n, p):
        return None
    A = CentredRows(X, mean, weights)
    options = {"size": np.sqrt(total), "random_state": pca.random_state}
    if solver == "arpack":
        return Solution(lanczos(A, k, tol=pca.tol, **options), mean, weight)
    options["normalizer"] = pca.power_iteration_normalizer
    found = randomized.block_krylov(A, k, b, n_steps=n_steps, **options)
    return Solution(found, mean, weight)


def by_deflation(pca, X, weights, k):
    """Return the solution axis by axis; None where squares are of no use.

    The products are with the scatter matrix, or, where that would be large, with the rows.
    """
    n, p = X.shape
    if p <= min(n, SQUARE):
        sums = sums_of(pca, X, weights, Moments)
        if not FLOOR < np.trace(sums.scatter) < np.inf:
            return None
        return deflated(pca, sums, k, X.dtype)
    if issparse(X):
        check_finite_sums(X.data.sum(), X, estimator=pca)
    weight, mean, total = dispersion(X, weights)
    check_finite_sums(total, X, estimator=pca)
    if not FLOOR < total < np.inf:
        return None
    A, product = CentredRows(X, mean, weights), np.empty((n, 1))

    def multiply(v):
        if A.sparse:
            return A.T @ (A @ v)
        return A.round_trip(v[:, np.newaxis], product)[:, 0]

    options = deflation_options(pca, X.dtype) | {"size": np.sqrt(total)}
    found, *told = deflation.deflate(multiply, p, k, **options)
    return Solution(found, mean, weight, None, *told)


def deflated(pca, sums, k, dtype):
    """Return the solution from moments, axis by axis."""
    S = sums.scatter
    options = deflation_options(pca, dtype) | {"size": np.sqrt(max(np.trace(S), 0.0))}
    found, *told = deflation.deflate(S.dot, len(S), k, **options)
    return Solution(found, sums.mean + sums.rest, sums.weight, sums, *told)


def deflation_options(pca, dtype):
    """Return what `deflate` takes of the parameters; 0 as `tol` is the precision of the rows."""
    steps = deflation.STEPS if pca.iterated_power == "auto" else pca.iterated_power
    tol = pca.tol
    if tol == 0 and dtype == np.float32:
        tol = np.finfo(np.float32).eps / 10
    return {"tol": tol, "max_steps": steps, "random_state": pca.random_state}


@quiet
def by_rows(pca, X, weights, k, q):
    """Return the solution by orthogonal transformations of the rows."""
    n, p = X.shape
    if q <= n < p:
        none = np.empty(0)
        mine = not pca.copy and weights is None and X.dtype == np.float64 and X.flags.writeable
        A, weight, mean, rest = centred_rows(
            [X], none if weights is None else weights, out=X if mine else None
        )
        check_finite_sums(mean + rest, X, estimator=pca)
        A -= rest if weights is None else np.outer(np.sqrt(weights), rest)
        return Solution(spectrum.of_few_rows(A, k), mean + rest, weight)
    sums = sums_of(pca, X, weights, Factor)
    return Solution(spectrum.of_triangle(sums.R, q), sums.mean + sums.rest, sums.weight, sums)


@quiet
def sums_of(pca, X, weights, kind, dtype=np.float64):
    """Return the Moments or the Factor of the rows, which are checked for NaN by them."""
    if kind is Factor:
        sums = factors.factor(X.toarray() if issparse(X) else X, weights=weights)
        check_finite_sums(sums.R, X, estimator=pca)
        return sums
    if issparse(X):
        sums = sparse_moments(X, weights)
    else:
        sums = moments.moments(X, None, weights, dtype=dtype)
    check_finite_sums(sums.scatter, X, estimator=pca)
    return sums


def sums_of_axes(pca):
    """Return the Factor of the rows of a fit that kept its axes only: R = diag(s) V'."""
    R = pca.singular_values_[:, np.newaxis] * pca.components_.astype(np.float64)
    n, p = pca.n_samples_, R.shape[1]
    return Factor(float(n), pca.mean_.astype(np.float64), np.zeros(p), R, int(n), p)


def of_sums(pca, sums, solver, k, q, dtype):
    """Return the solution of rows of which only the sums are left, Moments or Factor."""
    if isinstance(sums, Factor):
        found = spectrum.of_triangle(sums.R, q)
    elif solver == "deflation":
        return deflated(pca, sums, k, dtype)
    else:
        found = spectrum.of_scatter(sums.scatter, k)
    return Solution(found, sums.mean + sums.rest, sums.weight, sums)


def sparse_moments(X, weights):
    """Return the moments of sparse rows: S = X'WX - W m m', which is dense, (p, p)."""
    X = X.astype(np.float64, copy=False)
    w = np.ones(X.shape[0]) if weights is None else np.asarray(weights, np.float64)
    weight = float(w.sum())
    mean = np.asarray(X.T @ w).ravel() / (weight or 1.0)
    weighted = X if weights is None else X.multiply(w[:, np.newaxis]).tocsr()
    scatter = np.asarray((X.T @ weighted).todense()) - weight * np.outer(mean, mean)
    return Moments(weight, mean, scatter, X.shape[0])
