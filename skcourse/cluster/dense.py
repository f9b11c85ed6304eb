"""The rows of a k-means problem as an array: every pass over them, chunk by chunk.

The rows are never copied whole: they are centred in the tile or in the sum where they are used.
`skcourse.cluster.sparse` has the same methods for the rows of a sparse matrix.
"""

import numpy as np

from skcourse.cluster import assignment, elkan
from skcourse.cluster.assignment import add_row
from skcourse.cluster.bounds import margin
from skcourse.cluster.statistics import Stats, count_row
from skcourse.core import distances
from skcourse.core.chunks import add, chunk_slices, reduce_blocks
from skcourse.core.distances import (
    BLOCK,
    TILE,
    U,
    add_squares,
    fill,
    nearest,
    new_tile,
    prepare,
    squared_distances,
)
from skcourse.core.kernel import kernel

ROWS_PER_CLUSTER = 32  # in a chunk, at least: its (k, d) sums should cost less than its products

FEW = 8  # rows are not worth a tile
WIDE = 128  # from this many features on, a distance costs more than a look at its bound


@kernel
def add_rows(X, weights, origin, labels, stats):
    """Add all rows to the statistics of their clusters."""
    for i in range(X.shape[0]):
        z = labels[i]
        w = np.float64(weights[i]) if len(weights) else 1.0
        add_row(X[i], origin, stats.sums[z], w)
        count_row(stats, z, w, 1.0, 0.0)


@kernel
def column_moments(X, weights, mean, squares):
    """Write the mean of each column and the sum of squared deviations, float64 (d,) each.

    Returns
    -------
    total : float, the sum of the weights
    """
    total = 0.0
    for i in range(X.shape[0]):
        w = np.float64(weights[i]) if len(weights) else 1.0
        total += w
        for f in range(X.shape[1]):
            mean[f] += w * X[i, f]
    for f in range(X.shape[1]):
        mean[f] /= total if total > 0 else 1.0
    for i in range(X.shape[0]):
        w = np.float64(weights[i]) if len(weights) else 1.0
        for f in range(X.shape[1]):
            t = X[i, f] - mean[f]
            squares[f] += w * t * t
    return total


@kernel
def weighted_squares(X, weights, origin):
    """Return sum_i w_i |x_i - origin|^2."""
    total = 0.0
    for i in range(X.shape[0]):
        square = 0.0
        for f in range(X.shape[1]):
            t = np.float64(X[i, f]) - np.float64(origin[f])
            square += t * t
        total += square * weights[i]
    return total


@kernel
def distances_to_own(X, centers, labels, out):
    """Write |x_i - c_{z_i}|^2 into `out`, float64 (n,)."""
    for i in range(X.shape[0]):
        z = labels[i]
        square = 0.0
        for f in range(X.shape[1]):
            t = np.float64(X[i, f]) - np.float64(centers[z, f])
            square += t * t
        out[i] = square


@kernel
def keep_nearer(old, squares, weights, out):
    """Write min(old_i, squares_i) into `out`, (n,), and return its weighted sum."""
    total = 0.0
    if len(weights):
        for i in range(out.shape[0]):
            nearer = squares[i] if squares[i] < old[i] else old[i]
            out[i] = nearer
            total += np.float64(weights[i]) * np.float64(nearer)
    else:
        for i in range(out.shape[0]):
            nearer = squares[i] if squares[i] < old[i] else old[i]
            out[i] = nearer
            total += np.float64(nearer)
    return total


@kernel
def approach(X, weights, centers, nearby, current, start, potentials):
    """For each candidate m, write min(nearby[current], |x_i - c_m|^2) into another row of `nearby`.

    Parameters
    ----------
    X, weights : rows from `start` on
    centers : Centers, the candidates
    nearby : array of shape (1 + n_candidates, n)
    potentials : float64 array of shape (n_candidates,), increased by the weighted sums
    """
    tile = new_tile(centers.points)
    rows = np.empty(int(TILE), np.uint32)
    for first_row in range(0, X.shape[0], int(TILE)):
        width = min(int(TILE), X.shape[0] - first_row)
        for i in range(width):
            rows[i] = first_row + i
        fill(tile, X, rows[:width], centers.origin)
        here = slice(start + first_row, start + first_row + width)
        old, few = nearby[current, here], weights[first_row : first_row + width]
        for m in range(potentials.shape[0]):
            if m % BLOCK == 0:
                add_squares(tile, centers.points, U(m), U(width))
            squares = tile.products[m % BLOCK * int(TILE) :]
            row = nearby[m if m < current else m + 1, here]
            potentials[m] += keep_nearer(old, squares, few, row)


def merge_moments(a, b):
    """Return (weight, mean, squares) of the rows of `a` and `b` together (Chan et al., 1983)."""
    total, d = a[0] + b[0], b[1] - a[1]
    share = b[0] / total if total > 0 else 0.0
    return total, a[1] + d * share, a[2] + b[2] + d * d * (a[0] * share)


class DenseRows:
    """Rows x_i, (n, d), float32 or float64, C-contiguous, perhaps on disk, with weights or None."""

    def __init__(self, X, weights=None):
        self.X = read_only(X)
        self.weights = read_only(weights) if weights is not None else np.empty(0, X.dtype)
        self.shape, self.dtype = X.shape, X.dtype
        self.total_weight = float(X.shape[0] if weights is None else np.sum(weights, dtype=float))

    def slices(self, n_clusters=1):
        """Cut the rows into chunks, by the shape of the problem alone."""
        n, d = self.shape
        return chunk_slices(
            n, d * self.dtype.itemsize, min_rows=max(256, ROWS_PER_CLUSTER * n_clusters)
        )

    def part(self, rows):
        """Return a slice of the rows and their weights."""
        return np.asarray(self.X[rows]), self.weights[rows]

    def moments(self):
        """Return the mean and the variance of each column, float64."""

        def part(rows):
            mean, squares = np.zeros((2, self.shape[1]))
            return column_moments(*self.part(rows), mean, squares), mean, squares

        total, mean, squares = over(part, self.slices(), merge_moments)
        return mean, squares / total

    def squares(self, origin, mean, variance):
        """Return sum_i w_i |x_i - origin|^2, given the moments of the columns."""
        if len(self.weights) == 0:
            return self.shape[0] * float(np.sum(variance + (mean - origin) ** 2))
        return over(lambda rows: weighted_squares(*self.part(rows), origin), self.slices())

    def n_bounds(self, n_clusters):
        """Return how many bounds to keep for each row: one per centre if that pays, or none."""
        wide = self.shape[1] >= max(WIDE, 2 * n_clusters)
        return -(-n_clusters // elkan.LANES) * elkan.LANES if wide and n_clusters > 1 else 0

    def assign(self, centers, motion, state, totals):
        """Update `state` to the centres, and the statistics to the state; return n_moved."""

        engine = elkan if state.each.shape[1] else assignment

        def part(rows, stats):
            X, weights = self.part(rows)
            return engine.assign(X, weights, centers, motion, state.part(rows), stats)

        return assign_chunks(part, self.slices(len(totals.weights)), totals)

    def sums(self, labels, n_clusters, origin):
        """Return the statistics of the clusters that `labels` describe, made anew."""

        def part(rows):
            stats = Stats.zeros(n_clusters, self.shape[1])
            add_rows(*self.part(rows), origin, labels[rows], stats)
            return stats

        return over(part, self.slices(n_clusters))

    def distances_to_own(self, centers, labels):
        """Return |x_i - c_{z_i}|^2, float64 (n,); the centres are in the units of X."""
        out = np.empty(self.shape[0])
        over(
            lambda rows: distances_to_own(self.part(rows)[0], centers, labels[rows], out[rows]),
            self.slices(),
            forget,
        )
        return out

    def inertia(self, centers, labels):
        """Return sum_i w_i |x_i - c_{z_i}|^2; the centres are in the units of X."""

        def part(rows):
            X, weights = self.part(rows)
            return distances.inertia(X, centers, labels[rows], weights)

        return over(part, self.slices())

    def label(self, centers):
        """Return the label of the nearest centre of each row, int32 (n,)."""
        labels = np.empty(self.shape[0], np.int32)
        if self.shape[0] <= FEW and self.dtype == centers.dtype:
            m = margin(self.shape[1], self.dtype)
            if assignment.nearest_of_few(np.asarray(self.X), read_only(centers), m, labels):
                return labels
        padded = self.prepared(centers)
        over(
            lambda rows: nearest(self.part(rows)[0], padded, labels[rows]),
            self.slices(len(centers)),
            forget,
        )
        return labels

    def distances(self, centers):
        """Return |x_i - c_j|, (n, k), of the dtype of X."""
        if self.shape[0] <= FEW and self.dtype == centers.dtype:
            out = np.empty((self.shape[0], len(centers)), self.dtype)
            assignment.distances_of_few(np.asarray(self.X), read_only(centers), out)
            return out
        out = self.squared_distances(centers)
        return np.sqrt(out, out=out)

    def squared_distances(self, centers):
        """Return |x_i - c_j|^2, (n, k), of the dtype of X."""
        out = np.empty((self.shape[0], len(centers)), self.dtype)
        padded = prepare(centers.astype(np.float64), np.zeros(self.shape[1], self.dtype))
        over(
            lambda rows: squared_distances(self.part(rows)[0], padded, len(centers), out[rows]),
            self.slices(len(centers)),
            forget,
        )
        return out

    def prepared(self, centers):
        """Return centres in the units of X as the kernels want them."""
        origin = self.origin_of(centers)
        return prepare(centers - origin.astype(np.float64), origin)

    def approach(self, candidates, nearby, current):
        """Bring each row nearer to a centre, by every candidate on its own.

        Parameters
        ----------
        candidates : array of shape (m, d)
        nearby : array of shape (1 + m, n), dtype of X
            Row `current` holds the squared distance to the nearest centre so far. The others are
            overwritten, in order, with what it would be with one candidate more.
        current : int

        Returns
        -------
        potentials : float64 array of shape (n_chunks, m), the weighted sums over each of `slices()`
        """
        padded = prepare(candidates.astype(np.float64), np.zeros(self.shape[1], self.dtype))
        slices = self.slices()
        potentials = np.zeros((len(slices), len(candidates)))

        def part(block):
            number, rows = block
            X, weights = self.part(rows)
            approach(X, weights, padded, nearby, current, rows.start, potentials[number])

        over(part, list(enumerate(slices)), forget)
        return potentials

    def take(self, i):
        """Return row i, or the rows of an array i, as a dense array."""
        return np.array(self.X[i])

    def weight_of(self, members):
        """Return the sum of w_i over an array of rows."""
        if len(self.weights) == 0:
            return float(len(members))
        return float(np.sum(self.weights[members], dtype=np.float64))

    def origin_at(self, mean):
        """Return what to centre the rows at, (d,), dtype of X, given their mean."""
        return mean.astype(self.dtype)

    def centred(self, origin):
        """Return a copy of the rows less `origin`."""
        return np.asarray(self.X) - origin

    @staticmethod
    def origin_of(centers):
        """Return what to centre rows and centres at, (d,), when only the centres are known.

        That is the centre in the midst of the others. Their mean might be far from all rows, drawn
        there by one centre that is far from all others, and scores would lose their digits.
        """
        away = centers - np.median(centers, axis=0)
        return centers[np.argmin(np.einsum("jf,jf->j", away, away, dtype=np.float64))]


def assign_chunks(part, slices, totals):
    """Call part(rows, stats) for all slices, add what it puts into `stats` to `totals`."""
    if len(slices) == 1:
        return part(slices[0], totals)

    def change(rows):
        stats = Stats.zeros(*totals.sums.shape)
        n_moved = part(rows, stats)
        return stats, n_moved

    stats, n_moved = reduce_blocks(change, slices)
    add(totals, stats)
    return n_moved


def over(part, blocks, combine=add):
    """Return `reduce_blocks` of these; a single block needs no threads, and no look at BLAS."""
    return part(blocks[0]) if len(blocks) == 1 else reduce_blocks(part, blocks, combine)


def forget(total, part):
    """Combine results that are not needed: the blocks wrote where they should."""


def read_only(array):
    """Return a view that cannot be written: kernels then compile for one kind of array only."""
    view = array.view()
    view.flags.writeable = False
    return view
