"""What solvers ask of rows about their mean, beyond products: see `core.centred_rows`.

Formulas    With A = W^(1/2) (X - 1 m') and v = W^(1/2) r, not written out,
                A'(v - A B),   the gradient of least squares at B,                            (1)
                |A_i|^2 = w_i (|x_i|^2 - 2 <x_i, m> + |m|^2).                                 (2)
Nearness    Taking m from a product X v, not from X, is quicker, and loses no more digits than |m|
            has over the spread of the rows. Where that is less than NEAR, dense rows do as sparse
            ones always must.
Cost        4 n p products for a column of (1), in one pass over X.
"""

import numpy as np

from skcourse.core import centred_rows
from skcourse.core.chunks import for_each_chunk, sum_over_chunks

NEAR = 1e3  # |m| over the root of the total variance
FAR = 1e3  # distance of a column from 0, in standard deviations, that costs digits
LOOKED_AT = 256  # rows that tell


def weighted_mean(X, weights=None):
    """Return sum w_i x_i / sum w_i, float64, of shape (p,); X is dense or sparse."""
    if not isinstance(X, np.ndarray):
        w = np.ones(X.shape[0]) if weights is None else np.asarray(weights, np.float64)
        return np.asarray(X.T @ w) / w.sum()

    def part(rows):
        block = np.asarray(X[rows])
        if weights is None:
            return float(len(block)), block.sum(axis=0, dtype=np.float64)
        return float(weights[rows].sum(dtype=np.float64)), weights[rows].astype(float) @ block

    total, sums = sum_over_chunks(part, len(X), row_bytes=X.itemsize * X.shape[1])
    return sums / total


def is_near(X, mean):
    """Tell whether the rows of dense X spread widely enough about their mean."""

    def part(rows):
        block = np.asarray(X[rows]).ravel()
        return float(block @ block)

    squares = sum_over_chunks(part, len(X), row_bytes=X.itemsize * X.shape[1]) / len(X)
    distance = float(mean @ mean)
    return bool(distance <= NEAR**2 * (squares - distance))


def far_origin(X):
    """Return a row amid X, float64, if columns lie so far from 0 that squares lose digits.

    None if they do not, or if X is sparse.
    """
    if not isinstance(X, np.ndarray):
        return None
    some = X[:: max(1, len(X) // LOOKED_AT)].astype(np.float64)
    origin = some[np.argsort(some, axis=0)[len(some) // 2], np.arange(X.shape[1])]
    spread = np.abs(some - origin).mean(axis=0)
    return origin if np.any((np.abs(origin) > FAR * spread) & (spread > 0)) else None


class CentredRows(centred_rows.CentredRows):
    """A, and (1) and (2).

    Parameters
    ----------
    X, mean, weights : see `core.centred_rows.CentredRows`
    near : bool, default=False
        Whether the mean of dense X may be taken from products.
    """

    def __init__(self, X, mean, weights=None, *, near=False):
        super().__init__(X, mean, weights)
        self.sparse = not isinstance(X, np.ndarray)  # or an operator, known by its products too
        self.near = near

    def _matmat(self, Q):
        if not self.near:
            return super()._matmat(Q)
        product = np.empty((self.shape[0], Q.shape[1]))
        shift = self.mean @ Q

        def part(rows):
            block = np.subtract(np.asarray(self.X[rows]) @ Q, shift, out=product[rows])
            if self.roots is not None:
                block *= self.roots[rows]

        for_each_chunk(part, self.shape[0], row_bytes=8 * self.shape[1])
        return product

    def _rmatmat(self, Y):
        if not self.near:
            return super()._rmatmat(Y)
        Y = Y if self.roots is None else Y * self.roots
        product = sum_over_chunks(
            lambda rows: Y[rows].T @ np.asarray(self.X[rows]),
            self.shape[0],
            row_bytes=8 * self.shape[1],
        ).T
        return product - np.outer(self.mean, Y.sum(axis=0))

    def squared_norms(self):
        """Return (2), of shape (n,)."""
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
        """Return (1), (p, k); r, `residuals`, is of shape (n, k)."""
        if self.sparse:
            v = residuals if self.roots is None else residuals * self.roots
            return self.rmatmat(v - self.matmat(B))

        def part(rows):
            block = self.block(rows)
            v = residuals[rows] if self.roots is None else residuals[rows] * self.roots[rows]
            return block.T @ (v - block @ B)

        return sum_over_chunks(part, self.shape[0], row_bytes=8 * self.shape[1])
