"""Least squares from a few numbers: solves that certify themselves.

Problem     X b = y in the sense of least squares, and of the least |b| where X lacks rank, given
            not X but a small matrix made from it: the scatter S = X'X, or R of X = QR.
Cholesky    S = R'R, then R'R b = X'y. An error of u in S moves b by about k u, where with
            columns of X scaled to length 1, as the factorisation does not mind (van der Sluis),
                D = diag(S)^(1/2),   C = D^-1 S D^-1,   k = |C| |C^-1|                   (1)
            is about the square of the condition of X D^-1. LAPACK estimates it from R: this is
            the certificate. Without it no solution from S is worth having.
Orthogonal  R computed from X by QR does not square the condition. With R = U diag(s) V',
                b = sum over s_i > tol s_1 of v_i <u_i, Q'y> / s_i                       (2)
Dual        A wide X has few rows: X' = QR, X X' = R'R, and with R = U diag(s) V'
                b = X' v,   v = sum over s_i > tol s_1 of v_i <v_i, y> / s_i^2           (3)
            The error of b is about k^(1/2) u |b| (Paige), but X b is off by about k u |y|: the
            residual y - X b, fed to (3) in the place of y, takes a factor k u off each time.
Reference   A. van der Sluis, Condition numbers and equilibration of matrices, Numer. Math., 1969.
            C. Paige, An error analysis of a method for solving matrix equations, Math. Comp., 1973.
            A. Björck, Numerical Methods for Least Squares Problems, SIAM, 1996, ch. 2.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from skcourse.core.kernel import kernel

FLOOR = np.finfo(np.float64).tiny / np.finfo(np.float64).eps  # smaller squares have lost digits


class Cholesky(NamedTuple):
    """S = R'R with its certificate."""

    R: np.ndarray  # (p, p), upper triangular, zeros below
    condition: float  # estimate of k in (1); an error of u in S is one of k u in a solution

    def solve(self, B):
        """Return S^-1 B, (p, t)."""
        return lapack.dpotrs(self.R, B)[0]

    def project(self, B):
        """Return R^-T B, (p, t): where B = X'y it is Q'y."""
        return lapack.dtrtrs(self.R, B, trans=1)[0]

    def singular_values(self):
        """Return the singular values of X, in falling order, each to about k u of itself."""
        return lapack.dgesdd(self.R, compute_uv=0)[1]


class MinimumNorm(NamedTuple):
    """The solution of least norm among those of least squares."""

    coef: np.ndarray  # b, (p, t)
    rank: int  # how many s_i > tol s_1
    singular: np.ndarray  # s, (min(n, p),), in falling order


class Dual(NamedTuple):
    """X = V diag(s) U', its columns U not kept, for n rows and no fewer columns."""

    axes: np.ndarray  # v_i with s_i > tol s_1, as rows, (rank, n)
    singular: np.ndarray  # s, (n,), in falling order
    rank: int
    unit: float  # a power of 2 near s_1

    @property
    def condition(self):
        """The square of s_1 / s_rank: what an error of u in (3) becomes in X b."""
        return np.square(self.singular[0] / self.singular[self.rank - 1]) if self.rank else 1.0

    def solve(self, B):
        """Return v of (3) times unit^2, (n, t); then b = (X / unit)' v / unit."""
        lengths = self.singular[: self.rank] / self.unit
        return self.axes.T @ ((self.axes @ B) / np.square(lengths)[:, np.newaxis])

    def within(self, B):
        """Return B in the coordinates of the axes, (rank, t): what of it X can explain."""
        return self.axes @ B


def cholesky(S):
    """Factor a scatter matrix and estimate its condition.

    Parameters
    ----------
    S : array of shape (p, p), symmetric, float64

    Returns
    -------
    factor : Cholesky or None
        None where S is not positive definite, to working precision, or not finite.
    """
    squares = np.diagonal(S)
    if not FLOOR < squares.min() <= squares.max() < np.inf:
        return None
    R, failed = lapack.dpotrf(S)
    if failed:
        return None
    lengths = np.sqrt(squares)
    norm = (np.abs(S) @ (1 / lengths) / lengths).max()  # |C|, largest column sum
    reciprocal, failed = lapack.dpocon(R / lengths, norm)
    return None if failed or not reciprocal > 0 else Cholesky(R, 1 / reciprocal)


def triangle(rows):
    """Return R of rows = QR, of shape (min(n, w), w), by Householder reflections; uses up `rows`.

    Parameters
    ----------
    rows : array of shape (n, w), float64
    """
    n, w = rows.shape
    reflected = lapack.dgeqrf(rows, lwork=32 * max(w, 1), overwrite_a=True)[0]
    return np.triu(reflected[: min(n, w)])


def minimum_norm(A, B, tol):
    """Solve A b = B by (2).

    Parameters
    ----------
    A : array of shape (k, p), float64
    B : array of shape (k, t), float64
    tol : float
        Singular values of A up to `tol` times the largest count as zero; below 0 stands for the
        working precision.

    Returns
    -------
    solution : MinimumNorm

    Raises
    ------
    numpy.linalg.LinAlgError
        If the singular values do not converge.
    """
    k, p = A.shape
    padded = np.zeros((max(k, p), B.shape[1]), order="F")
    padded[:k] = B
    work, iwork, _ = lapack.dgelsd_lwork(k, p, B.shape[1], tol)
    coef, singular, rank, failed = lapack.dgelsd(A, padded, int(work), iwork, tol)
    if failed:
        raise np.linalg.LinAlgError("SVD did not converge in Linear Least Squares")
    return MinimumNorm(coef[:p], int(rank), singular)


def dual(R, tol):
    """Return what (3) needs, from R of X' = QR.

    Parameters
    ----------
    R : array of shape (min(n, p), n), float64
    tol : float, see `minimum_norm`

    Returns
    -------
    factor : Dual
    """
    _, s, Vt = np.linalg.svd(R, full_matrices=False)
    rank = int(np.count_nonzero(s > tol * s[0]))
    unit = 2.0 ** np.clip(np.frexp(s[0])[1], -1000, 1000)  # lest s_i^2 leaves the range of numbers
    return Dual(Vt[:rank], s, rank, unit)


@kernel(exact=True)
def log_sum_exp(z):
    """Return log sum_i exp(z_i), of z of shape (n,), n >= 1, for numbers of any size.

    With m = max z it is m + log sum_i exp(z_i - m): nothing overflows, and the largest term is 1.
    """
    m = np.float64(z[0])
    for i in range(1, len(z)):
        if not z[i] <= m and not np.isnan(m):
            m = np.float64(z[i])
    if np.isinf(m):
        return m
    total = 0.0
    for i in range(len(z)):
        total += np.exp(z[i] - m)
    return m + np.log(total)
