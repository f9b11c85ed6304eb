"""Least squares over sparse rows: densified a chunk at a time, or by LSQR.

Routes      Few columns (or rows): a chunk of rows, written out in cache, is a dense chunk, and
            all that dense rows have applies: certificate, centring without cancellation, rank.
            Many of both: LSQR, on the rows about their mean, which are never written out. It
            stops where the residual or the gradient is below a tolerance, and tends to the
            solution of least norm.
Cost        n p min(n, p) products in BLAS, against 4 z per iteration for z stored entries, each
            some ten times dearer, and a few hundred iterations.
Reference   C. Paige, M. Saunders, LSQR, ACM Trans. Mathematical Software, 1982.
"""

import numpy as np
from scipy.sparse.linalg import lsqr

from skcourse.core.chunks import reduce_blocks
from skcourse.linear_model.centred_rows import CentredRows, weighted_mean
from skcourse.linear_model.least_squares import LeastSquares

SMALL = 2000  # a matrix of SMALL x SMALL may always be held
DENSE_WORK = 1e9  # products that nobody notices
LSQR_WORK = 1e4  # products in BLAS that LSQR's work on one stored entry is worth


def worth_densifying(X):
    """Tell which of the two routes is the shorter for a sparse matrix."""
    n, p = X.shape
    return min(n, p) <= SMALL and n * p * min(n, p) <= max(DENSE_WORK, LSQR_WORK * X.nnz)


def iterative_least_squares(rows, tol):
    """Solve by LSQR; `tol` is its `atol` and `btol`.

    Parameters
    ----------
    rows : least_squares.Rows, of a sparse X
    tol : float

    Returns
    -------
    solution : LeastSquares, without rank and singular values
    """
    X, Y, weights = rows.X, rows.Y, rows.weights
    p = X.shape[1]
    mean = np.zeros(p + Y.shape[1])
    if rows.centre:
        mean[:p], mean[p:] = weighted_mean(X, weights), weighted_mean(Y, weights)
    A, B = CentredRows(X, mean[:p], weights), CentredRows(Y, mean[p:], weights)
    targets = B @ np.eye(Y.shape[1])

    def part(j):
        return [lsqr(A, targets[:, j], atol=tol, btol=tol)[0]]

    coefs = reduce_blocks(part, range(Y.shape[1]), n_jobs=rows.n_jobs)
    return LeastSquares(np.stack(coefs, axis=1), mean, None, None, None)
