"""Lloyd's first half for rows in an array: the nearest centre of each row that bounds leave open.

Problem     z_i = argmin_j |x_i - c_j|^2, the lowest j of equals
Method      The rows that fail the test of `bounds` are gathered into tiles, and each tile is
            compared with all centres. Rows that change their cluster change the sums.
"""

import numpy as np

from skcourse.cluster.bounds import sharpen_rows, widen
from skcourse.cluster.statistics import count_row
from skcourse.core.distances import TILE, U, fill, new_tile, search
from skcourse.core.kernel import kernel


@kernel
def add_row(x, origin, sums, factor):
    """Add factor (x - origin) to `sums`, (d,)."""
    for f in range(x.shape[0]):
        sums[f] += factor * (np.float64(x[f]) - np.float64(origin[f]))


@kernel
def relabel(X, weights, origin, i, z, size, state, stats):
    """Give row i, |x_i - origin| + scale = `size`, the label z instead of the one it has."""
    a = state.labels[i]
    state.labels[i] = z
    w = np.float64(weights[i]) if len(weights) else 1.0
    add_row(X[i], origin, stats.sums[z], w)
    count_row(stats, z, w, 1.0, size)
    if a >= 0:
        add_row(X[i], origin, stats.sums[a], -w)
        count_row(stats, a, w, -1.0, size)


@kernel
def relabel_rows(X, weights, origin, scale, tile, rows, state, stats):
    """Give the first rows of a tile, `rows`, the labels found for them."""
    for t in range(rows.shape[0]):
        size = np.sqrt(np.float64(tile.norms[t])) + scale
        relabel(X, weights, origin, rows[t], tile.labels[t], size, state, stats)


@kernel
def assign(X, weights, centers, motion, state, stats):
    """Give each row the label of its nearest centre, and `stats` what changes; return n_moved."""
    suspects = np.empty(X.shape[0], np.uint32)
    n_suspects = widen(motion, state, suspects)
    tile, origin = new_tile(centers.points), centers.origin
    n_moved = 0
    for start in range(0, n_suspects, int(TILE)):
        rows = suspects[start : min(start + int(TILE), n_suspects)]
        fill(tile, X, rows, origin)
        search(tile, centers.points, centers.half_norms, U(rows.shape[0]))
        n_new = sharpen_rows(tile, rows, state, motion.margin)
        relabel_rows(X, weights, origin, motion.scale, tile, rows[:n_new], state, stats)
        n_moved += n_new
    return n_moved


@kernel
def nearest_of_few(X, centers, margin, labels):
    """Label rows by their differences from the centres, without the preparation of a tile.

    The origin of a tile, one of the centres, is no farther from a row than the farthest of them,
    which stands for |x| in (3) of `bounds`.

    Returns
    -------
    sure : bool, whether these are the labels that tiles would give
    """
    for i in range(X.shape[0]):
        row, z = X[i], 0
        lowest, second, largest = np.inf, np.inf, 0.0
        for j in range(centers.shape[0]):
            center, total = centers[j], row[0] - row[0]
            for f in range(row.shape[0]):
                t = row[f] - center[f]
                total += t * t
            square = np.float64(total)
            largest = max(largest, square)
            if square < lowest:
                z, lowest, second = j, square, lowest
            elif square < second:
                second = square
        labels[i] = z
        if not (second * (1.0 - margin) > lowest * (1.0 + margin) + margin * largest):
            return False
    return True


@kernel
def distances_of_few(X, centers, out):
    """Write |x_i - c_j| into `out`, (n, k), without the preparation of a tile."""
    for i in range(X.shape[0]):
        row = X[i]
        for j in range(centers.shape[0]):
            center, total = centers[j], row[0] - row[0]
            for f in range(row.shape[0]):
                t = row[f] - center[f]
                total += t * t
            out[i, j] = np.sqrt(total)
