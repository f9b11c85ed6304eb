"""The singular values of centred rows: one decomposition, the ridge solution for any penalty.

Problem     With A = U diag(s) V' and targets v, (A'A + alpha I) b = A'v has the solution
                b = V diag(s / (s^2 + alpha)) c,   c = U'v.                               (1)
Routes      Of n > p rows, s and V come from a triangle, A = Q R (so that no error is squared), or,
            at a fraction of the cost, from the scatter matrix:
                A'A = V diag(s^2) V',   c = V' A'v / s.                                   (2)
            Of n < p rows, U and s come from A' = Q R, or from A A' = U diag(s^2) U'; then
                b = A'U diag(1 / (s^2 + alpha)) c,   see `dual`.                          (3)
Rank        A singular value within the rounding error of the largest is 0, and adds nothing to b:
            as alpha falls to 0, b tends to the least-squares solution of least norm.
Reference   G. Golub, C. Van Loan, Matrix Computations, 4th ed., section 6.1.4.
"""

from typing import NamedTuple

import numpy as np


class Spectrum(NamedTuple):
    """One side of the decomposition of A, of rank r."""

    vectors: np.ndarray  # V, (p, r), or U, (n, r)
    values: np.ndarray  # s, (r,), decreasing, positive
    projected: np.ndarray  # c, (r, t)


def of_rows(A, targets, rounding, *, left=False):
    """Return the spectrum of a matrix that is written out, with V, or if `left` with U."""
    check_finite(A)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    r = np.count_nonzero(s > rounding * s[0])
    U = U[:, :r]
    return Spectrum(U if left else Vt[:r].T, s[:r], U.T @ targets)


def of_scatter(scatter, products, rounding):
    """Return the spectrum, with V, by (2), from A'A, (p, p), and A'v, (p, t)."""
    s, V = roots_and_vectors(scatter, rounding)
    V, s = V[:, s > 0], s[s > 0]
    return Spectrum(V, s, (V.T @ products) / s[:, np.newaxis])


def of_gram(K, targets, rounding):
    """Return the spectrum, with U, from A A', (n, n), and v, (n, t)."""
    s, U = roots_and_vectors(K, rounding)
    U, s = U[:, s > 0], s[s > 0]
    return Spectrum(U, s, U.T @ targets)


def roots_and_vectors(S, rounding):
    """Return the square roots of the eigenvalues of S, decreasing, and the eigenvectors."""
    check_finite(S)
    squares, vectors = np.linalg.eigh(S)  # divide and conquer
    squares, vectors = squares[::-1], vectors[:, ::-1]
    squares = np.where(squares > rounding * squares[0], squares, 0.0)
    return np.sqrt(squares), vectors


def check_finite(sums):
    """Raise ValueError if sums have overflowed."""
    if not np.isfinite(sums).all():
        raise ValueError("The numbers in X and y are too large to be added up.")


def shrinkage(values, alphas):
    """Return s / (s^2 + alpha) of (1), (r, t), written so that no square can overflow."""
    s = values[:, np.newaxis]
    return 1 / (s + alphas / s)


def coefficients(spectrum, alphas):
    """Return b of (1), (p, t), for one penalty per target."""
    return spectrum.vectors @ (spectrum.projected * shrinkage(spectrum.values, alphas))
