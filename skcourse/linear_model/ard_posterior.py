"""The posterior of the coefficients that automatic relevance determination keeps.

Problem     Of k columns A, (m, k), and targets t find, for precisions lambda_j and alpha,
                P = diag(lambda) + alpha A'A,   b = alpha P^-1 A't,                           (1)
                gamma_j = 1 - lambda_j (P^-1)_jj,                                             (2)
            and log |P|.
Routes      k <= m      P = R'R by Cholesky: P^-1 = R^-1 R^-T. With P scaled to a diagonal of 1, its
                        condition is at most k sum_j P_jj (P^-1)_jj: the certificate.         (3)
                        Where that is large, R comes from QR of alpha^(1/2) A above
                        diag(lambda)^(1/2), which squares nothing.                            (4)
            k > m       With C = A diag(1/lambda) A' + I / alpha = L L' (Woodbury)
                        b = diag(1/lambda) A'C^-1 t,   gamma_j = |L^-1 a_j|^2 / lambda_j.     (5)
                        Where L is not good enough, the eigenvalues of C: none can be less than
                        1 / alpha, whatever rounding says.
Cost        2/3 k^3 products, or 2 m^2 k.
Reference   A. Björck, Numerical Methods for Least Squares Problems, SIAM, 1996.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from skcourse.core.linalg import triangle

LIMIT = 1e8  # (3) up to which Cholesky is good enough
APART = 1e7  # ratio of the diagonal entries of L up to which (5) is


class Posterior(NamedTuple):
    """(1) and (2)."""

    mean: np.ndarray  # b, (k,)
    gamma: np.ndarray  # (k,)
    log_precision: float  # log |P|
    root: np.ndarray  # R^-1, (k, k), or L^-1 A, (m, k)


class Kept:
    """The columns that are kept, and the posterior of their coefficients.

    Parameters
    ----------
    A : array of shape (m, p)
    t : array of shape (m,)
    """

    def __init__(self, A, t):
        self.columns, self.t = np.arange(A.shape[1]), t
        self.A, self.b, self.G = A, A.T @ t, None

    def keep(self, chosen):
        """Leave out all columns but the `chosen`, a bool array of shape (k,)."""
        if chosen.all():
            return
        self.columns, self.A, self.b = self.columns[chosen], self.A[:, chosen], self.b[chosen]
        if self.G is not None:
            self.G = self.G[np.ix_(chosen, chosen)]

    @property
    def wide(self):
        """Whether there are more columns than rows."""
        return self.A.shape[1] > self.A.shape[0]

    def posterior(self, alpha, lambda_):
        """Return (1) and (2) for the precisions of the columns that are kept, (k,)."""
        if self.wide:
            return self.by_rows(alpha, lambda_)
        if self.G is None:
            self.G = self.A.T @ self.A
        P = alpha * self.G
        P.flat[:: len(P) + 1] += lambda_
        diagonal = P.diagonal().copy()
        R, failed = lapack.dpotrf(P.T, overwrite_a=True)
        if failed or not np.isfinite(R[-1, -1]):
            return self.orthogonal(alpha, lambda_)
        inverse = lapack.dtrtri(R)[0]
        variances = np.einsum("ij,ij->i", inverse, inverse)
        if not len(P) * (diagonal @ variances) <= LIMIT:
            return self.orthogonal(alpha, lambda_)
        mean = alpha * (inverse @ (inverse.T @ self.b))
        log_precision = 2 * np.sum(np.log(R.diagonal()))
        return Posterior(mean, 1 - lambda_ * variances, log_precision, inverse)

    def orthogonal(self, alpha, lambda_):
        """Return (1) and (2) by (4), with t as one more column."""
        m, k = self.A.shape
        rows = np.zeros((m + k, k + 1))
        np.multiply(self.A, np.sqrt(alpha), out=rows[:m, :k])
        rows[:m, k] = np.sqrt(alpha) * self.t
        rows[m:].flat[:: k + 2] = np.sqrt(lambda_)
        R = triangle(rows)
        inverse = lapack.dtrtri(R[:k, :k])[0]
        variances = np.einsum("ij,ij->i", inverse, inverse)
        log_precision = 2 * np.sum(np.log(np.abs(R.diagonal()[:k])))
        return Posterior(inverse @ R[:k, k], 1 - lambda_ * variances, log_precision, inverse)

    def by_rows(self, alpha, lambda_):
        """Return (1) and (2) by (5)."""
        scaled = self.A / np.sqrt(lambda_)
        C = scaled @ scaled.T
        C.flat[:: len(C) + 1] += 1 / alpha
        L, failed = lapack.dpotrf(C, lower=True)
        lengths = L.diagonal()
        if len(C) and (failed or lengths.max() > APART * lengths.min()):
            C.flat[:: len(C) + 1] -= 1 / alpha
            squares, U = np.linalg.eigh(C)  # of a sum of squares: rounding makes some negative
            lengths = np.sqrt(np.maximum(squares, 0.0) + 1 / alpha)
            inverse = U.T / lengths[:, np.newaxis]
        else:
            inverse = lapack.dtrtri(L, lower=True)[0] if len(C) else C
        root = inverse @ self.A
        mean = root.T @ (inverse @ self.t) / lambda_
        gamma = np.einsum("ij,ij->j", root, root) / lambda_
        log_precision = np.sum(np.log(lambda_)) + len(C) * np.log(alpha)
        return Posterior(mean, gamma, log_precision + 2 * np.sum(np.log(lengths)), root)

    def covariance(self, posterior, lambda_):
        """Return P^-1, (k, k)."""
        if not self.wide:
            return posterior.root @ posterior.root.T
        sides = posterior.root / lambda_
        sigma = -(sides.T @ sides)
        sigma.flat[:: len(sigma) + 1] += 1 / lambda_
        return sigma
