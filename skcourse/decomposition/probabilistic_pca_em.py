"""EM for a plane with noise, from the scatter of complete rows; what is missing, see below.

Problem     Rows x = m + W z + e with z ~ N(0, 1), (k,), and noise e ~ N(0, v 1), (p,): find W,
            (p, k), m and v for which the rows are most likely. With their covariance C about their
            mean m, and M = W'W + v 1, (k, k),
                -2/n log likelihood = p log 2 pi + (p - k) log v + log |M|
                                      + (tr C - tr M^-1 W'C W) / v                        (1)
Iteration   E: given its row, z is N(M^-1 W'(x - m), v M^-1), so that on average
                mean of E[(x - m) z'] = A = C W M^-1,   mean of E[z z'] = G = v M^-1 + M^-1 W'A  (2)
            M: regress x on z, and let z have any covariance, G, for which W then answers: with
            G = L L' the best W for z ~ N(0, G) is A G^-1, which is, for z ~ N(0, 1) again,
                W = A G^-1 L = A L^-T,   v = (tr C - |W|^2) / p                           (3)
            This is EM with one parameter more than the model needs (PX-EM): no step is dearer,
            none lowers the likelihood, and there are fewer.
Cost        p^2 k products in C W, or 2 n p k of fewer rows than columns; p k^2 for all else.
Reference   M. Tipping, C. Bishop, Probabilistic principal component analysis, J. Royal
            Statistical Society B, 1999. C. Liu, D. Rubin, Y. Wu, Parameter expansion to accelerate
            EM: the PX-EM algorithm, Biometrika, 1998.

`probabilistic_pca_missing` does the same where values are missing.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History

LOG_2_PI = np.log(2 * np.pi)
LEAST = 1e-8  # noise beside the mean variance of a feature: below, (1) is decided by rounding


class Plane(NamedTuple):
    """The parameters; float64."""

    loadings: np.ndarray  # W, (p, k)
    mean: np.ndarray  # m, (p,)
    noise: float  # v


class Run(NamedTuple):
    """Where the iteration ended."""

    plane: Plane
    history: dict  # of arrays
    n_iter: int
    gain: float  # of the mean log-likelihood of a row, by the last iteration; 0 if it was stopped
    vanished: bool  # whether the noise did, or, with k = p, the least variance


def iterate(step, plane, weight, *, max_iter, tol, least, task=SILENCE, attributes=None):
    """Improve a plane by EM until the mean log-likelihood of a row rises by no more than `tol`.

    Parameters
    ----------
    step : callable, from a Plane to its log-likelihood and a better Plane
    plane : Plane
    weight : float, the number of rows
    max_iter : int
    tol : float
    least : float, the noise at which it has vanished; with k = p, where it only shares out the
        variance with W, it stays there
    task : Task
    attributes : callable, from a Plane and its log-likelihood, for callbacks

    Returns
    -------
    run : Run, with the last plane whose log-likelihood is known
    """
    history, gain, before, last, vanished = History(), np.inf, -np.inf, plane, False
    for n_iter in range(1, max_iter + 1):
        iteration = task.subtask("iteration")
        with one_blas_thread():
            value, better = step(plane)
        if value < before:  # by rounding, or for the least noise
            iteration.end(lambda now=last, value=before: attributes(now, value))
            plane, n_iter, gain = last, n_iter - 1, 0.0
            break
        history.append(log_likelihood=value, noise_variance=plane.noise)
        gain, before = (value - before) / weight, value
        stop = iteration.end(lambda now=plane, value=value: attributes(now, value))
        vanished = not better.noise > least and np.diff(plane.loadings.shape)[0] < 0
        if stop or vanished or gain <= tol or n_iter == max_iter:
            break
        last, plane = plane, better._replace(noise=max(better.noise, least))
    if np.diff(plane.loadings.shape)[0] == 0:
        lengths = np.linalg.svd(plane.loadings, compute_uv=False)
        vanished = np.square(lengths[-1]) + plane.noise <= 2 * least
    return Run(plane, history.arrays(), n_iter, 0.0 if stop else gain, vanished)


def start(rows, mean, k, rng):
    """Return the plane of random directions Q, (p, k), after one step of the power method.

    With Q'C Q = Z diag(s) Z', W = Q Z diag(s)^1/2, and v is the rest. From noise that is larger, W
    would lose its lesser directions, and EM would need long to find them again.

    Parameters
    ----------
    rows : Covariance or FewRows
    mean : array of shape (p,)
    k : int
    rng : RandomState
    """
    p = len(mean)
    with one_blas_thread():
        Q = np.linalg.qr(rows.times(rng.standard_normal((p, k))))[0]
        s, Z = np.linalg.eigh(Q.T @ rows.times(Q))
    noise = max(rows.total - np.sum(s), 10 * LEAST * rows.total) / p
    return Plane(Q @ Z * np.sqrt(np.maximum(s, noise)), mean, noise)


class Covariance:
    """Complete rows, by the p x p matrix C."""

    def __init__(self, C):
        self.C = C
        self.total = np.trace(C)

    def times(self, W):
        """Return C W."""
        return self.C @ W


class FewRows:
    """Complete rows, by themselves about their mean, over the root of their number: C = A'A."""

    def __init__(self, A):
        self.A = A
        self.total = float(np.sum(np.square(A)))

    def times(self, W):
        """Return C W."""
        return self.A.T @ (self.A @ W)


def step_of_complete(rows, weight):
    """Return the step for `iterate` of complete rows.

    Parameters
    ----------
    rows : Covariance or FewRows
    weight : float, n
    """

    def step(plane):
        W, v = plane.loadings, plane.noise
        p, k = W.shape
        M = W.T @ W
        M.flat[:: k + 1] += v
        factor = cho_factor(M, lower=True) if k else None
        CW = rows.times(W)
        A, inverse = (cho_solve(factor, B).T for B in (CW.T, np.eye(k))) if k else (CW, M)
        explained = np.sum(W * A)  # tr M^-1 W'C W
        log_det = (p - k) * np.log(v) + (2 * np.sum(np.log(np.diagonal(factor[0]))) if k else 0.0)
        value = -0.5 * weight * (p * LOG_2_PI + log_det + (rows.total - explained) / v)  # (1)
        if k:
            G = v * inverse + inverse @ (W.T @ A)  # (2)
            L = np.linalg.cholesky((G + G.T) / 2)
            W = solve_triangular(L, A.T, lower=True).T  # (3)
        return value, Plane(W, plane.mean, (rows.total - np.sum(np.square(W))) / p)

    return step
