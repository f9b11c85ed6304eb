"""Lloyd's first half for wide rows: a bound for each centre, and distances one by one.

Problem     z_i = argmin_j |x_i - c_j|^2, the lowest j of equals, where one distance costs much
Bounds      b_ij <= |x_i - c_j| for every centre, lowered by s_j when the centre moves so far. Kept
            is
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

from skcourse.cluster.assignment import relabel, relabel_rows
from skcourse.cluster.bounds import OUTWARD, sharpen_rows, widen
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
def square_of(x, points, j):
    """Return |x - c_j|^2, in the precision of x."""
    total, point = x[0] - x[0], points[j]
    for f in range(x.shape[0]):
        t = x[f] - point[f]
        total += t * t
    return np.float64(total)


@kernel
def centre_row(X, i, origin, x):
    """Write x_i - origin into `x`, (d',), and return its squared norm."""
    total, row = x[0] - x[0], X[i]
    for f in range(row.shape[0]):
        t = row[f] - origin[f]
        x[f] = t
        total += t * t
    return np.float64(total)


@kernel
def least(each, i, path, lanes):
    """Return min_j (B_ij - p_j); leave in `lanes` that of every j with the same j mod 16."""
    bounds = each[i]
    for m in range(LANES):
        lanes[m] = np.inf
    for start in range(U(0), U(bounds.shape[0]), U(LANES)):
        for m in range(U(LANES)):
            bound = bounds[start + m] - path[start + m]
            lanes[m] = bound if bound < lanes[m] else lanes[m]
    lowest = np.inf
    for m in range(LANES):
        lowest = lanes[m] if lanes[m] < lowest else lowest
    return lowest


@kernel
def needed(square, norm, margin):
    """Return how far all centres must be at least if one is at `square`, by (3) of `bounds`."""
    return np.sqrt((square * (1.0 + margin) + margin * norm) / (1.0 - margin))


@kernel
def winnow(motion, state, suspects):
    """Keep first in `suspects` the rows that the bounds of all centres leave open; count them."""
    labels, upper, lower, each = state.labels, state.upper, state.lower, state.each
    path, norms, margin = motion.path, motion.norms, motion.margin
    lanes, n_open = np.empty(LANES), 0
    for s in range(suspects.shape[0]):
        i = suspects[s]
        lowest = least(each, i, path, lanes)
        if lowest > lower[i]:
            lower[i] = lowest * (1.0 - OUTWARD)
        u = np.float64(upper[i])
        norm = u + norms[labels[i]]
        if not (lowest > needed(u * u, norm * norm, margin)):
            suspects[n_open] = i
            n_open += 1
    return n_open


@kernel
def settle(X, centers, motion, state, suspects, found):
    """Compare the rows in `suspects` with the centres that their bounds leave open.

    Parameters
    ----------
    found : int32 array of the length of `suspects`
        Gets the label of each, or -1 if two scores may be equal but for rounding.
    """
    labels, upper, lower, each = state.labels, state.upper, state.lower, state.each
    points, origin, path, margin = centers.points, centers.origin, motion.path, motion.margin
    near, far, inward = 1.0 + margin, 1.0 - margin, 1.0 - OUTWARD
    x, lanes = np.zeros(points.shape[1], points.dtype), np.empty(LANES)
    for s in range(suspects.shape[0]):
        i = suspects[s]
        a, bounds = labels[i], each[i]
        norm = centre_row(X, i, origin, x)
        square = square_of(x, points, a)
        enough = needed(square * near, norm, margin)
        least(each, i, path, lanes)
        lowest = np.inf
        for m in range(LANES):
            if lanes[m] > enough:
                lowest = lanes[m] if lanes[m] < lowest else lowest
                continue
            for j in range(m, bounds.shape[0], LANES):
                bound = bounds[j] - path[j]
                if bound <= enough:
                    other = square_of(x, points, j)
                    bound = np.sqrt(other * far)
                    bounds[j] = (bound + path[j]) * inward
                    if other < square:
                        bound, square = np.sqrt(square * far), other
                        bounds[a] = (bound + path[a]) * inward
                        bounds[j] = np.inf
                        a, enough = j, needed(square * near, norm, margin)
                lowest = bound if bound < lowest else lowest
        upper[i] = np.sqrt(square * near) * (1.0 + OUTWARD)
        lower[i] = max(lowest, 0.0) * inward
        found[s] = a if lowest > enough else -1


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
    n_open = widen(motion, state, suspects)
    scale, origin, n_moved = motion.scale, centers.origin, 0
    if X.shape[0] > 0 and state.labels[0] >= 0:  # rows that nobody has looked at have no bounds
        suspects = suspects[: winnow(motion, state, suspects[:n_open])]
        found = np.empty(suspects.shape[0], np.int32)
        settle(X, centers, motion, state, suspects, found)
        n_open = 0
        for s in range(suspects.shape[0]):
            i, z = suspects[s], found[s]
            if z < 0:
                suspects[n_open] = i
                n_open += 1
            elif z != state.labels[i]:
                size = state.upper[i] + motion.norms[z] + scale
                relabel(X, weights, origin, i, z, size, state, stats)
                n_moved += 1
    tile = new_tile(centers.points)
    for start in range(0, n_open, int(TILE)):
        rows = suspects[start : min(start + int(TILE), n_open)]
        search_rows(tile, X, rows, centers, motion, state.each)
        n_new = sharpen_rows(tile, rows, state, motion.margin)
        relabel_rows(X, weights, origin, scale, tile, rows[:n_new], state, stats)
        n_moved += n_new
    return n_moved
