"""Sparse rows as a linear operator, on threads: for iterations that multiply blocks of vectors.

Problem     For X of few entries, (n, p), and blocks of b vectors,
                X Q:  row i is  sum_j x_ij q_j                                        (1)
                X'Y:  row j is  sum_i x_ij y_i                                        (2)
            With the entries of X by rows and, in a copy, by columns, both are (1): each row is
            computed by one thread, from the first entry to the last, whichever thread it is.
Weights     A row of weight w counts as w^(1/2) x: A = W^(1/2) X.
Cost        2 b products for each entry.
"""

from itertools import pairwise

import numpy as np
from scipy.sparse.linalg import LinearOperator

from skcourse.core.chunks import reduce_blocks
from skcourse.core.kernel import kernel

CHUNK = 2**17  # entries whose products are computed at a time


@kernel
def rows_times(data, indices, indptr, Q, first, out):
    """Write (1) to `out`, (m, b), for the rows from `first` on; Q is (p, b)."""
    width = Q.shape[1]
    for i in range(len(out)):
        start, stop = indptr[first + i], indptr[first + i + 1]
        if width == 1:  # in a register, which the loop over c would not find
            alone = np.float64(0.0)
            for e in range(start, stop):
                alone += data[e] * Q[indices[e], 0]
            out[i, 0] = alone
            continue
        for c in range(width):
            out[i, c] = 0.0
        for e in range(start, stop):
            value, j = data[e], indices[e]
            for c in range(width):
                out[i, c] += value * Q[j, c]


def product(X, Q):
    """Return X Q by (1), (n, b), float64.

    Parameters
    ----------
    X : CSR matrix of shape (n, p), float32 or float64
    Q : array of shape (p, b)
    """
    arrays = [read_only(array) for array in (X.data, X.indices, X.indptr)]
    Q = read_only(np.ascontiguousarray(Q, dtype=np.float64))
    out = np.empty((X.shape[0], Q.shape[1]))

    def part(rows):
        rows_times(*arrays, Q, rows.start, out[rows])

    reduce_blocks(part, slices_of_entries(X.indptr), lambda total, part: None)
    return out


def slices_of_entries(indptr):
    """Cut rows into slices of about `CHUNK` entries."""
    n_chunks = max(1, round(int(indptr[-1]) / CHUNK))
    inner = np.searchsorted(indptr, np.linspace(0, indptr[-1], n_chunks + 1)[1:-1])
    edges = np.unique(np.concatenate([[0], inner, [len(indptr) - 1]]))
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def read_only(array):
    """Return a view that cannot be written to: so all input is of one type to numba."""
    view = array.view()
    view.flags.writeable = False
    return view


class SparseRows(LinearOperator):
    """A = W^(1/2) X: `@` and `.T @`, with the same bits on any number of threads.

    Parameters
    ----------
    X : sparse matrix of shape (n, p), float32 or float64
    weights : array of shape (n,) or None
    """

    sparse = True

    def __init__(self, X, weights=None):
        super().__init__(np.dtype(np.float64), X.shape)
        self.X, self.columns = X.tocsr(), X.T.tocsr()
        self.roots = None if weights is None else np.sqrt(weights, dtype=np.float64)[:, np.newaxis]

    def round_trip(self, Q, out):
        """Write A Q to `out`, (n, b), and return A'A Q, (p, b)."""
        out[:] = self._matmat(Q)
        return self._rmatmat(out)

    def _matmat(self, Q):
        AQ = product(self.X, Q)
        return AQ if self.roots is None else AQ * self.roots

    def _rmatmat(self, Y):
        return product(self.columns, Y if self.roots is None else Y * self.roots)

    def _matvec(self, q):
        return self._matmat(q.reshape(-1, 1))[:, 0]

    def _rmatvec(self, y):
        return self._rmatmat(y.reshape(-1, 1))[:, 0]
