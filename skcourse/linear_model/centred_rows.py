"""What the ridge solvers ask of rows about their mean, beyond products: see `core.centred_rows`.

Formulas    With A = W^(1/2) (X - 1 m') and v = W^(1/2) r, not written out,
                A'(v - A B),   the gradient of least squares at B,                            (1)
                |A_i|^2 = w_i (|x_i|^2 - 2 <x_i, m> + |m|^2).                                 (2)
Cost        4 n p products for a column of (1), in one pass over X.
"""

import numpy as np
from scipy import sparse

from skcourse.core import centred_rows
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


class CentredRows(centred_rows.CentredRows):
    """A, and (1) and (2)."""

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
        """Return (1), (p, k), where X is dense; r, `residuals`, is of shape (n, k)."""

        def part(rows):
            block = self.block(rows)
            v = residuals[rows] if self.roots is None else residuals[rows] * self.roots[rows]
            return block.T @ (v - block @ B)

        return sum_over_chunks(part, self.shape[0], row_bytes=8 * self.shape[1])
