"""Lloyd's first half for wide rows: a bound for each centre, and distances one by one.

Problem     z_i = argmin_j |x_i - c_j|^2, the lowest j of equals, where one distance costs much
Bounds      b_ij <= |x_i - c_j| for every centre. A move of the centre by s_j lowers it by s_j. Kept is
                B_ij = b_ij + p_j,    p_j = the path of c_j so far, sum of its s_j            (1)
            so that the bounds of a row that the test of `bounds` settles need no change; for the
            label itself, B_ij = inf.
Method      Other rows are read unless all b_ij > u. Then u is made sharp, and each c_j with
            b_ij <= u is looked at, and takes over if it is nearer. Rows whose two nearest centres
            are too close for the precision of a score go to a tile, as all rows do at first: the
            labels are those of `assignment`.
Reference   C. Elkan, Using the triangle inequality to accelerate k-means, ICML, 2003.
"""

import numpy as np

from skcourse.cluster.assignment import relabel
from skcourse.cluster.bounds import OUTWARD, sharpen, widen
from skcourse.core.distances import (
    BLOCK,
    TILE,
    U,
    fill,
    forget_lowest,
    keep_lowest,
    multiply,
    new_tile,
)
from skcourse.core.kernel import kernel


LANES = 16  # bounds that are compared at once; a row has a multiple of it, inf beyond the centres


@kernel
def square_of(x, point):
    """Return |x - c|^2 of two contiguous arrays, in their own precision."""
    total = x[0] - x[0]
    for f in range(x.shape[0]):
        t = x[f] - point[f]
        total += t * t
    return np.float64(total)


@kernel
def least(each, path, lanes):
    """Return min_j (B_j - p_j); leave in `lanes` that of every j with the same j mod 16."""
    for m in range(LANES):
        lanes[m] = np.inf
    for start in range(0, each.shape[0], LANES):
        for m in range(LANES):
            bound = each[start + m] - path[start + m]
            lanes[m] = bound if bound < lanes[m] else lanes[m]
    lowest = np.inf
    for m in range(LANES):
        lowest = min(lowest, lanes[m])
    return lowest


@kernel
def is_settled(motion, state, i, lanes):
    """Tell whether the bounds of all centres settle row i, and raise its common bound."""
    a, u = state.labels[i], np.float64(state.upper[i])
    lowest = least(state.each[i], motion.path, lanes)
    if lowest > state.lower[i]:
        state.lower[i] = lowest * (1.0 - OUTWARD)
    norm = u + motion.norms[a]
    return lowest > needed(u * u, norm * norm, motion.margin)


@kernel
def needed(square, norm, margin):
    """Return how far all centres must be at least if one is at `square`, by (3) of `bounds`."""
    return np.sqrt((square * (1.0 + margin) + margin * norm) / (1.0 - margin))


@kernel
def settle(x, norm, i, points, motion, state, lanes):
    """Find the nearest centre of row i, x = x_i - origin, |x|^2 = norm, and correct its bounds.

    Returns
    -------
    z : int, the label, or -1 if the scores of two centres may be equal but for rounding
    """
    near, far = 1.0 + motion.margin, 1.0 - motion.margin
    each, a = state.each[i], state.labels[i]
    square = square_of(x, points[a])
    enough = needed(square * near, norm, motion.margin)
    lowest = np.inf
    for m in range(LANES):
        if lanes[m] > enough:
            lowest = min(lowest, lanes[m])
            continue
        for j in range(m, each.shape[0], LANES):
            bound = each[j] - motion.path[j]
            if bound <= enough:
                other = square_of(x, points[j])
                bound = np.sqrt(other * far)
                each[j] = (bound + motion.path[j]) * (1.0 - OUTWARD)
                if other < square:
                    bound, square = np.sqrt(square * far), other
                    each[a] = (bound + motion.path[a]) * (1.0 - OUTWARD)
                    each[j] = np.inf
                    a = j
                    enough = needed(square * near, norm, motion.margin)
            lowest = min(lowest, bound)
    lowest = max(lowest, motion.gap[a] - np.sqrt(square * near))
    state.upper[i] = np.sqrt(square * near) * (1.0 + OUTWARD)
    state.lower[i] = max(lowest, 0.0) * (1.0 - OUTWARD)
    return a if lowest > enough else -1


@kernel
def centre_row(x, origin, out):
    """Write x - origin into `out`, (d',), and return its squared norm."""
    total = 0.0
    for f in range(x.shape[0]):
        out[f] = x[f] - origin[f]
        total += np.float64(out[f]) * np.float64(out[f])
    return total


@kernel
def bound_each(tile, rows, first, motion, each):
    """Set B_ij for the rows in the tile and the four centres from `first`, multiplied before."""
    near, far = motion.margin, 1.0 - motion.margin
    for m in range(min(BLOCK, motion.drift.shape[0] - first)):
        j = first + m
        for t in range(rows.shape[0]):
            norm, product = np.float64(tile.norms[t]), tile.products[m * int(TILE) + t]
            square = max((norm + 2.0 * product) * far - near * norm, 0.0)
            each[rows[t], j] = (np.sqrt(square) + motion.path[j]) * (1.0 - OUTWARD)


@kernel
def search_rows(tile, X, rows, centers, motion, each):
    """Find the nearest centre of at most TILE rows by their products, and bound each distance."""
    width = U(rows.shape[0])
    fill(tile, X, rows, centers.origin)
    forget_lowest(tile, width)
    for first in range(0, centers.points.shape[0], BLOCK):
        multiply(tile, centers.points, centers.half_norms, U(first), width)
        keep_lowest(tile, U(first), width)
        bound_each(tile, rows, first, motion, each)
    for t in range(rows.shape[0]):
        each[rows[t], tile.labels[t]] = np.inf


@kernel
def assign(X, weights, centers, motion, state, stats):
    """Give each row the label of its nearest centre, and `stats` what changes; return n_moved."""
    suspects = np.empty(X.shape[0], np.uint32)
    n_suspects = widen(motion, state, suspects)
    points, origin = centers.points, centers.origin
    tile, x = new_tile(points), np.zeros(points.shape[1], points.dtype)
    lanes = np.empty(LANES)
    n_moved, n_open = 0, 0
    for s in range(n_suspects):
        i, z = suspects[s], -1
        if state.labels[i] >= 0:
            if is_settled(motion, state, i, lanes):
                continue
            norm = centre_row(X[i], origin, x)
            z = settle(x, norm, i, points, motion, state, lanes)
        if z >= 0:
            size = np.sqrt(norm) + motion.scale
            n_moved += relabel(X, weights, origin, i, z, size, state, stats)
        else:
            suspects[n_open] = i
            n_open += 1
    for start in range(0, n_open, int(TILE)):
        rows = suspects[start : min(start + int(TILE), n_open)]
        search_rows(tile, X, rows, centers, motion, state.each)
        for t in range(rows.shape[0]):
            i, norm = rows[t], np.float64(tile.norms[t])
            sharpen(state, i, norm, tile.lowest[t], tile.second[t], motion.margin)
            size = np.sqrt(norm) + motion.scale
            n_moved += relabel(X, weights, origin, i, tile.labels[t], size, state, stats)
    return n_moved
