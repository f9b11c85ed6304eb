"""The rows about their mean, as a linear operator that is never written out.

Problem     Least squares with an intercept and weights is least squares without, on
                A = W^(1/2) (X - 1 m'),   m the weighted mean of the rows of X.               (1)
            A is as large as X, and dense where X is sparse. Iterative solvers need no more than
                A v = W^(1/2) (X v - <m, v>)                                                  (2)
                A' u = X' W^(1/2) u - m sum_i u_i w_i^(1/2)                                   (3)
Cost        2 n p products each, or twice the stored entries. Where X is dense, a chunk at a time
            is centred by (1) in cache, which cancels nothing, however far m is from 0.
Reference   C. Paige, M. Saunders, LSQR, ACM Trans. Mathematical Software, 1982, section 1.
"""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from skcourse.core.chunks import for_each_chunk, sum_over_chunks


def weighted_mean(X, weights=None):
    """Return sum w_i x_i / sum w_i, float64, of shape (p,); X is dense or sparse."""
    if sparse.issparse(X):
        w = np.ones(X.shape[0]) if weights is None else np.asarray(weights, np.float64)
        return np.asarray(X.T @ w) / w.sum()

    def part(rows):
        block = np.asarray(X[rows])
        if weights is None:
            return float(len(block)), block.sum(axis=0, dtype=np.float64)
        return float(weights[rows].sum(dtype=np.float64)), weights[rows].astype(float) @ block

    total, sums = sum_over_chunks(part, len(X), row_bytes=X.itemsize * X.shape[1])
    return sums / total


class CentredRows(LinearOperator):
    """A of (1); `@` and `.T @` are (2) and (3), on threads where X is dense.

    Parameters
    ----------
    X : {array, sparse matrix} of shape (n, p), float32 or float64
    mean : array of shape (p,), float64; zeros for no intercept
    weights : array of shape (n,) or None
    """

    def __init__(self, X, mean, weights=None):
        super().__init__(np.dtype(np.float64), X.shape)
        self.sparse = sparse.issparse(X)
        self.X = X.astype(np.float64, copy=False) if self.sparse else X
        self.mean = mean
        self.roots = None if weights is None else np.sqrt(weights, dtype=np.float64)[:, np.newaxis]

    def block(self, rows):
        """Return the rows of A in a slice, where X is dense."""
        block = np.subtract(self.X[rows], self.mean, dtype=np.float64)
        if self.roots is not None:
            block *= self.roots[rows]
        return block

    def squared_norms(self):
        """Return the squared lengths of the rows of A, of shape (n,)."""
        if self.sparse:
            norms = np.asarray(self.X.multiply(self.X).sum(axis=1)).ravel()
            norms += self.mean @ self.mean - 2 * (self.X @ self.mean)
            return norms if self.roots is None else norms * self.roots[:, 0] ** 2
        norms = np.empty(self.shape[0])

        def part(rows):
            block = self.block(rows)
            np.einsum("ij,ij->i", block, block, out=norms[rows])

        for_each_chunk(part, self.shape[0], row_bytes=8 * self.shape[1])
        return norms

    def normal_residual(self, residuals, B):
        """Return A'(v - A B), (p, k), in one pass, for v = W^(1/2) `residuals`; X is dense."""

        def part(rows):
            block = self.block(rows)
            v = residuals[rows] if self.roots is None else residuals[rows] * self.roots[rows]
            return block.T @ (v - block @ B)

        return sum_over_chunks(part, self.shape[0], row_bytes=8 * self.shape[1])

    def _matmat(self, V):
        if self.sparse:
            product = self.X @ V - self.mean @ V
            return product if self.roots is None else product * self.roots
        product = np.empty((self.shape[0], V.shape[1]))

        def part(rows):
            np.dot(self.block(rows), V, out=product[rows])

        for_each_chunk(part, self.shape[0], row_bytes=8 * self.shape[1])
        return product

    def _rmatmat(self, U):
        if self.sparse:
            U = U if self.roots is None else U * self.roots
            return self.X.T @ U - np.outer(self.mean, U.sum(axis=0))
        return sum_over_chunks(
            lambda rows: self.block(rows).T @ U[rows], self.shape[0], row_bytes=8 * self.shape[1]
        )

    def _matvec(self, v):
        return self._matmat(v.reshape(-1, 1))[:, 0]

    def _rmatvec(self, u):
        return self._rmatmat(u.reshape(-1, 1))[:, 0]
