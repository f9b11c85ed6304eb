"""The rows of a k-means problem as a sparse matrix: the methods of `skcourse.cluster.dense`.

Rows are not centred, which would fill them. The products of a row with all centres are sums of rows
of C', one per entry that is not zero, and each such sum runs over neighbouring centres.
"""

from typing import NamedTuple

import numpy as np

from skcourse.cluster.bounds import sharpen, widen
from skcourse.cluster.dense import assign_chunks, forget, over, read_only
from skcourse.cluster.statistics import Stats, count_row
from skcourse.core.chunks import chunk_slices
from skcourse.core.distances import prepare
from skcourse.core.kernel import kernel

ROWS_PER_CLUSTER = 32


class Csr(NamedTuple):
    """Rows of a matrix in compressed form; `pointers` count from the start of the whole."""

    data: np.ndarray  # the entries that are not zero
    columns: np.ndarray  # their columns, int32 or int64
    pointers: np.ndarray  # the entries of row i are pointers[i] .. pointers[i + 1], (n + 1,)


@kernel
def products(X, i, across, out):
    """Write <x_i, c_j> into `out`, (k',); `across` is C', (d, k'). Return |x_i|^2."""
    for j in range(out.shape[0]):
        out[j] = 0
    norm = 0.0
    for e in range(X.pointers[i], X.pointers[i + 1]):
        x, centers = X.data[e], across[X.columns[e]]
        norm += np.float64(x) * np.float64(x)
        for j in range(out.shape[0]):
            out[j] += x * centers[j]
    return norm


@kernel
def two_lowest(half_norms, products):
    """Return argmin_j, the lowest of equals, and the two least |c_j|^2 / 2 - <x, c_j>."""
    z, lowest, second = 0, np.inf, np.inf
    for j in range(products.shape[0]):
        s = np.float64(half_norms[j] - products[j])
        if s < lowest:
            z, lowest, second = j, s, lowest
        elif s < second:
            second = s
    return z, lowest, second


@kernel
def add_row(X, i, sums, factor):
    """Add factor x_i to `sums`, (d,)."""
    for e in range(X.pointers[i], X.pointers[i + 1]):
        sums[X.columns[e]] += factor * X.data[e]


@kernel
def assign(X, weights, across, half_norms, motion, state, stats):
    """Give each row the label of its nearest centre, and `stats` what changes; return n_moved."""
    suspects = np.empty(state.labels.shape[0], np.uint32)
    n_suspects = widen(motion, state, suspects)
    out = np.empty(across.shape[1], across.dtype)
    n_moved = 0
    for t in range(n_suspects):
        i = suspects[t]
        norm = products(X, i, across, out)
        z, lowest, second = two_lowest(half_norms, out)
        sharpen(state.upper, state.lower, i, norm, lowest, second, motion.margin)
        a = state.labels[i]
        if z != a:
            state.labels[i] = z
            n_moved += 1
            w = np.float64(weights[i]) if len(weights) else 1.0
            size = np.sqrt(norm) + motion.scale
            add_row(X, i, stats.sums[z], w)
            count_row(stats, z, w, 1.0, size)
            if a >= 0:
                add_row(X, i, stats.sums[a], -w)
                count_row(stats, a, w, -1.0, size)
    return n_moved


@kernel
def add_rows(X, weights, labels, stats):
    """Add all rows to the statistics of their clusters."""
    for i in range(labels.shape[0]):
        z = labels[i]
        w = np.float64(weights[i]) if len(weights) else 1.0
        add_row(X, i, stats.sums[z], w)
        count_row(stats, z, w, 1.0, 0.0)


@kernel
def nearest(X, across, half_norms, labels):
    """Write the label of the nearest centre of each row into `labels`, int32 (n,)."""
    out = np.empty(across.shape[1], across.dtype)
    for i in range(labels.shape[0]):
        products(X, i, across, out)
        labels[i] = two_lowest(half_norms, out)[0]


@kernel
def squared_distance(X, i, center, norm):
    """Return |x_i - c|^2 = |c|^2 + sum over the entries of (x - c)^2 - c^2, at least 0."""
    total = norm
    for e in range(X.pointers[i], X.pointers[i + 1]):
        c = np.float64(center[X.columns[e]])
        t = X.data[e] - c
        total += t * t - c * c
    return max(total, 0.0)


@kernel
def distances_to_own(X, centers, norms, labels, out):
    """Write |x_i - c_{z_i}|^2 into `out`, float64 (n,)."""
    for i in range(labels.shape[0]):
        out[i] = squared_distance(X, i, centers[labels[i]], norms[labels[i]])


@kernel
def squared_distances(X, centers, norms, out):
    """Write |x_i - c_j|^2 into `out`, (n, k)."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = squared_distance(X, i, centers[j], norms[j])


@kernel
def approach(X, weights, points, norms, nearby, current, start, potentials):
    """As `dense.approach`, of the candidates `points`, float64 (m, d)."""
    current_row = nearby[current]
    for m in range(potentials.shape[0]):
        row = nearby[m if m < current else m + 1]
        for i in range(X.pointers.shape[0] - 1):
            w = np.float64(weights[i]) if len(weights) else 1.0
            square = squared_distance(X, i, points[m], norms[m])
            nearest = min(current_row[start + i], square)
            row[start + i] = nearest
            potentials[m] += w * nearest


@kernel
def column_squares(X, weights, mean, squares, filled):
    """Add w_i (x - mean)^2 over the stored entries to `squares`, and w_i to `filled`, (d,) each."""
    for i in range(X.pointers.shape[0] - 1):
        w = np.float64(weights[i]) if len(weights) else 1.0
        for e in range(X.pointers[i], X.pointers[i + 1]):
            f = X.columns[e]
            t = X.data[e] - mean[f]
            squares[f] += w * t * t
            filled[f] += w


@kernel
def weighted_squares(X, weights):
    """Return sum_i w_i |x_i|^2."""
    total = 0.0
    for i in range(X.pointers.shape[0] - 1):
        square = 0.0
        for e in range(X.pointers[i], X.pointers[i + 1]):
            square += np.float64(X.data[e]) ** 2
        total += square * weights[i]
    return total


class SparseRows:
    """Rows of a CSR matrix, float32 or float64, with weights or None."""

    def __init__(self, X, weights=None):
        self.X = X
        self.csr = Csr(read_only(X.data), read_only(X.indices), read_only(X.indptr))
        self.weights = read_only(weights) if weights is not None else np.empty(0, X.dtype)
        self.shape, self.dtype = X.shape, X.dtype
        self.total_weight = float(X.shape[0] if weights is None else np.sum(weights, dtype=float))

    def slices(self, n_clusters=1):
        """Cut the rows into chunks, by the shape of the problem and the number of entries."""
        n = self.shape[0]
        row_bytes = (self.dtype.itemsize + 4) * self.X.nnz // n
        return chunk_slices(n, row_bytes, min_rows=max(256, ROWS_PER_CLUSTER * n_clusters))

    def part(self, rows):
        """Return a slice of the rows and their weights."""
        data, columns, pointers = self.csr
        return Csr(data, columns, pointers[rows.start : rows.stop + 1]), self.weights[rows]

    def moments(self):
        """Return the mean and the variance of each column, float64."""
        total = self.total_weight
        if len(self.weights):
            sums = self.X.T @ self.weights.astype(np.float64)
        else:
            sums = np.asarray(self.X.sum(axis=0, dtype=np.float64)).ravel()
        mean = sums / total
        squares, filled = np.zeros((2, self.shape[1]))
        column_squares(self.csr, self.weights, mean, squares, filled)
        return mean, (squares + (total - filled) * mean**2) / total

    def squares(self, origin, mean, variance):
        """Return sum_i w_i |x_i|^2, given the moments of the columns."""
        if len(self.weights) == 0:
            return self.shape[0] * float(np.sum(variance + mean**2))
        return over(lambda rows: weighted_squares(*self.part(rows)), self.slices())

    def n_bounds(self, n_clusters):
        """Return 0: a bound per centre would outgrow the rows."""
        return 0

    def assign(self, centers, motion, state, totals):
        """Update `state` to the centres, and the statistics to the state; return n_moved."""
        k, d = totals.sums.shape
        across = np.ascontiguousarray(centers.points[:, :d].T)

        def part(rows, stats):
            X, weights = self.part(rows)
            half_norms = centers.half_norms
            return assign(X, weights, across, half_norms, motion, state.part(rows), stats)

        return assign_chunks(part, self.slices(k), totals)

    def sums(self, labels, n_clusters, origin):
        """Return the statistics of the clusters that `labels` describe, made anew."""

        def part(rows):
            stats = Stats.zeros(n_clusters, self.shape[1])
            add_rows(*self.part(rows), labels[rows], stats)
            return stats

        return over(part, self.slices(n_clusters))

    def distances_to_own(self, centers, labels):
        """Return |x_i - c_{z_i}|^2, float64 (n,)."""
        out, norms = np.empty(self.shape[0]), squared_norms(centers)
        over(
            lambda rows: distances_to_own(
                self.part(rows)[0], centers, norms, labels[rows], out[rows]
            ),
            self.slices(),
            forget,
        )
        return out

    def inertia(self, centers, labels):
        """Return sum_i w_i |x_i - c_{z_i}|^2."""
        squares = self.distances_to_own(centers, labels)
        return float(squares @ self.weights if len(self.weights) else squares.sum())

    def label(self, centers):
        """Return the label of the nearest centre of each row, int32 (n,)."""
        labels = np.empty(self.shape[0], np.int32)
        padded = prepare(centers.astype(np.float64), np.zeros(centers.shape[1], centers.dtype))
        across = np.ascontiguousarray(padded.points[:, : centers.shape[1]].T)
        over(
            lambda rows: nearest(self.part(rows)[0], across, padded.half_norms, labels[rows]),
            self.slices(),
            forget,
        )
        return labels

    def distances(self, centers):
        """Return |x_i - c_j|, (n, k), of the dtype of X."""
        out = self.squared_distances(centers)
        return np.sqrt(out, out=out)

    def squared_distances(self, centers):
        """Return |x_i - c_j|^2, (n, k), of the dtype of X."""
        out, norms = np.empty((self.shape[0], len(centers)), self.dtype), squared_norms(centers)
        over(
            lambda rows: squared_distances(self.part(rows)[0], centers, norms, out[rows]),
            self.slices(),
            forget,
        )
        return out

    def approach(self, candidates, nearby, current):
        """See `DenseRows.approach`."""
        points = candidates.astype(np.float64)
        norms = squared_norms(points)
        slices = self.slices()
        potentials = np.zeros((len(slices), len(points)))

        def part(block):
            number, rows = block
            X, weights = self.part(rows)
            approach(X, weights, points, norms, nearby, current, rows.start, potentials[number])

        over(part, list(enumerate(slices)), forget)
        return potentials

    def take(self, i):
        """Return row i, or the rows of an array i, as a dense array."""
        taken = self.X[np.atleast_1d(i)].toarray()
        return taken if np.ndim(i) else taken[0]

    def weight_of(self, members):
        """Return the sum of w_i over an array of rows."""
        if len(self.weights) == 0:
            return float(len(members))
        return float(np.sum(self.weights[members], dtype=np.float64))

    def origin_at(self, mean):
        """Return 0: sparse rows are not centred."""
        return np.zeros(len(mean), self.dtype)

    def centred(self, origin):
        """Return the rows, which are not centred."""
        return self.X

    @staticmethod
    def origin_of(centers):
        """Return 0: sparse rows are not centred."""
        return np.zeros(centers.shape[1], centers.dtype)


def squared_norms(centers):
    """Return |c_j|^2, float64 (k,)."""
    return np.einsum("jf,jf->j", centers, centers, dtype=np.float64)
