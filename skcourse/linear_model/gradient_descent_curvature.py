"""How long a step of gradient descent may be: one over the largest curvature of the objective.

Bound       The Hessian of the risk is sum_i s_i h_i x_i x_i' / n, rows lengthened by a 1 for the
            intercept, with h_i <= c, the largest curvature of the loss. So no curvature exceeds
                L = c max eigenvalue of sum_i s_i x_i x_i' / n + a                            (1)
            with a the strength of an l2 penalty. A step of 1/L never raises the objective; one
            above 2/L diverges where the curvature is L, with momentum m one above 2 (1 + m) / L.
Batches     The risk of b rows drawn at random may bend more than that of all n. In place of L,
                L_b = (n (b - 1) L_n + (n - b) L_1) / (b (n - 1))                             (2)
            then, which goes from L_1 = c max_i s_i |x_i|^2 for one row to L_n = L for all.
Cost        n p^2 / 2 products; beyond 1,000 features some ten passes over X, by Lanczos.
Reference   Y. Nesterov, Lectures on Convex Optimization, 2018. R. Gower, N. Loizou, X. Qian,
            A. Sailanbayev, E. Shulgin, P. Richtarik, SGD: general analysis, ICML 2019 (2).
"""

import numpy as np
from scipy.linalg import eigvalsh
from scipy.sparse import issparse
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.utils.extmath import row_norms

from skcourse.core.chunks import one_blas_thread
from skcourse.core.dense_chunks import DenseChunks
from skcourse.core.moments import moments

FEW = 1000  # features whose matrix of products is made
TOLERANCE = 1e-3  # of Lanczos; the result is raised by twice as much, to be no less than the truth


def largest_curvature(X, weights, curvature, *, fit_intercept, batch_size):
    """Return (2), without the a of (1).

    Parameters
    ----------
    X : array of shape (n, p), C-contiguous, or CSR matrix
    weights : array of shape (n,), s, of mean 1, or None
    curvature : float, c
    fit_intercept : bool
    batch_size : int, b

    Raises
    ------
    ValueError
        If it is beyond the range of numbers.
    """
    n = X.shape[0]
    with np.errstate(over="ignore", invalid="ignore"):
        L = curvature * largest_eigenvalue(X, weights, fit_intercept)
        if batch_size < n:
            squares = row_norms(X, squared=True).astype(np.float64) + fit_intercept
            largest = np.max(squares if weights is None else weights * squares)
            share = (n - batch_size) / (batch_size * (n - 1))
            L = (1 - share) * L + share * curvature * largest
    if not np.isfinite(L):
        raise ValueError("The numbers in X are too large for a step length; scale the features.")
    return float(L)


def largest_eigenvalue(X, weights, fit_intercept):
    """Return the largest eigenvalue of sum_i s_i x_i x_i' / n, at most 0.2% too large."""
    p = X.shape[1]
    if p > FEW:
        return by_lanczos(X, weights, fit_intercept)
    about = moments(DenseChunks(X) if issparse(X) else X, weights=weights)
    products = np.empty((p + 1, p + 1))
    products[:p, :p] = about.scatter / about.weight + np.outer(about.mean, about.mean)
    products[p, :p] = products[:p, p] = about.mean
    products[p, p] = 1.0
    used = p + 1 if fit_intercept else p
    products = products[:used, :used]
    if not np.isfinite(products).all():
        return np.inf
    with one_blas_thread():
        return max(0.0, eigvalsh(products, subset_by_index=[used - 1, used - 1])[0])


def by_lanczos(X, weights, fit_intercept):
    """Return the same where X has many columns."""
    n, p = X.shape
    s = np.ones(n) if weights is None else weights

    def product(v):
        v = v.ravel()
        z = s * (X @ v[:p].astype(X.dtype, copy=False) + v[p] * fit_intercept)
        return np.append(X.T @ z.astype(X.dtype, copy=False), z.sum() * fit_intercept) / n

    operator = LinearOperator((p + 1, p + 1), matvec=product, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(p + 1)
    with one_blas_thread():
        top = eigsh(operator, k=1, tol=TOLERANCE, v0=start, return_eigenvectors=False)[0]
    return max(0.0, top) * (1 + 2 * TOLERANCE)
