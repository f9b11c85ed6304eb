"""The rows of a k-means problem as an array in which NaN stands for what was not observed.

Problem     With O_i the features that row i has, place centres so that the inertia is least:
                J(c, z) = sum_i w_i sum_{f in O_i} (x_if - c_{z_i f})^2                       (1)
Iteration   Both halves of Lloyd's lower J, as they do where nothing is missing:
                z_i = argmin_j sum_{f in O_i} (x_if - c_jf)^2                                 (2)
                c_jf = mean of the x_if with z_i = j and f in O_i                             (3)
            Where no row of a cluster has feature f, J does not depend on c_jf: it is the mean of
            the column. Completing each row by its centre and taking the means of all rows leads to
            (3) as well, step by step, and is known as k-POD.
Method      With m_if = 1 if f is in O_i, else 0, and x_if = 0 where it is 0, (2) needs no more than
            the products of rows of twice the length:
                |x_i - c_j|^2 = |x_i|^2 - 2 (<x_i, c_j> + <m_i, -c_j^2 / 2>)                  (4)
Cost        2 n k d products per iteration.
Reference   J. Chi, E. Chi, R. Baraniuk, k-POD: a method for k-means clustering of missing data,
            The American Statistician, 2016.

A centre has every feature. One that is taken from a row has the means of the columns where the row
has nothing.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite

from skcourse.cluster.bounds import margin, sharpen_rows, widen
from skcourse.cluster.dense import DenseRows, forget, over, read_only
from skcourse.cluster.statistics import Stats, count_row
from skcourse.core.chunks import chunk_slices
from skcourse.core.distances import TILE, Centers, U, new_tile, prepare, search
from skcourse.core.kernel import kernel


@kernel
def add_seen_moments(X, weights, total, mean, squares):
    """Write weight, mean and sum of squared deviations of what each column has, float64 (d,)."""
    for i in range(X.shape[0]):
        w = np.float64(weights[i]) if len(weights) else 1.0
        for f in range(X.shape[1]):
            x = np.float64(X[i, f])
            is_seen = x == x
            total[f] += w if is_seen else 0.0
            mean[f] += w * x if is_seen else 0.0
    for f in range(X.shape[1]):
        mean[f] /= total[f] if total[f] > 0 else 1.0
    for i in range(X.shape[0]):
        w = np.float64(weights[i]) if len(weights) else 1.0
        for f in range(X.shape[1]):
            t = np.float64(X[i, f]) - mean[f]
            squares[f] += w * t * t if t == t else 0.0


@kernel
def add_seen_rows(X, weights, origin, labels, stats):
    """Add up, for each cluster, w_i (x_if - origin_f) and then w_i over what its rows have.

    Both are in `stats.sums`, (k, 2 d).
    """
    d = X.shape[1]
    for i in range(X.shape[0]):
        w = np.float64(weights[i]) if len(weights) else 1.0
        sums = stats.sums[labels[i]]
        for f in range(d):
            t = np.float64(X[i, f]) - np.float64(origin[f])
            is_seen = t == t
            sums[f] += w * t if is_seen else 0.0
            sums[d + f] += w if is_seen else 0.0
        count_row(stats, labels[i], w, 1.0, 0.0)


@kernel
def seen_square(x, center):
    """Return sum_{f in O} (x_f - c_f)^2."""
    total = 0.0
    for f in range(x.shape[0]):
        t = np.float64(x[f]) - np.float64(center[f])
        total += t * t if t == t else 0.0
    return total


@kernel
def squares_to_own(X, centers, labels, out):
    """Write the square of each row and its centre into `out`, float64 (n,)."""
    for i in range(X.shape[0]):
        out[i] = seen_square(X[i], centers[labels[i]])


@kernel
def squares_to_all(X, centers, out):
    """Write the squares of all rows and centres into `out`, (n, k)."""
    for i in range(X.shape[0]):
        for j in range(centers.shape[0]):
            out[i, j] = seen_square(X[i], centers[j])


@kernel
def approach(X, weights, points, nearby, current, start, potentials):
    """As `dense.approach`, of the candidates `points`, float64 (m, d)."""
    before = nearby[current]
    for m in range(points.shape[0]):
        row = nearby[m if m < current else m + 1]
        for i in range(X.shape[0]):
            w = np.float64(weights[i]) if len(weights) else 1.0
            row[start + i] = min(np.float64(before[start + i]), seen_square(X[i], points[m]))
            potentials[m] += w * row[start + i]


@kernel
def fill_seen(tile, X, rows, origin):
    """Put x_i - origin, then m_i of (4), i in `rows`, into `tile` as columns, and |x_i|^2."""
    d, width = U(X.shape[1]), U(rows.shape[0])
    for i in range(width):
        tile.norms[i] = 0
    for f in range(d):
        seen, at, shift = (d + f) * TILE, f * TILE, origin[f]
        for i in range(width):
            t = X[rows[i], f] - shift
            is_seen = t == t
            tile.columns[at + i] = t if is_seen else 0
            tile.columns[seen + i] = 1 if is_seen else 0
            tile.norms[i] += t * t if is_seen else 0


@kernel
def nearest_seen(X, centers, labels):
    """Write z_i of (2) into `labels`, int32 (n,); `centers` are those of `lifted`."""
    tile = new_tile(centers.points)
    rows = np.empty(int(TILE), np.uint32)
    for start in range(0, X.shape[0], int(TILE)):
        width = min(int(TILE), X.shape[0] - start)
        for i in range(width):
            rows[i] = start + i
        fill_seen(tile, X, rows[:width], centers.origin)
        search(tile, centers.points, centers.half_norms, U(width))
        for i in range(width):
            labels[start + i] = tile.labels[i]


@kernel
def assign(X, centers, motion, state):
    """Give each row the label (2) of `lifted` centres, if it may have a new one; return n_moved."""
    suspects = np.empty(X.shape[0], np.uint32)
    n_suspects = widen(motion, state, suspects)
    tile = new_tile(centers.points)
    n_moved = 0
    for start in range(0, n_suspects, int(TILE)):
        rows = suspects[start : min(start + int(TILE), n_suspects)]
        fill_seen(tile, X, rows, centers.origin)
        search(tile, centers.points, centers.half_norms, U(rows.shape[0]))
        n_new = sharpen_rows(tile, rows, state, motion.margin)
        for t in range(n_new):
            state.labels[rows[t]] = tile.labels[t]
        n_moved += n_new
    return n_moved


def lifted(points, origin):
    """Return centres relative to the origin, float64 (k, d), as (4) wants them: c_j, -c_j^2 / 2."""
    long = prepare(np.hstack([points, -(points**2) / 2]), np.zeros(2 * len(origin), origin.dtype))
    norms = np.full(len(long.points), np.inf, origin.dtype)
    norms[: len(points)] = 0
    return Centers(long.points, norms, origin)


def merge_seen_moments(a, b):
    """Return the moments of the rows of `a` and `b` together, column by column."""
    total, shift = a[0] + b[0], b[1] - a[1]
    share = b[0] / np.maximum(total, np.finfo(float).tiny)
    return total, a[1] + shift * share, a[2] + b[2] + shift * shift * (a[0] * share)


class MissingRows(DenseRows):
    """Rows x_i, (n, d), float32 or float64, C-contiguous, with NaN, and with weights or None."""

    def moments(self):
        """Return the mean and the variance of what each column has, float64; NaN for nothing."""

        def part(rows):
            total, mean, squares = np.zeros((3, self.shape[1]))
            add_seen_moments(*self.part(rows), total, mean, squares)
            return total, mean, squares

        self.seen, self.means, squares = over(part, self.slices(), merge_seen_moments)
        return self.means, squares / self.seen

    def squares(self, origin, mean, variance):
        """Return sum_i w_i |x_i - origin|^2 over what is observed, given the moments."""
        return float(np.sum(self.seen * (variance + (mean - origin) ** 2)))

    def sums(self, labels, n_clusters, origin):
        """Return the statistics of the clusters, of rows that are completed by their means (3)."""

        def part(rows):
            stats = Stats.zeros(n_clusters, 2 * self.shape[1])
            add_seen_rows(*self.part(rows), origin, labels[rows], stats)
            return stats

        stats = over(part, self.slices(n_clusters))
        sums, seen = np.hsplit(stats.sums, 2)
        usual = np.broadcast_to(self.means - origin, sums.shape)
        means = np.divide(sums, seen, out=usual.copy(), where=seen > 0)
        return stats._replace(sums=means * stats.weights[:, np.newaxis])

    def assign(self, centers, motion, state):
        """Update `state` to the centres, and return n_moved.

        The bounds of `skcourse.cluster.bounds` hold for the features that a row has: there, no
        centre is farther from another than in all features. But it may be nearer: `motion.gap`
        has to be 0.
        """
        k, d = len(motion.drift), self.shape[1]
        centers = lifted(centers.points[:k, :d].astype(np.float64), centers.origin)
        return over(
            lambda rows: assign(self.part(rows)[0], centers, motion, state.part(rows)),
            self.slices(k),
        )

    def margin(self):
        """Return m of `skcourse.cluster.bounds` for products of twice the length.

        Beside <x, c>, the squares of c are rounded as they are added up, hence twice as much.
        """
        return 2 * margin(2 * self.shape[1], self.dtype)

    def distances_to_own(self, centers, labels):
        """Return what row i adds to (1) for a weight of 1, float64 (n,)."""
        out, centers = np.empty(self.shape[0]), read_only(centers)
        over(
            lambda rows: squares_to_own(self.part(rows)[0], centers, labels[rows], out[rows]),
            self.slices(),
            forget,
        )
        return out

    def inertia(self, centers, labels):
        """Return (1)."""
        squares = self.distances_to_own(centers, labels)
        return float(np.sum(squares * self.weights if len(self.weights) else squares))

    def label(self, centers):
        """Return (2), the lowest of equals, int32 (n,)."""
        labels = np.empty(self.shape[0], np.int32)
        origin = self.origin_of(centers)
        centers = lifted(centers - origin.astype(np.float64), origin)
        over(
            lambda rows: nearest_seen(self.part(rows)[0], centers, labels[rows]),
            self.slices(len(centers.points)),
            forget,
        )
        return labels

    def squared_distances(self, centers):
        """Return sum_{f in O_i} (x_if - c_jf)^2, (n, k), of the dtype of X."""
        out, centers = np.empty((self.shape[0], len(centers)), self.dtype), read_only(centers)
        over(
            lambda rows: squares_to_all(self.part(rows)[0], centers, out[rows]),
            self.slices(len(centers)),
            forget,
        )
        return out

    def distances(self, centers):
        """Return the distances as `sklearn.metrics.nan_euclidean_distances`, (n, k).

        Those over the features that a row has are made longer by sqrt(d / number of these).
        """
        out = np.sqrt(self.squared_distances(centers))
        d, n_seen = self.shape[1], np.count_nonzero(~np.isnan(self.X), axis=1)
        return out * np.sqrt(d / n_seen).astype(self.dtype)[:, np.newaxis]

    def approach(self, candidates, nearby, current):
        """See `DenseRows.approach`."""
        points, slices = read_only(candidates.astype(np.float64)), self.slices()
        potentials = np.zeros((len(slices), len(points)))

        def part(block):
            number, rows = block
            X, weights = self.part(rows)
            approach(X, weights, points, nearby, current, rows.start, potentials[number])

        over(part, list(enumerate(slices)), forget)
        return potentials

    def take(self, i):
        """Return row i, or the rows of an array i, with the means of the columns for NaN."""
        taken = np.array(self.X[i])
        return np.where(np.isnan(taken), self.means.astype(self.dtype), taken)


def has_missing(X, estimator):
    """Tell whether X has NaN, by its sum first.

    Raises
    ------
    ValueError
        scikit-learn's, for infinity, and for NaN in a sparse X; or if a row has nothing but NaN.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.add.reduce(X.data if sp.issparse(X) else X, axis=None)):
            return False
        name = type(estimator).__name__
        is_dense = not sp.issparse(X)
        assert_all_finite(X, allow_nan=is_dense, input_name="X", estimator_name=name)
    if not is_dense:
        return False
    found = False
    for rows in chunk_slices(X.shape[0], X.shape[1] * X.itemsize):
        missing = np.isnan(X[rows])
        found |= bool(missing.any())
        unseen = rows.start + np.flatnonzero(missing.all(axis=1))
        if len(unseen):
            raise ValueError(
                f"{name} cannot place samples without any value: "
                f"X has only NaN in row(s) {', '.join(map(str, unseen[:10]))}."
            )
    return found
