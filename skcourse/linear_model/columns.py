"""The columns of a regression, centred and weighted, without writing them out.

Problem     With weights w_i = s_i^2 and means m_j, coordinate descent walks over the columns of
                z_ij = s_i (x_ij - m_j).                                                         (1)
            A sparse fit needs few of them. X is therefore left as it is, by rows or by columns,
            float32 or float64, sparse or dense; what is read of it is
                all products  <z_j, r> = sum_i (x_ij - m_j) s_i r_i,                             (2)
                those columns of (1) that are asked for.
            Entries are centred before they are multiplied: nothing cancels, however far from 0
            a column lies.
Cost        One pass over X for (2), whatever its order: a thread sums up rows, or has columns of
            its own.
"""

import numpy as np
from scipy import sparse

from skcourse.core.chunks import CHUNK_BYTES, for_each_chunk, sum_over_chunks
from skcourse.core.kernel import kernel
from skcourse.core.validation import check_finite_sums

MIN_ROWS = 64  # of a chunk
AT_ONCE = 2**22  # bytes for one thread at a time
LINE = 8  # samples gathered at a time: float64 in a line of memory
NONE = np.empty(0)


@kernel
def look_by_rows(X, weights, rows, sums, squares):
    """Add w_i d_ij to `sums`, w_i d_ij^2 to `squares`, d_ij = x_ij - x_0j, for a range of i."""
    first, last = rows
    x, four = X[0], last - (last - first) % 4
    for i in range(first, four, 4):  # four rows at a time, since sums must be fetched and stored
        w1 = weights[i] if len(weights) else 1.0
        w2 = weights[i + 1] if len(weights) else 1.0
        w3 = weights[i + 2] if len(weights) else 1.0
        w4 = weights[i + 3] if len(weights) else 1.0
        x1, x2, x3, x4 = X[i], X[i + 1], X[i + 2], X[i + 3]
        for j in range(len(x)):
            origin = np.float64(x[j])
            d1, d2, d3, d4 = x1[j] - origin, x2[j] - origin, x3[j] - origin, x4[j] - origin
            sums[j] += (w1 * d1 + w2 * d2) + (w3 * d3 + w4 * d4)
            squares[j] += (w1 * d1 * d1 + w2 * d2 * d2) + (w3 * d3 * d3 + w4 * d4 * d4)
    for i in range(four, last):
        w = weights[i] if len(weights) else 1.0
        x1 = X[i]
        for j in range(len(x)):
            d = x1[j] - np.float64(x[j])
            sums[j] += w * d
            squares[j] += w * d * d


@kernel
def look_by_columns(XT, weights, columns, sums, squares):
    """Do as `look_by_rows` does; XT is the transpose."""
    for j in range(columns[0], columns[1]):
        total, square, first = 0.0, 0.0, np.float64(XT[j, 0])
        for i in range(XT.shape[1]):
            d = np.float64(XT[j, i]) - first
            w = weights[i] if len(weights) else 1.0
            total += w * d
            square += w * d * d
        sums[j] += total
        squares[j] += square


@kernel
def products_by_rows(X, means, V, rows, out):
    """Add (x_ij - m_j) v_ti for a range of i to `out`, (t, p): (2) with v = s r."""
    first, last = rows
    four = last - (last - first) % 4
    for i in range(first, four, 4):  # four rows at a time, since sums must be fetched and stored
        x1, x2, x3, x4 = X[i], X[i + 1], X[i + 2], X[i + 3]
        for t in range(V.shape[0]):
            total = out[t]
            v1, v2, v3, v4 = V[t, i], V[t, i + 1], V[t, i + 2], V[t, i + 3]
            for j in range(len(means)):
                m = means[j]
                d = (x1[j] - m) * v1 + (x2[j] - m) * v2
                total[j] += d + ((x3[j] - m) * v3 + (x4[j] - m) * v4)
    for i in range(four, last):
        x1 = X[i]
        for t in range(V.shape[0]):
            v, total = V[t, i], out[t]
            for j in range(len(means)):
                total[j] += (x1[j] - means[j]) * v


@kernel
def products_by_columns(XT, means, V, columns, out):
    """Do as `products_by_rows` does; XT is the transpose."""
    for j in range(columns[0], columns[1]):
        m = means[j]
        for t in range(V.shape[0]):
            total = 0.0
            for i in range(XT.shape[1]):
                total += (XT[j, i] - m) * V[t, i]
            out[t, j] += total


@kernel
def products_sparse(data, indices, starts, V, columns, out):
    """Add x_ij v_ti over i to `out`, (t, p), for a range of j of a CSC matrix."""
    for j in range(columns[0], columns[1]):
        for t in range(V.shape[0]):
            total = 0.0
            for e in range(starts[j], starts[j + 1]):
                total += np.float64(data[e]) * V[t, indices[e]]
            out[t, j] += total


@kernel
def look_sparse(data, indices, starts, weights, means, columns, squares):
    """Add w_i (x_ij - m_j)^2 to `squares` for a range of j of a CSC matrix.

    `weights` has n entries; the rows that store nothing add what is left of them times m_j^2.
    """
    whole = 0.0
    for i in range(len(weights)):
        whole += weights[i]
    for j in range(columns[0], columns[1]):
        total, seen, m = 0.0, 0.0, means[j]
        for e in range(starts[j], starts[j + 1]):
            d, w = np.float64(data[e]) - m, weights[indices[e]]
            total += w * d * d
            seen += w
        squares[j] += total + max(whole - seen, 0.0) * m * m


@kernel
def gather_rows(X, means, roots, chosen, rows, out):
    """Write (1) for the features `chosen` into the rows of `out`, for a range of samples."""
    for begin in range(rows[0], rows[1], LINE):
        end = min(begin + LINE, rows[1])
        for f in range(len(chosen)):
            j, m = chosen[f], means[chosen[f]]
            for i in range(begin, end):
                s = roots[i] if len(roots) else 1.0
                out[f, i] = s * (X[i, j] - m)


@kernel
def gather_columns(XT, means, roots, chosen, rows, out):
    """Do as `gather_rows` does; XT is the transpose."""
    for f in range(len(chosen)):
        m = means[chosen[f]]
        for i in range(rows[0], rows[1]):
            s = roots[i] if len(roots) else 1.0
            out[f, i] = s * (XT[chosen[f], i] - m)


def each_range(part, n, n_bytes, least):
    """Call `part((first, last))` for ranges of 0 .. n - 1, on threads if there are many bytes."""
    if n_bytes <= AT_ONCE:
        part((0, n))
    else:
        row_bytes = n_bytes * CHUNK_BYTES // (AT_ONCE * n)
        for_each_chunk(lambda r: part((r.start, r.stop)), n, row_bytes=row_bytes, min_rows=least)


def read_only(array):
    """Return a view that cannot be written to: kernels are compiled for such arrays only."""
    view = array.view()
    view.flags.writeable = False
    return view


class DenseColumns:
    """(1) of an array.

    Parameters
    ----------
    X : array of shape (n, p), float32 or float64, C- or F-contiguous
    weights : array of shape (n,) or None
    centre : bool
    estimator : estimator, default=None, for messages

    Raises
    ------
    ValueError
        scikit-learn's, if X holds NaN or infinity.
    """

    def __init__(self, X, weights=None, *, centre=True, estimator=None):
        self.X, self.shape, self.is_sparse = X, X.shape, False
        self.by_rows = X.flags.c_contiguous
        self.array = read_only(X if self.by_rows else X.T)
        self.weights = NONE if weights is None else np.asarray(weights, dtype=np.float64)
        self.roots = np.sqrt(self.weights)
        total = self.weights.sum() if weights is not None else float(len(X))
        with np.errstate(over="ignore", invalid="ignore"):
            self.means, self.norms = self.look(total, centre)
        check_finite_sums(self.norms, X, estimator=estimator)

    def look(self, total, centre):
        """Return the means m, zeros unless `centre`, and |z_j|^2."""
        p = self.shape[1]
        sums, squares = self.over_all(
            look_by_rows if self.by_rows else look_by_columns, (self.weights,), (p,), (p,)
        )
        first = self.X[0].astype(np.float64)
        if not centre:
            return np.zeros(p), np.maximum(squares + 2 * first * sums + total * first**2, 0.0)
        means = first + sums / total
        return means, np.maximum(squares - sums**2 / total, 0.0)

    def over_all(self, kernel_, arguments, *shapes):
        """Return sums of these shapes, to which `kernel_` adds what is in a range of X."""
        n = len(self.array)

        def part(first, last, sums):
            kernel_(self.array, *arguments, (first, last), *sums)
            return sums

        if self.X.nbytes <= AT_ONCE:
            return part(0, n, tuple(map(np.zeros, shapes)))
        row_bytes = self.X.nbytes // n * CHUNK_BYTES // AT_ONCE
        if self.by_rows:  # each chunk has its own sums
            return sum_over_chunks(
                lambda rows: part(rows.start, rows.stop, tuple(map(np.zeros, shapes))),
                n,
                row_bytes=row_bytes,
                min_rows=MIN_ROWS,
            )
        sums = tuple(map(np.zeros, shapes))
        for_each_chunk(
            lambda columns: part(columns.start, columns.stop, sums),
            n,
            row_bytes=row_bytes,
            min_rows=1,
        )
        return sums

    def products(self, R):
        """Return (2) for r, the rows of R, (t, n): of shape (t, p)."""
        V = R * self.roots if len(self.roots) else R
        kernel_ = products_by_rows if self.by_rows else products_by_columns
        return self.over_all(kernel_, (self.means, V), (len(R), self.shape[1]))[0]

    def gather(self, chosen, out):
        """Write (1) of the features `chosen`, an int64 array, into the rows of `out`."""
        kernel_ = gather_rows if self.by_rows else gather_columns

        def part(rows):
            kernel_(self.array, self.means, self.roots, chosen, rows, out)

        each_range(part, self.shape[0], 8 * out.size, MIN_ROWS)


class SparseColumns:
    """(1) of a CSC matrix; see `DenseColumns`. `means` may be given."""

    def __init__(self, X, weights=None, *, centre=True, means=None, estimator=None):
        self.X, self.shape, self.is_sparse = X, X.shape, True
        n, p = X.shape
        self.parts = tuple(map(read_only, (X.data, X.indices, X.indptr)))
        self.weights = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
        self.roots = np.sqrt(self.weights)
        self.total = self.weights.sum()
        self.means = np.zeros(p)
        with np.errstate(over="ignore", invalid="ignore"):
            self.pulls = self.sums(self.weights[np.newaxis])[0]
            if means is not None:
                self.means = np.asarray(means, dtype=np.float64)
            elif centre:
                self.means = self.pulls / self.total
            self.norms = np.zeros(p)
            self.each(
                lambda columns: look_sparse(
                    *self.parts, self.weights, self.means, columns, self.norms
                )
            )
        check_finite_sums(self.norms, X, estimator=estimator)

    def each(self, part):
        """Call `part(columns)` with ranges (first, last) of columns, on threads."""
        each_range(part, self.shape[1], 12 * self.X.nnz, 1)

    def sums(self, V):
        """Return sum_i x_ij v_ti."""
        out = np.zeros((len(V), self.shape[1]))
        self.each(lambda columns: products_sparse(*self.parts, V, columns, out))
        return out

    def products(self, R):
        """Return (2) for r, the rows of R, (t, n): of shape (t, p)."""
        V = R * self.roots
        return self.sums(V) - V.sum(axis=1, keepdims=True) * self.means

    def gather(self, chosen):
        """Return s_i x_ij of the features `chosen` as a CSC matrix of float64."""
        part = self.X if len(chosen) == self.shape[1] else self.X[:, chosen]
        data = part.data * self.roots[part.indices]
        return sparse.csc_array((data, part.indices, part.indptr), shape=part.shape)


def columns_of(X, weights=None, *, centre=True, means=None, estimator=None):
    """Return the columns of X, dense or CSC; `means` are for sparse X only."""
    if sparse.issparse(X):
        return SparseColumns(X, weights, centre=centre, means=means, estimator=estimator)
    return DenseColumns(X, weights, centre=centre, estimator=estimator)
