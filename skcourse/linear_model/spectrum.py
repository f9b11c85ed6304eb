"""The singular values of centred rows: one decomposition, the ridge solution for any penalty.

Problem     With A = U diag(s) V' and targets v, (A'A + alpha I) b = A'v has the solution
                b = V diag(s / (s^2 + alpha)) c,   c = U'v.                               (1)
Routes      Of n > p rows, s and V come from a triangle, A = Q R (so that no error is squared), or,
            at a fraction of the cost, from the scatter matrix:
                A'A = V diag(s^2) V',   c = V' A'v / s.                                   (2)
            Of n < p rows, U and s come from A' = Q R, or from A A' = U diag(s^2) U'; then
                b = A'U diag(1 / (s^2 + alpha)) c,   see `dual`.                          (3)
Rank        A singular value of A within the rounding error of the largest is 0, and adds nothing to
            b: as alpha falls to 0, b tends to the least-squares solution of least norm. An
            eigenvalue s^2 within the rounding of the largest may be 0 or not, it cannot be told;
            next to a larger alpha it need not be, so it is left out for a smaller alpha only.
Refinement  What A'A has lost in rounding, a step of Newton's from the rows themselves brings back:
                b += V diag(1 / (s^2 + alpha)) V' (A'(v - A b) - alpha b).                    (4)
Reference   G. Golub, C. Van Loan, Matrix Computations, 4th ed., section 6.1.4.
"""

from typing import NamedTuple

import numpy as np

EPS = np.finfo(np.float64).eps


class Spectrum(NamedTuple):
    """One side of the decomposition of A: r of its singular values."""

    vectors: np.ndarray  # V, (p, r), or U, (n, r)
    values: np.ndarray  # s, (r,), decreasing, not negative
    projected: np.ndarray  # c, (r, t)
    noise: float = 0.0  # up to which s may be anything


def of_rows(A, targets, rounding, *, left=False):
    """Return the spectrum of a matrix that is written out, with V, or if `left` with U."""
    check_finite(A)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    r = np.count_nonzero(s > rounding * s[0])
    U = U[:, :r]
    return Spectrum(U if left else Vt[:r].T, s[:r], U.T @ targets)


def of_scatter(scatter, products, rounding):
    """Return the spectrum, with V, by (2), from A'A, (p, p), and A'v, (p, t)."""
    s, V, noise = roots_and_vectors(scatter, rounding)
    V, s = V[:, s > 0], s[s > 0]
    return Spectrum(V, s, (V.T @ products) / s[:, np.newaxis], noise)


def of_gram(K, targets, rounding):
    """Return the spectrum, with U, from A A', (n, n), and v, (n, t)."""
    s, U, noise = roots_and_vectors(K, rounding)
    return Spectrum(U, s, U.T @ targets, noise)


def roots_and_vectors(S, rounding):
    """Return the roots of the eigenvalues of S, decreasing, the eigenvectors, and the noise.

    The roots are at least u times the largest, far below their noise: V'A'v / s does not overflow.
    """
    check_finite(S)
    squares, vectors = np.linalg.eigh(S)  # divide and conquer
    s = np.sqrt(np.maximum(squares[::-1], 0.0))
    return np.maximum(s, EPS * s[0]), vectors[:, ::-1], np.sqrt(rounding) * s[0]


def check_finite(sums):
    """Raise ValueError if sums have overflowed."""
    if not np.isfinite(sums).all():
        raise ValueError("The numbers in X and y are too large to be added up.")


def known(found, alphas):
    """Tell whether s^2 + alpha is more than noise, (r, t)."""
    return (found.values[:, np.newaxis] > found.noise) | (np.sqrt(alphas) > found.noise)


def shrinkage(found, alphas):
    """Return s / (s^2 + alpha) of (1), or 0, (r, t), written so that no square can overflow."""
    s = found.values[:, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known(found, alphas), 1 / (s + alphas / s), 0.0)


def damping(found, alphas):
    """Return alpha / (s^2 + alpha), or 1, (r, t)."""
    squares = np.square(found.values)[:, np.newaxis]
    return np.where(known(found, alphas), 1 / (1 + squares / alphas), 1.0)


def coefficients(found, alphas):
    """Return b of (1), (p, t), for one penalty per target."""
    return found.vectors @ (found.projected * shrinkage(found, alphas))


def is_rough(found, alphas, limit):
    """Tell whether A'A + alpha I, from its eigenvalues, has a condition number above `limit`."""
    if len(found.values) == 0 or not found.noise > 0:
        return False
    squares = np.square(found.values)
    return bool((squares[0] + alphas > limit * (squares[-1] + alphas)).any())


def refined(found, b, alphas, gradient):
    """Return b after (4), with A'(v - A b) as `gradient`."""
    products = found.vectors.T @ (gradient - alphas * b)
    step = found._replace(projected=products / found.values[:, np.newaxis])
    return b + coefficients(step, alphas)
