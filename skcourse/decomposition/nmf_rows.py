"""Passes over the rows of X for non-negative factorisation: each row is read once an iteration.

An iteration updates W, row by row, and then needs products of all rows with the new W for the
update of H. Of dense X, both are done for a few rows while these are in cache: a chunk gives its
share of the sums

    X'W, (p, k), and W'W, (k, k)        or, by a divergence,   R'W and S'W, (p, k)             (1)

and these add up in the order of the chunks. Of sparse X, a transposed copy takes the place of the
sums: what is done to the rows of W by those of X is done to the columns of H by those of X'. W H is
made for a few rows at a time, and for sparse X at its entries only; but a divergence other than
Frobenius' and Kullback and Leibler's asks for all of W H, of a few rows.
"""

import numpy as np
import scipy.sparse as sp

from skcourse.core.chunks import add, for_each_chunk, sum_over_chunks
from skcourse.core.dense_chunks import DenseChunks
from skcourse.core.kernel import kernel
from skcourse.decomposition.nmf_losses import EPSILON, divergence, logarithms, ratios, total
from skcourse.decomposition.nmf_products import rows_times

TILE = 2**15  # entries of W H that are made at a time: they stay in cache
AT_ONCE = 2**14  # entries: below, one product on the calling thread


@kernel
def sparse_products(indptr, indices, data, G, out):
    """Write X G, (m, k), for m rows of sparse X: out_i = sum_j x_ij g_j."""
    for i in range(out.shape[0]):
        for f in range(out.shape[1]):
            out[i, f] = 0
        for at in range(indptr[i], indptr[i + 1]):
            x, j = data[at], indices[at]
            for f in range(out.shape[1]):
                out[i, f] += x * G[j, f]


@kernel
def sparse_ratios(rows, F, G, least, R, out):
    """Write r_ij = x_ij / max(<f_i, g_j>, least) at the entries of X, and R G, (m, k).

    Parameters
    ----------
    rows : (indptr, indices, data) of m rows of X, indptr of shape (m + 1,)
    F : array of shape (m, k); G : array of shape (p, k)
    least : float
    R : array, one for each entry of the rows, overwritten
    out : array of shape (m, k), overwritten
    """
    indptr, indices, data = rows
    first = indptr[0]
    for i in range(F.shape[0]):
        for f in range(F.shape[1]):
            out[i, f] = 0
        for at in range(indptr[i], indptr[i + 1]):
            j = indices[at]
            y = np.float64(0)
            for f in range(F.shape[1]):
                y += F[i, f] * G[j, f]
            r = data[at] / max(y, least)
            R[at - first] = r
            for f in range(F.shape[1]):
                out[i, f] += r * G[j, f]


def rows_of(X, beta):
    """Return X as rows for the divergence `beta`."""
    if not sp.issparse(X):
        return DenseRows(X)
    X = X.tocsr()
    return SparseRows(X) if beta in (1, 2) else DenseRows(DenseChunks(X))


class DenseRows:
    """Rows of an array, or of sparse X that are written out a few at a time."""

    def __init__(self, X):
        self.X, self.shape, self.dtype = X, X.shape, X.dtype
        size = X.dtype.itemsize
        self.chunks = {"row_bytes": size * X.shape[1], "min_rows": 64}

    def squares(self):
        """Return |X|^2, float64."""

        def part(rows):
            x = self.X[rows]
            return total(x, x)

        return sum_over_chunks(part, self.shape[0], **self.chunks)

    def products(self, G):
        """Return X G, (n, k)."""
        if self.shape[0] * self.shape[1] <= AT_ONCE:
            return rows_times(self.X[:], np.ascontiguousarray(G.T))
        out, H = np.empty((self.shape[0], G.shape[1]), self.dtype), np.ascontiguousarray(G.T)

        def part(rows):
            out[rows] = rows_times(self.X[rows], H)

        for_each_chunk(part, self.shape[0], **self.chunks)
        return out

    def divergence(self, W, Ht, beta):
        """Return the divergence of X from W H, float64."""

        def part(rows):
            return sum(divergence(x, y, beta) for _, x, y in self.tiles(rows, W, Ht))

        return sum_over_chunks(part, self.shape[0], **self.chunks)

    def tiles(self, rows, W, Ht):
        """Yield a few of the rows at a time: their slice, and those of X and of W H."""
        step = max(8, TILE // self.shape[1])
        buffer = np.empty((min(step, rows.stop - rows.start), self.shape[1]), W.dtype)
        for start in range(rows.start, rows.stop, step):
            few = slice(start, min(start + step, rows.stop))
            y = np.matmul(W[few], Ht.T, out=buffer[: few.stop - start])
            yield few, self.X[few], y

    def round_trip(self, W, Ht, update):
        """Update the rows of W by X H', in place; return (1), and the sum of what `update` returns.

        Parameters
        ----------
        W : array of shape (n, k); Ht : array of shape (p, k)
        update : callable, from rows of W and of X H', which it may overwrite, to a number
        """

        H = np.ascontiguousarray(Ht.T)

        def part(rows):
            x, w = self.X[rows], W[rows]
            value = update(w, rows_times(x, H))
            return wide(x.T @ w), wide(w.T @ w), value

        return sum_over_chunks(part, self.shape[0], **self.chunks)

    def ratio_trip(self, W, Ht, beta, update, *, columns=True):
        """Update the rows of W by R H' and S H', in place; return the sums (1) for `columns`.

        Parameters
        ----------
        W : array of shape (n, k); Ht : array of shape (p, k)
        beta : number other than 2
        update : callable, of rows of W, of R H' and of S H' (None for 1), which it may overwrite

        Returns
        -------
        numerators : array of shape (p, k), R'W
        denominators : array of shape (p, k), S'W; for 1, of shape (k,), the sums of W
        """

        def part(rows):
            sums = None
            for few, x, y in self.tiles(rows, W, Ht):
                w = W[few]
                R, S = ratios(x, y, beta)
                update(w, R @ Ht, None if S is None else S @ Ht)
                if columns:
                    R, S = ratios(x, np.matmul(w, Ht.T, out=y), beta)
                    down = np.sum(w, axis=0, dtype=np.float64) if S is None else wide(S.T @ w)
                    share = wide(R.T @ w), down
                    sums = share if sums is None else add(sums, share)
            return sums

        if not columns:
            return for_each_chunk(part, self.shape[0], **self.chunks)
        return sum_over_chunks(part, self.shape[0], **self.chunks)


class SparseRows:
    """Rows of a CSR matrix, beside its transpose; for the divergences 1 and 2."""

    def __init__(self, X):
        self.X, self.shape, self.dtype = X, X.shape, X.dtype
        self.transpose = None  # made when it is needed

    def down(self):
        """Return X' as CSR."""
        if self.transpose is None:
            self.transpose = self.X.T.tocsr()
        return self.transpose

    def squares(self):
        """Return |X|^2, float64."""
        return float(np.sum(np.square(self.X.data, dtype=np.float64)))

    def products(self, G):
        """Return X G, (n, k)."""
        return products(self.X, G)

    def divergence(self, W, Ht, beta):
        """Return the divergence of X from W H, float64."""
        W, Ht = wide(W), wide(Ht)
        if beta == 2:
            cross = total(W, products(self.X, Ht))
            return max(0.0, (self.squares() + total(W.T @ W, Ht.T @ Ht)) / 2 - cross)

        def part(rows):
            x = self.X.data[self.X.indptr[rows.start] : self.X.indptr[rows.stop]]
            R = ratio_products(self.X, rows, W, Ht)[0]
            return logarithms(x[np.newaxis].astype(np.float64), R[np.newaxis])

        value = sum_over_chunks(part, self.shape[0], row_bytes=row_bytes(self.X, W))
        value += W.sum(axis=0) @ Ht.sum(axis=0)
        return float(value - np.sum(self.X.data, dtype=np.float64))

    def round_trip(self, W, Ht, update):
        """As of dense rows."""

        def part(rows):
            out = np.empty(W[rows].shape)
            some_products(self.X, rows, Ht, out)
            return update(W[rows], out)

        value = sum_over_chunks(part, self.shape[0], row_bytes=row_bytes(self.X, W))
        return products(self.down(), W), gram(W), value

    def ratio_trip(self, W, Ht, beta, update, *, columns=True):
        """As of dense rows, for 1."""

        def across(rows):
            update(W[rows], ratio_products(self.X, rows, W, Ht)[1], None)

        for_each_chunk(across, self.shape[0], row_bytes=row_bytes(self.X, W))
        if not columns:
            return None
        sums, X = np.empty(Ht.shape), self.down()

        def down(features):
            sums[features] = ratio_products(X, features, Ht, W)[1]

        for_each_chunk(down, self.shape[1], row_bytes=row_bytes(X, W))
        return sums, np.sum(W, axis=0, dtype=np.float64)


def row_bytes(X, W):
    """Return about how much of memory a row of sparse X concerns."""
    return 12 * (X.nnz // X.shape[0] + 1) + 8 * W.shape[1]


def products(X, G):
    """Return X G for CSR X, (n, k), in the dtype of G."""
    out = np.empty((X.shape[0], G.shape[1]))

    def part(rows):
        some_products(X, rows, G, out[rows])

    for_each_chunk(part, X.shape[0], row_bytes=row_bytes(X, G))
    return out


def some_products(X, rows, G, out):
    """Write X G for some of the rows of CSR X, a slice."""
    sparse_products(X.indptr[rows.start : rows.stop + 1], X.indices, X.data, G, out)


def ratio_products(X, rows, F, G):
    """Return R at the entries of some rows of CSR X, a slice, and R G for these."""
    indptr = X.indptr[rows.start : rows.stop + 1]
    R = np.empty(indptr[-1] - indptr[0], G.dtype)
    out = np.empty((rows.stop - rows.start, G.shape[1]))
    sparse_ratios((indptr, X.indices, X.data), F[rows], G, EPSILON, R, out)
    return R, out


def gram(F):
    """Return F'F, (k, k), float64."""
    if F.size <= AT_ONCE:
        return wide(F.T @ F)

    def part(rows):
        return wide(F[rows].T @ F[rows])

    return sum_over_chunks(part, len(F), row_bytes=F.itemsize * F.shape[1])


def wide(sums):
    """Return sums over a chunk as float64, in which chunks are added."""
    return sums.astype(np.float64, copy=False)
