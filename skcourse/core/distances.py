"""Squared distances and nearest centres, a tile of rows at a time.

Problem     For rows x_i and centres c_j, |x_i - c_j|^2, or only the j for which it is least:
                z_i = argmin_j |x_i - c_j|^2 = argmin_j (|c_j|^2 / 2 - <x_i, c_j>)            (1)
Method      A tile holds rows as columns, so that one instruction serves as many rows as it has
            lanes. Four centres and four features make sixteen products per four loads, and the
            winner is kept by comparing lane with lane, without storing the products.
Cost        n k d products.

Expanding the square cancels far from the origin: rows are centred as they enter a tile, and the
centres are already. What is computed for a row does not depend on its place in the tile, nor on its
neighbours: it gets the same label from any chunk.

Indices are unsigned here: numba allows for negative ones otherwise, and no loop becomes a vector.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.interrupts import held
from skcourse.core.kernel import kernel

U = np.uint64
TILE = U(128)  # rows in a tile
BLOCK = 4  # centres, and features, that are taken together


class Centers(NamedTuple):
    """Centres as the tile kernels want them: see `pad`."""

    points: np.ndarray  # c_j - origin, (k', d'), k' and d' multiples of 4, zeros beyond (k, d)
    half_norms: np.ndarray  # |c_j|^2 / 2, (k',), inf beyond k
    origin: np.ndarray  # (d,), what the rows are centred at


class Tile(NamedTuple):
    """Room for one tile of rows and what is found for them."""

    columns: np.ndarray  # x_i as columns, (d' TILE,)
    norms: np.ndarray  # |x_i|^2, (TILE,)
    products: np.ndarray  # (1) for four centres, (4 TILE,)
    lowest: np.ndarray  # the least of (1), (TILE,)
    second: np.ndarray  # the least but one, (TILE,)
    labels: np.ndarray  # z_i, int32, (TILE,)


@kernel
def pad(points, origin):
    """Return `points`, float64 (k, d), relative to `origin` (d,), as `Centers` of its dtype."""
    k, d = points.shape
    padded = np.zeros((-(-k // BLOCK) * BLOCK, -(-d // BLOCK) * BLOCK), origin.dtype)
    half_norms = np.full(padded.shape[0], np.inf, origin.dtype)
    for j in range(k):
        norm = 0.0
        for f in range(d):
            padded[j, f] = points[j, f]
            norm += np.float64(padded[j, f]) ** 2
        half_norms[j] = norm / 2
    return Centers(padded, half_norms, origin)


def prepare(points, origin):
    """Return what `pad` does, to Python: numba crashes where Ctrl-C meets a NamedTuple result."""
    with held:
        return pad(points, origin)


@kernel
def new_tile(points):
    """Return room for a tile of rows as long as `points`, (k', d'), and of the same dtype."""
    size = int(TILE)
    return Tile(
        np.zeros(points.shape[1] * size, points.dtype),
        np.zeros(size, points.dtype),
        np.zeros(BLOCK * size, points.dtype),
        np.zeros(size, points.dtype),
        np.zeros(size, points.dtype),
        np.zeros(size, np.int32),
    )


@kernel
def fill(tile, X, rows, origin):
    """Put x_i - origin, i in `rows` (unsigned, at most TILE), into `tile`, and |x_i - origin|^2.

    Eight features at a time: what a row has of them lies side by side in memory.
    """
    width, d = U(rows.shape[0]), U(X.shape[1])
    columns, norms = tile.columns, tile.norms
    f0 = U(0)
    while f0 + U(8) <= d:
        f1, f2, f3, f4 = f0 + U(1), f0 + U(2), f0 + U(3), f0 + U(4)
        f5, f6, f7, start = f0 + U(5), f0 + U(6), f0 + U(7), f0 * TILE
        o0, o1, o2, o3 = origin[f0], origin[f1], origin[f2], origin[f3]
        o4, o5, o6, o7 = origin[f4], origin[f5], origin[f6], origin[f7]
        for i in range(width):
            r, at = rows[i], start + i
            columns[at] = X[r, f0] - o0
            columns[at + TILE] = X[r, f1] - o1
            columns[at + U(2) * TILE] = X[r, f2] - o2
            columns[at + U(3) * TILE] = X[r, f3] - o3
            columns[at + U(4) * TILE] = X[r, f4] - o4
            columns[at + U(5) * TILE] = X[r, f5] - o5
            columns[at + U(6) * TILE] = X[r, f6] - o6
            columns[at + U(7) * TILE] = X[r, f7] - o7
        f0 += U(8)
    for f in range(f0, d):
        start, shift = f * TILE, origin[f]
        for i in range(width):
            columns[start + i] = X[rows[i], f] - shift
    for i in range(width):
        norms[i] = 0
    for f in range(d):
        start = f * TILE
        for i in range(width):
            x = columns[start + i]
            norms[i] += x * x


@kernel
def multiply(tile, points, half_norms, first, width):
    """Write |c_j|^2 / 2 - <x_i, c_j> into `tile.products` for the four centres from `first`."""
    p, x = tile.products, tile.columns
    j0, j1, j2, j3 = first, first + U(1), first + U(2), first + U(3)
    for i in range(width):
        p[i] = half_norms[j0]
        p[TILE + i] = half_norms[j1]
        p[U(2) * TILE + i] = half_norms[j2]
        p[U(3) * TILE + i] = half_norms[j3]
    for f in range(U(0), U(points.shape[1]), U(BLOCK)):
        f0, f1, f2, f3 = f, f + U(1), f + U(2), f + U(3)
        c00, c01, c02, c03 = points[j0, f0], points[j0, f1], points[j0, f2], points[j0, f3]
        c10, c11, c12, c13 = points[j1, f0], points[j1, f1], points[j1, f2], points[j1, f3]
        c20, c21, c22, c23 = points[j2, f0], points[j2, f1], points[j2, f2], points[j2, f3]
        c30, c31, c32, c33 = points[j3, f0], points[j3, f1], points[j3, f2], points[j3, f3]
        start = f * TILE
        for i in range(width):
            x0, x1 = x[start + i], x[start + TILE + i]
            x2, x3 = x[start + U(2) * TILE + i], x[start + U(3) * TILE + i]
            p[i] -= c00 * x0 + c01 * x1 + c02 * x2 + c03 * x3
            p[TILE + i] -= c10 * x0 + c11 * x1 + c12 * x2 + c13 * x3
            p[U(2) * TILE + i] -= c20 * x0 + c21 * x1 + c22 * x2 + c23 * x3
            p[U(3) * TILE + i] -= c30 * x0 + c31 * x1 + c32 * x2 + c33 * x3


@kernel
def forget_lowest(tile, width):
    """Begin a search: no centre is the nearest yet."""
    for i in range(width):
        tile.lowest[i] = np.inf
        tile.second[i] = np.inf
        tile.labels[i] = 0


@kernel
def keep_lowest(tile, first, width):
    """Let the four centres from `first`, multiplied before, compete for the two lowest places."""
    p, lowest, second, labels = tile.products, tile.lowest, tile.second, tile.labels
    for m in range(U(BLOCK)):
        start, j = m * TILE, np.int32(first + m)
        for i in range(width):
            s, low, next_low = p[start + i], lowest[i], second[i]
            wins = s < low
            second[i] = low if wins else (s if s < next_low else next_low)
            labels[i] = j if wins else labels[i]
            lowest[i] = s if wins else low


@kernel
def search(tile, points, half_norms, width):
    """Find z_i by (1) for the rows in `tile`, the lowest of equals, and the two least values."""
    forget_lowest(tile, width)
    for first in range(U(0), U(points.shape[0]), U(BLOCK)):
        multiply(tile, points, half_norms, first, width)
        keep_lowest(tile, first, width)


@kernel
def nearest(X, centers, labels):
    """Write z_i of (1) into `labels`, int32 (n,), for the rows of X, (n, d), C-contiguous."""
    tile = new_tile(centers.points)
    rows = np.empty(int(TILE), np.uint32)
    for start in range(0, X.shape[0], int(TILE)):
        width = min(int(TILE), X.shape[0] - start)
        for i in range(width):
            rows[i] = start + i
        fill(tile, X, rows[:width], centers.origin)
        search(tile, centers.points, centers.half_norms, U(width))
        for i in range(width):
            labels[start + i] = tile.labels[i]


@kernel
def add_squares(tile, points, first, width):
    """Write |x_i - c_j|^2 into `tile.products` for the four centres from `first`."""
    p, x = tile.products, tile.columns
    j0, j1, j2, j3 = first, first + U(1), first + U(2), first + U(3)
    for i in range(U(BLOCK) * TILE):
        p[i] = 0
    for f in range(U(points.shape[1])):
        c0, c1, c2, c3 = points[j0, f], points[j1, f], points[j2, f], points[j3, f]
        start = f * TILE
        for i in range(width):
            x0 = x[start + i]
            p[i] += (x0 - c0) * (x0 - c0)
            p[TILE + i] += (x0 - c1) * (x0 - c1)
            p[U(2) * TILE + i] += (x0 - c2) * (x0 - c2)
            p[U(3) * TILE + i] += (x0 - c3) * (x0 - c3)


@kernel
def squared_distances(X, centers, n_centers, out):
    """Write |x_i - c_j|^2 into `out`, (n, n_centers); no square is expanded, so c_j has 0."""
    tile = new_tile(centers.points)
    rows = np.empty(int(TILE), np.uint32)
    for start in range(0, X.shape[0], int(TILE)):
        width = min(int(TILE), X.shape[0] - start)
        for i in range(width):
            rows[i] = start + i
        fill(tile, X, rows[:width], centers.origin)
        for first in range(0, n_centers, BLOCK):
            add_squares(tile, centers.points, U(first), U(width))
            for j in range(first, min(first + BLOCK, n_centers)):
                for i in range(width):
                    out[start + i, j] = tile.products[(j - first) * int(TILE) + i]


@kernel
def inertia(X, centers, labels, weights):
    """Return sum_i w_i |x_i - c_{z_i}|^2 in float64. No weights, an array of length 0, means 1."""
    total = 0.0
    for i in range(X.shape[0]):
        z = labels[i]
        square = 0.0
        for f in range(X.shape[1]):
            t = np.float64(X[i, f]) - np.float64(centers[z, f])
            square += t * t
        total += square * (weights[i] if len(weights) else 1.0)
    return total
