"""The features that coordinate descent works on: written out, centred, with their Gram matrix.

Problem     Keep z_j = s (x_j - m_j) for the k features of a growing set, so that a sweep over them
            touches nothing else.
Gram        Z'Z makes a sweep cost k products per coefficient that moves, whatever n is, if k is
            below about 2 n (dense), or a few times the number of entries in a column (sparse).
            It is made only once sweeps without it have taken as long as making it would: whether
            few sweeps follow or many, at most twice the time is spent.
Cost        n k m products, in BLAS, for m new features; dense ones are written out in float64.
"""

import numpy as np
from scipy import sparse

from skcourse.core.chunks import for_each_chunk
from skcourse.linear_model.coordinate_descent import Features

ALL_WORK = 2e7  # products of a Gram matrix that nobody notices
NOTHING, FLAT, NO_INDICES = np.empty((0, 0)), np.empty(0), np.empty(0, np.int64)
MOST_GRAM = 4096  # features whose Gram matrix is kept: 128 MB
SMALL_GRAM = 1024  # features whose Gram matrix may be kept, whatever n is


class FeatureSet:
    """What the two kinds share: who is in, and the Gram matrix of the first `n_gram` of them."""

    def __init__(self, columns):
        self.columns = columns
        self.members = np.empty(0, np.int64)
        self.inside = columns.norms == 0  # these never enter
        self.norms = FLAT
        self.gram, self.n_gram = NOTHING, 0

    def __len__(self):
        return len(self.members)

    def worth_sharing(self):
        """Tell if the Gram matrix is there: without it, what another target needs is in the way."""
        return self.n_gram == len(self)

    def outside(self):
        """Return the features that could be added."""
        return np.flatnonzero(~self.inside)

    def add(self, chosen):
        """Add features by their numbers; those that are members already are left out."""
        chosen = chosen[~self.inside[chosen]]
        if len(chosen):
            self.inside[chosen] = True
            before = len(self)
            self.members = np.concatenate([self.members, chosen])
            self.write_out(chosen, before)

    def add_gram(self):
        """Complete the Gram matrix."""
        if self.n_gram < len(self):
            self.gram = enlarged(self.gram, len(self), len(self))
            self.add_products(self.n_gram)
            self.n_gram = len(self)

    def give_gram(self, gram):
        """Add all features at once, with their Gram matrix."""
        self.add(np.arange(len(gram)))
        self.gram = np.ascontiguousarray(gram[np.ix_(self.members, self.members)], dtype=np.float64)
        self.n_gram = len(self)


class DenseSet(FeatureSet):
    """Features of an array; see `FeatureSet`."""

    def __init__(self, columns):
        super().__init__(columns)
        self.rows = np.empty((0, columns.shape[0]))

    def patience(self):
        """Return how many sweeps take as long as what is missing of the Gram matrix."""
        n, k = self.columns.shape[0], len(self)
        if k > min(max(2 * n, SMALL_GRAM), MOST_GRAM):
            return np.inf
        return (k - self.n_gram) // 16 if n * k * k > ALL_WORK else 0

    def write_out(self, chosen, before):
        """Write the columns `chosen` into the rows from `before` on."""
        self.rows = enlarged(self.rows, len(self), self.rows.shape[1])
        new = self.rows[before : len(self)]
        self.columns.gather(chosen, new)
        self.norms = np.concatenate([self.norms, np.einsum("ij,ij->i", new, new)])

    def add_products(self, before):
        """Fill in the rows and columns of the Gram matrix from `before` on."""
        k = len(self)
        new, gram = self.rows[before:k], self.gram

        def part(rows):
            gram[rows, before:k] = self.rows[rows] @ new.T

        products_of_blocks(part, k, new.size)
        gram[before:k, :before] = gram[:before, before:k].T

    def residual(self, Y, w):
        """Return y - Z w."""
        return Y - np.take(w, self.members, axis=1) @ self.rows[: len(self)]

    def shift(self, residual):
        """Return what `State` needs of a sparse residual: nothing."""
        return np.zeros((len(residual), 2))

    def features(self):
        """Return what kernels take."""
        return Features(False, self.norms, self.rows, FLAT, NO_INDICES, NO_INDICES, FLAT, FLAT, 0.0)


class SparseSet(FeatureSet):
    """Features of a CSC matrix, of which `matrix` has the s_i x_ij; see `FeatureSet`."""

    def __init__(self, columns):
        super().__init__(columns)
        self.matrix = sparse.csc_array((columns.shape[0], 0))

    def patience(self):
        """Return how many sweeps take as long as what is missing of the Gram matrix."""
        n, k = self.matrix.shape
        per_column, per_row = self.matrix.nnz / max(k, 1), self.matrix.nnz / n
        if k > min(max(10 * per_column, SMALL_GRAM), MOST_GRAM):
            return np.inf
        if n * k * k <= ALL_WORK:
            return 0
        return int(2 * per_row * (k - self.n_gram) / max(k, 1))

    def write_out(self, chosen, before):
        """Append the columns `chosen`."""
        new = self.columns.gather(chosen)
        self.matrix = sparse.hstack([self.matrix, new], format="csc") if before else new
        self.means = self.columns.means[self.members]
        self.pulls = self.columns.pulls[self.members]
        self.norms = self.columns.norms[self.members]

    def add_products(self, before):
        """Fill in the rows and columns of the Gram matrix from `before` on."""
        k, total = len(self), self.columns.total
        m, u = self.means, self.pulls
        block = (self.matrix.T @ self.matrix[:, before:]).toarray()
        block -= np.outer(u, m[before:]) + np.outer(m, u[before:] - total * m[before:])
        self.gram[:k, before:k] = block
        self.gram[before:k, :before] = block[:before].T

    def residual(self, Y, w):
        """Return y - Z w."""
        w = w[:, self.members]
        shift = w @ self.columns.means[self.members] if len(self) else np.zeros(len(w))
        return Y - (self.matrix @ w.T).T + shift[:, np.newaxis] * self.columns.roots

    def shift(self, residual):
        """Return what `State` needs: no shift yet, and <s, r>."""
        return np.column_stack([np.zeros(len(residual)), residual @ self.columns.roots])

    def features(self):
        """Return what kernels take."""
        A, total = self.matrix, self.columns.total
        arrays = (A.data, A.indices.astype(np.int64), A.indptr.astype(np.int64))
        return Features(True, self.norms, NOTHING, *arrays, self.means, self.pulls, total)


def enlarged(array, n_rows, n_columns):
    """Return an array with at least so many rows and columns that begins with `array`."""
    if array.shape[0] >= n_rows and array.shape[1] >= n_columns:
        return array
    square = array.shape[1] < n_columns
    n_rows += n_rows // 4  # there will be more
    larger = np.empty((n_rows, n_rows if square else n_columns))
    larger[: array.shape[0], : array.shape[1]] = array
    return larger


def products_of_blocks(part, k, row_work):
    """Call `part(rows)` for blocks of `k` rows that cost `row_work` products each, on threads."""
    if k * row_work <= 2 * 10**7:
        part(slice(0, k))
    else:
        for_each_chunk(part, k, row_bytes=max(1, 2**20 * row_work // (5 * 10**7)), min_rows=16)
