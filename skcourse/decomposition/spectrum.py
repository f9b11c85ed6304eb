"""Principal axes from a small matrix: a scatter, a triangle, or rows that are few.

Problem     With A the rows about their mean, of shape (n, p), find its singular values s_i and
            its right singular vectors v_i, the principal axes:
                A = U diag(s) V'                                                      (1)
Scatter     A'A = V diag(s^2) V'. Fast for n >> p, and the leading k alone cost a third; but the
            squares lose whatever is below 1e-8 s_1.                                  (2)
Triangle    A = Q R and R = U_R diag(s) V': orthogonal throughout, small s_i are kept.  (3)
Few rows    A' = Q R, R = U_R diag(s) V_R': the axes are Q U_R, A V = V_R diag(s).      (4)
Cost        (2) n p^2 + 4/3 p^3 to 9 p^3 products;  (3) 2 n p^2 + about 20 p^3;  (4) as (3) with
            n and p exchanged.
Reference   G. Golub, C. Van Loan, Matrix Computations, 4th ed., sections 8.3 and 8.6.
"""

import contextlib
from typing import NamedTuple

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from skcourse.core.chunks import one_blas_thread
from skcourse.core.linalg import FLOOR

EPS = np.finfo(np.float64).eps
FEW = 5  # the leading p / 5 eigenvectors are found alone in less time than all together
SMALL = 128  # up to here, calls cost more than products
SHORT = 1e-3  # of the longest axis: one that squares know to 1e-10, or better
LARGE = 512**3  # products from which the decomposition itself deserves all threads of BLAS


class Spectrum(NamedTuple):
    """Singular values and principal axes of centred rows; all float64."""

    values: np.ndarray  # s_i, (q,), decreasing
    axes: np.ndarray  # v_i, the rows of (r, p), r <= q
    size: float  # |A|, of which the sum of all s_i^2 is the square
    rounding: float  # an s_i is rounding up to this times s_1, and v_i then means nothing
    scores: np.ndarray | None = None  # A V, (n, r), where they come for free


def of_scatter(S, k):
    """Return the spectrum from the scatter matrix by (2), of at least the `k` leading axes."""
    p = len(S)
    with blas_for(p**3):
        if is_partial(p, k):
            leading = (p - k, p - 1)
            squares, V = linalg.eigh(S, subset_by_index=leading, driver="evr", check_finite=False)
        else:
            squares, V = np.linalg.eigh(S)
    s = np.sqrt(squares[::-1].clip(min=0.0))
    return Spectrum(s, V.T[::-1], np.sqrt(max(np.trace(S), 0.0)), np.sqrt(p * EPS))


def of_squares(S, k):
    """Return the spectrum of the `k` leading axes by (2); None where squares lose their digits."""
    if not FLOOR < np.trace(S) < np.inf:
        return None
    found = of_scatter(S, k)
    return found if found.values[k - 1] > SHORT * found.values[0] else None


def is_partial(p, k):
    """Tell whether the `k` leading axes alone are found in less time than all `p`."""
    return p > SMALL and 0 < FEW * k <= p


def of_triangle(R, q):
    """Return the spectrum of `q` values by (3); those beyond the rows of R are 0."""
    if len(R) < q:
        R = np.vstack([R, np.zeros((q - len(R), R.shape[1]))])
    with blas_for(R.size * len(R)):
        _, s, Vt = np.linalg.svd(R, full_matrices=False)
    return Spectrum(s, Vt, linalg.norm(s), max(R.shape) * EPS)


def of_few_rows(A, k):
    """Return the spectrum of the `k` leading axes by (4), and the scores; A is overwritten.

    Parameters
    ----------
    A : array of shape (n, p), n <= p, C-contiguous, float64
    k : int
    """
    n, p = A.shape
    with blas_for(n * n * p):
        reflected, tau, _, _ = lapack.dgeqrf(A.T, lwork=64 * n, overwrite_a=True)
        U, s, Vt = np.linalg.svd(np.triu(reflected[:n]))
        axes = np.zeros((p, k), order="F")
        axes[:n] = U[:, :k]
        axes = lapack.dormqr("L", "N", reflected, tau, axes, 64 * max(k, 1), overwrite_c=True)[0]
    return Spectrum(s, axes.T, linalg.norm(s), p * EPS, Vt[:k].T * s[:k])


def completed(axes, k):
    """Return `k` orthonormal rows, the first of them `axes`, (r, p), which alone decide the others.

    Each new row is what the others leave of that unit vector of which they leave most.
    """
    r, p = axes.shape
    rows = np.empty((k, p))
    rows[:r] = axes
    left = 1 - np.sum(np.square(axes), axis=0)  # squared lengths
    with one_blas_thread():
        for j in range(r, k):
            row = np.zeros(p)
            row[np.argmax(left)] = 1.0
            for _ in range(2):  # twice is enough
                row -= (rows[:j] @ row) @ rows[:j]
                row /= np.linalg.norm(row)
            rows[j] = row
            left -= np.square(row)
    return rows


def remaining(squares, k, q, total):
    """Return the sum of s_{k+1}^2 .. s_q^2, if need be from the total of all squares."""
    if len(squares) >= q:
        return np.sum(squares[k:q])
    return max(total - np.sum(squares[:k]), 0.0)


def blas_for(products):
    """Hold BLAS to one thread unless there is work for more: small matrices only wait for it.

    Above the limit the last bits depend on the threads that BLAS is allowed, as BLAS does.
    """
    return contextlib.nullcontext() if products > LARGE else one_blas_thread()
