"""The leading axes of rows whose features are divided by the deviations of their noise.

Problem     With C the covariance of the rows, (p, p), and d the reciprocals of the deviations, of
                B = diag(d) C diag(d)                                                     (1)
            find the k leading eigenvalues and eigenvectors, again and again as d changes.
Scatter     C is known: p^2 for (1), and an eigenproblem. Its eigenvalues are wrong by p eps s_1,
            which stands only beside the noise, which is 1 in B:  p eps s_1 <= 1e-9.      (2)
Triangle    Otherwise R with R'R = C, from the rows by QR, once: B = (R diag(d))'(R diag(d)), by
            its singular values.                                                          (3)
Few rows    n < p: the rows A themselves, about their mean and over n^1/2, are such an R.
Subspace    For large B and few k, a block Q of k + 10 columns, at first random, then that of the d
            before,
                Q <- orth(B Q), a few times;   Q'B Q = Z diag(s) Z',  eigenvectors Q Z    (4)
Cost        (2), (3): p^3, or n^2 p. (4): p^2 (k + 10), or 2 n p (k + 10), for each product.
Reference   N. Halko, P.-G. Martinsson, J. Tropp, Finding structure with randomness, SIAM Review,
            2011.
"""

import numpy as np
from scipy import linalg

from skcourse.core import factors
from skcourse.core.chunks import one_blas_thread
from skcourse.decomposition.spectrum import EPS, of_few_rows, of_scatter, of_triangle

DIGITS = 1e-9  # of (2)
MORE = 10  # columns of the block, beside those that are asked for
WORTH = 2  # so many times the columns of all products must be fewer than those of B


class Scatter:
    """Many rows, by their covariance, and by a triangle if need be."""

    def __init__(self, C, X, weights, weight):
        self.C, self.rows, self.weight = C, (X, weights), weight
        self.n_axes = len(C)
        self.variances = np.diagonal(C).copy()
        self._R = None

    @property
    def R(self):
        """R'R = C; made when it is first asked for."""
        if self._R is None:
            X, weights = self.rows
            self._R = factors.factor(X, weights=weights).R / np.sqrt(self.weight)
        return self._R

    def total(self, d):
        """Return tr B."""
        return float(np.sum(self.variances * d * d))

    def spectrum(self, d, k):
        """Return the leading spectrum by (1) and (2), or (3)."""
        with np.errstate(over="ignore", invalid="ignore"):
            B = self.C * d[:, np.newaxis] * d
        if np.isfinite(B).all():
            found = of_scatter(B, k)
            if self.n_axes * EPS * np.square(found.values[0]) <= DIGITS:
                return found
        return of_triangle(self.R * d, self.n_axes)

    def times(self, d, Q):
        """Return B Q."""
        with one_blas_thread():
            return d[:, np.newaxis] * (self.C @ (d[:, np.newaxis] * Q))


class FewRows:
    """Fewer rows than columns, about their mean and over the root of their number; (n, p)."""

    def __init__(self, A):
        self.A = A
        self.n_axes = len(A)
        self.variances = np.einsum("ij,ij->j", A, A)

    def total(self, d):
        """Return tr B."""
        return float(np.sum(self.variances * d * d))

    def spectrum(self, d, k):
        """Return the leading spectrum, by orthogonal transformations."""
        return of_few_rows(self.A * d, k)

    def times(self, d, Q):
        """Return B Q."""
        with one_blas_thread():
            return d[:, np.newaxis] * (self.A.T @ (self.A @ (d[:, np.newaxis] * Q)))


class Subspace:
    """The leading axes of B as d changes: exact, or, where that is dear, by (4)."""

    def __init__(self, rows, k, n_steps=None, rng=None):
        """Take `n_steps` steps of (4) for each d, and one more; None: exact."""
        self.rows, self.k, self.n_steps = rows, min(k, rows.n_axes), n_steps
        self.Q = None
        if n_steps is not None and 0 < WORTH * (n_steps + 1) * (k + MORE) < rows.n_axes:
            self.Q = rng.standard_normal((len(rows.variances), k + MORE))

    def leading(self, d):
        """Return the k leading eigenvalues of B, eigenvectors, (k, p), and the sum of the others.

        Eigenvalues fall; one that is rounding is 0.
        """
        if self.Q is None:
            found = self.rows.spectrum(d, self.k)
            s = np.square(found.values)
            least = np.square(found.rounding) * s.max(initial=0.0)
            s = np.where(s > least, s, 0.0)
            known = len(s) == self.rows.n_axes  # then nothing cancels
            rest = np.sum(s[self.k :]) if known else self.rows.total(d) - np.sum(s[: self.k])
            return s[: self.k], found.axes[: self.k], float(rest)
        for _ in range(self.n_steps + 1):
            self.Q = linalg.qr(self.rows.times(d, self.Q), mode="economic", check_finite=False)[0]
        s, Z = np.linalg.eigh(self.Q.T @ self.rows.times(d, self.Q))
        self.Q = self.Q @ Z[:, ::-1]
        s = s[::-1][: self.k].clip(min=0.0)
        return s, self.Q.T[: self.k], self.rows.total(d) - float(np.sum(s))
