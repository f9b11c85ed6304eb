"""The rows about their mean, as a linear operator that is never written out.

Problem     With m the weighted mean of the rows of X, many methods work on
                A = W^(1/2) (X - 1 m')                                                (1)
            A is as large as X, and dense where X is sparse. Iterations need no more than
                A Q = W^(1/2) (X Q - 1 m'Q)                                           (2)
                A'Y = X' W^(1/2) Y - m (1' W^(1/2) Y)                                 (3)
            Where X is dense, a chunk at a time is centred by (1), in cache, which cancels nothing
            however far m is from 0; (2) and (3) are for sparse X.
Cost        2 n p products a column, or twice the stored entries. `round_trip`, A'A Q, reads X once.
"""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from skcourse.core.chunks import for_each_chunk, sum_over_chunks

TILE = 64  # rows that are centred at a time: a matrix product asks for no more, the cache for less


class CentredRows(LinearOperator):
    """A of (1): `@` and `.T @`, on threads where X is dense, with the same bits on any number.

    Parameters
    ----------
    X : {array, sparse matrix} of shape (n, p), float32 or float64; a memmap is read chunk by chunk
    mean : array of shape (p,), float64; None, where X is dense, means about the origin
    weights : array of shape (n,) or None
    """

    def __init__(self, X, mean, weights=None):
        super().__init__(np.dtype(np.float64), X.shape)
        self.sparse = sparse.issparse(X)
        self.X = X.astype(np.float64, copy=False) if self.sparse else X
        self.mean = mean
        self.roots = None if weights is None else np.sqrt(weights, dtype=np.float64)[:, np.newaxis]

    def block(self, rows, out=None):
        """Return the rows of A in a slice, where X is dense."""
        if self.mean is not None:
            block = np.subtract(self.X[rows], self.mean, out=out, dtype=np.float64)
        elif self.roots is None and self.X.dtype == np.float64:
            return self.X[rows]
        else:
            block = np.add(self.X[rows], 0.0, out=out, dtype=np.float64)
        if self.roots is not None:
            block *= self.roots[rows]
        return block

    def tiles(self, rows):
        """Yield slices of a few of the rows, and these rows of A, in an array used again."""
        buffer = np.empty((min(TILE, rows.stop - rows.start), self.shape[1]))
        for start in range(rows.start, rows.stop, TILE):
            few = slice(start, min(start + TILE, rows.stop))
            yield few, self.block(few, buffer[: few.stop - start])

    def round_trip(self, Q, out):
        """Write A Q to `out`, (n, b), and return A'A Q, (p, b); X is dense, and read once."""

        def part(rows):
            total, product = np.zeros((2, Q.shape[1], self.shape[1]))
            for few, block in self.tiles(rows):
                out[few] = block @ Q
                total += np.dot(out[few].T, block, out=product)
            return total

        return sum_over_chunks(part, self.shape[0], row_bytes=8 * self.shape[1]).T

    def _matmat(self, Q):
        if self.sparse:
            product = self.X @ Q - self.mean @ Q
            return product if self.roots is None else product * self.roots
        product = np.empty((self.shape[0], Q.shape[1]))

        def part(rows):
            for few, block in self.tiles(rows):
                np.dot(block, Q, out=product[few])

        for_each_chunk(part, self.shape[0], row_bytes=8 * self.shape[1])
        return product

    def _rmatmat(self, Y):
        if self.sparse:
            Y = Y if self.roots is None else Y * self.roots
            return self.X.T @ Y - np.outer(self.mean, Y.sum(axis=0))

        def part(rows):
            total, product = np.zeros((2, Y.shape[1], self.shape[1]))
            for few, block in self.tiles(rows):
                total += np.dot(Y[few].T, block, out=product)
            return total

        return sum_over_chunks(part, self.shape[0], row_bytes=8 * self.shape[1]).T

    def _matvec(self, q):
        return self._matmat(q.reshape(-1, 1))[:, 0]

    def _rmatvec(self, y):
        return self._rmatmat(y.reshape(-1, 1))[:, 0]
