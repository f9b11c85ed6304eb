"""The E-step of `expectation` for a tile of rows: kernels in which rows lie side by side.

Tile        A tile holds rows as columns, about an origin near their mean, so that one instruction
            serves as many rows as it has lanes. With U_k of k components:
                q_ik = |U_k' x_i - U_k' m_k|^2,   s_ik = c_k - q_ik / 2                        (1)
                r_ik = exp(s_ik - max_j s_ij) / sum_j exp(s_ij - max_j s_ij)                   (2)
            and at once, with A = w_i r_ik (x_i - o_k),
                s_k += sum_i A,   S_k += sum_i A (x_i - o_k)'                                  (3)
Blocks      Four features by four of U_k', and of (3), make sixteen products per eight loads.
Tied        One U for all: rows are whitened once. With xbar_i = sum_k r_ik o_k, the sum of (3) over
            the components needs no sum over rows and components of products,
                sum_ik w_i r_ik (x_i - o_k)(x_i - o_k)' = sum_i w_i (x_i - xbar_i)(x_i - xbar_i)'
                    + sum_{j < k} G_jk (o_j - o_k)(o_j - o_k)',   G = sum_i w_i r_i r_i'       (4)
            and nothing cancels.
Cost        k d (d + 1) products per row, d (d + 1) / 2 + 2 k d + k^2 / 2 for tied, 3 k d for diag.

Indices are unsigned here: numba allows for negative ones otherwise, and no loop becomes a vector.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.elementary import exp
from skcourse.core.kernel import kernel

U = np.uint64
TILE_BYTES = 2**15  # of the columns of a tile: what the nearest cache holds
LEAST_ROWS, MOST_ROWS = 160, 512
BLOCK = 4  # features that are taken together
LEAST = -690.0  # exp of less counts as 0: products with it would be slow, and change nothing


class Components(NamedTuple):
    """A mixture as the tiles want it: points about the origin, d' a multiple of 4, zeros beyond."""

    points: np.ndarray  # m_k; of tied, U'm_k; (k, d')
    upper: np.ndarray  # U_k, (k, d', d'); tied (1, d', d'); diag, as one row of each, (k, 1, d')
    shifts: np.ndarray  # U_k'm_k, (k, d'); not of diag
    constants: np.ndarray  # c_k, (k,), finite
    about: np.ndarray  # o_k, (k, d')
    origin: np.ndarray  # (d,)


class Sums(NamedTuple):
    """What is summed, about o_k."""

    weights: np.ndarray  # n_k, (k,)
    first: np.ndarray  # s_k, (k, d')
    second: np.ndarray  # S_k, its lower triangle; shape as `upper`
    mixed: np.ndarray  # G of (4), lower triangle, (k', k'); (0, 0) unless tied
    totals: np.ndarray  # sum w l, -sum w r log r, sum w; (3,)


class Tile(NamedTuple):
    """Room for one tile of rows; a column is `stride` numbers."""

    columns: np.ndarray  # x - origin, (d' stride,)
    whitened: np.ndarray  # U'x; later what the sums need room for, (d' stride,)
    scores: np.ndarray  # s of (1), (k' stride,)
    shares: np.ndarray  # r of (2), (k' stride,); k' a multiple of 4, zeros beyond k
    left: np.ndarray  # A of (3), (max(d', k') stride,)
    rows: np.ndarray  # w, max s, sum exp; (3 stride,)
    stride: np.uint64  # rows that a tile has room for, 8 times an odd number


def new_tile(k, d):
    """Return room for a tile of k components and d' = d features.

    A column begins with a line of the cache: vectors that lie across two cost twice as much.
    """
    wide = -(-k // BLOCK) * BLOCK
    stride = 8 * (min(max(TILE_BYTES // (8 * d), LEAST_ROWS), MOST_ROWS) // 16 * 2 + 1)
    columns = (aligned(n * stride) for n in (d, d, wide, wide, max(d, wide), 3))
    return Tile(*columns, U(stride))


def aligned(size):
    """Return float64 zeros, (size,), at a multiple of 64 bytes."""
    room = np.zeros(size + 8)
    first = -room.ctypes.data % 64 // 8
    return room[first : first + size]


@kernel
def load(tile, X, weights, start, origin, width):
    """Put x_i - origin and w_i of `width` rows from `start` on into the tile."""
    for f in range(U(X.shape[1])):
        at, shift = f * tile.stride, origin[f]
        for i in range(width):
            tile.columns[at + i] = X[start + i, f] - shift
    for i in range(width):
        tile.rows[i] = weights[start + i] if len(weights) else 1.0


@kernel
def whiten(x, upper, shift, out, stride, width):
    """Write U'x - shift, one column for each of d' features, into `out`; U an upper triangle."""
    for j in range(U(0), U(upper.shape[1]), U(BLOCK)):
        at = j * stride
        s0, s1, s2, s3 = shift[j], shift[j + U(1)], shift[j + U(2)], shift[j + U(3)]
        for i in range(width):
            out[at + i] = -s0
            out[at + stride + i] = -s1
            out[at + U(2) * stride + i] = -s2
            out[at + U(3) * stride + i] = -s3
        for f in range(U(0), j + U(1), U(BLOCK)):
            f1, f2, f3, j1, j2, j3 = f + U(1), f + U(2), f + U(3), j + U(1), j + U(2), j + U(3)
            u00, u01, u02, u03 = upper[f, j], upper[f, j1], upper[f, j2], upper[f, j3]
            u10, u11, u12, u13 = upper[f1, j], upper[f1, j1], upper[f1, j2], upper[f1, j3]
            u20, u21, u22, u23 = upper[f2, j], upper[f2, j1], upper[f2, j2], upper[f2, j3]
            u30, u31, u32, u33 = upper[f3, j], upper[f3, j1], upper[f3, j2], upper[f3, j3]
            start = f * stride
            for i in range(width):
                x0, x1 = x[start + i], x[start + stride + i]
                x2, x3 = x[start + U(2) * stride + i], x[start + U(3) * stride + i]
                out[at + i] += u00 * x0 + u10 * x1 + u20 * x2 + u30 * x3
                out[at + stride + i] += u01 * x0 + u11 * x1 + u21 * x2 + u31 * x3
                out[at + U(2) * stride + i] += u02 * x0 + u12 * x1 + u22 * x2 + u32 * x3
                out[at + U(3) * stride + i] += u03 * x0 + u13 * x1 + u23 * x2 + u33 * x3


@kernel
def score(x, point, scale, constant, scores, at, stride, width):
    """Write constant - |scale (x - point)|^2 / 2 into a column of `scores`, from `at` on."""
    for i in range(width):
        scores[at + i] = constant
    for f in range(U(0), U(len(point)), U(BLOCK)):
        start, f1, f2, f3 = f * stride, f + U(1), f + U(2), f + U(3)
        p0, p1, p2, p3 = point[f], point[f1], point[f2], point[f3]
        u0, u1, u2, u3 = scale[f], scale[f1], scale[f2], scale[f3]
        for i in range(width):
            z0, z1 = u0 * (x[start + i] - p0), u1 * (x[start + stride + i] - p1)
            z2 = u2 * (x[start + U(2) * stride + i] - p2)
            z3 = u3 * (x[start + U(3) * stride + i] - p3)
            scores[at + i] -= 0.5 * (z0 * z0 + z1 * z1 + z2 * z2 + z3 * z3)


@kernel
def score_all(tile, components, width):
    """Write (1) for all components."""
    points, upper = components.points, components.upper
    k, d = points.shape
    zeros, ones = np.zeros(d), np.ones(d)
    tied, diagonal = upper.shape[0] == 1 and upper.shape[1] > 1, upper.shape[1] == 1
    if tied:
        whiten(tile.columns, upper[0], zeros, tile.whitened, tile.stride, width)
    for j in range(k):
        at, constant = U(j) * tile.stride, components.constants[j]
        if diagonal:
            score(
                tile.columns, points[j], upper[j, 0], constant, tile.scores, at, tile.stride, width
            )
        elif tied:
            score(tile.whitened, points[j], ones, constant, tile.scores, at, tile.stride, width)
        else:
            whiten(tile.columns, upper[j], components.shifts[j], tile.whitened, tile.stride, width)
            score(tile.whitened, zeros, ones, constant, tile.scores, at, tile.stride, width)


@kernel
def respond(tile, k, width, totals):
    """Turn scores into shares, (2); add up the likelihood, the entropy and the weights."""
    scores, shares, rows = tile.scores, tile.shares, tile.rows
    for i in range(width):
        rows[tile.stride + i] = scores[i]
        rows[U(2) * tile.stride + i] = 0.0
    for j in range(U(1), U(k)):
        at = j * tile.stride
        for i in range(width):
            s, largest = scores[at + i], rows[tile.stride + i]
            rows[tile.stride + i] = s if s > largest else largest
    for j in range(U(k)):
        at = j * tile.stride
        for i in range(width):
            s = scores[at + i] - rows[tile.stride + i]
            e = exp(s) if s > LEAST else 0.0
            scores[at + i] = s
            shares[at + i] = e
            rows[U(2) * tile.stride + i] += e
    total, likelihood, entropy = 0.0, 0.0, 0.0
    for i in range(width):
        w, log_sum = rows[i], np.log(rows[U(2) * tile.stride + i])
        total += w
        likelihood += w * (rows[tile.stride + i] + log_sum)
        entropy += w * log_sum
        rows[U(2) * tile.stride + i] = 1.0 / rows[U(2) * tile.stride + i]
    for j in range(U(k)):
        at = j * tile.stride
        for i in range(width):
            r = shares[at + i] * rows[U(2) * tile.stride + i]
            shares[at + i] = r
            entropy -= rows[i] * r * scores[at + i]
    totals[0] += likelihood
    totals[1] += entropy
    totals[2] += total


@kernel
def weigh(tile, j, about, first, width):
    """Write A of (3) for component j into `left`; add it to `first`, (d',); return n_k's share."""
    x, left, n = tile.columns, tile.left, 0.0
    for i in range(width):
        r = tile.rows[i] * tile.shares[U(j) * tile.stride + i]
        tile.whitened[i] = r
        n += r
    for f in range(U(len(about))):
        at, point, total = f * tile.stride, about[f], 0.0
        for i in range(width):
            a = tile.whitened[i] * (x[at + i] - point)
            left[at + i] = a
            total += a
        first[f] += total
    return n


@kernel
def scatter(left, right, about, out, stride, width):
    """Add sum_i a_i (b_i - about)' to the lower triangle of `out`, in blocks, for columns a, b."""
    for j in range(U(0), U(out.shape[0]), U(BLOCK)):
        j1, j2, j3, a = j + U(1), j + U(2), j + U(3), j * stride
        for f in range(U(0), j + U(1), U(BLOCK)):
            f1, f2, f3, b = f + U(1), f + U(2), f + U(3), f * stride
            p0, p1, p2, p3 = about[f], about[f1], about[f2], about[f3]
            s00, s01, s02, s03 = 0.0, 0.0, 0.0, 0.0
            s10, s11, s12, s13 = 0.0, 0.0, 0.0, 0.0
            s20, s21, s22, s23 = 0.0, 0.0, 0.0, 0.0
            s30, s31, s32, s33 = 0.0, 0.0, 0.0, 0.0
            for i in range(width):
                a0, a1 = left[a + i], left[a + stride + i]
                a2, a3 = left[a + U(2) * stride + i], left[a + U(3) * stride + i]
                b0, b1 = right[b + i] - p0, right[b + stride + i] - p1
                b2, b3 = right[b + U(2) * stride + i] - p2, right[b + U(3) * stride + i] - p3
                s00, s01, s02, s03 = s00 + a0 * b0, s01 + a0 * b1, s02 + a0 * b2, s03 + a0 * b3
                s10, s11, s12, s13 = s10 + a1 * b0, s11 + a1 * b1, s12 + a1 * b2, s13 + a1 * b3
                s20, s21, s22, s23 = s20 + a2 * b0, s21 + a2 * b1, s22 + a2 * b2, s23 + a2 * b3
                s30, s31, s32, s33 = s30 + a3 * b0, s31 + a3 * b1, s32 + a3 * b2, s33 + a3 * b3
            out[j, f], out[j, f1], out[j, f2], out[j, f3] = (
                out[j, f] + s00,
                out[j, f1] + s01,
                out[j, f2] + s02,
                out[j, f3] + s03,
            )
            out[j1, f], out[j1, f1], out[j1, f2], out[j1, f3] = (
                out[j1, f] + s10,
                out[j1, f1] + s11,
                out[j1, f2] + s12,
                out[j1, f3] + s13,
            )
            out[j2, f], out[j2, f1], out[j2, f2], out[j2, f3] = (
                out[j2, f] + s20,
                out[j2, f1] + s21,
                out[j2, f2] + s22,
                out[j2, f3] + s23,
            )
            out[j3, f], out[j3, f1], out[j3, f2], out[j3, f3] = (
                out[j3, f] + s30,
                out[j3, f1] + s31,
                out[j3, f2] + s32,
                out[j3, f3] + s33,
            )


@kernel
def add_diagonal(tile, j, about, sums, width):
    """Add (3) of component j, of the second moments the diagonal; return n_k's share."""
    x, n = tile.columns, 0.0
    for i in range(width):
        r = tile.rows[i] * tile.shares[U(j) * tile.stride + i]
        tile.whitened[i] = r
        n += r
    for f in range(U(0), U(len(about)), U(2)):
        at, p0, p1 = f * tile.stride, about[f], about[f + U(1)]
        s0, s1, q0, q1 = 0.0, 0.0, 0.0, 0.0
        for i in range(width):
            z0, z1 = x[at + i] - p0, x[at + tile.stride + i] - p1
            a0, a1 = tile.whitened[i] * z0, tile.whitened[i] * z1
            s0, s1, q0, q1 = s0 + a0, s1 + a1, q0 + a0 * z0, q1 + a1 * z1
        sums.first[j, f] += s0
        sums.first[j, f + U(1)] += s1
        sums.second[j, 0, f] += q0
        sums.second[j, 0, f + U(1)] += q1
    return n


@kernel
def add_tied(tile, components, sums, width):
    """Add (4), and n_k and s_k."""
    k, d = components.about.shape
    x, left, right = tile.columns, tile.left, tile.whitened
    zeros = np.zeros(max(d, sums.mixed.shape[0]))
    for f in range(U(d)):
        at = f * tile.stride
        for i in range(width):
            right[at + i] = x[at + i]
    for j in range(U(k)):
        n, at = 0.0, j * tile.stride
        for i in range(width):
            r = tile.shares[at + i]
            n += tile.rows[i] * r
        sums.weights[j] += n
        for f in range(U(d)):
            to, point, total = f * tile.stride, components.about[j, f], 0.0
            for i in range(width):
                r = tile.shares[at + i]
                total += tile.rows[i] * r * (x[to + i] - point)
                right[to + i] -= r * point
            sums.first[j, f] += total
    for f in range(U(d)):
        at = f * tile.stride
        for i in range(width):
            left[at + i] = tile.rows[i] * right[at + i]
    scatter(left, right, zeros, sums.second[0], tile.stride, width)
    for j in range(U(sums.mixed.shape[0])):
        at = j * tile.stride
        for i in range(width):
            left[at + i] = tile.rows[i] * tile.shares[at + i]
    scatter(left, tile.shares, zeros, sums.mixed, tile.stride, width)


@kernel
def expect(X, weights, components, tile, sums):
    """Add (2) and (3) of the rows of X, (n, d), to `sums`; `weights` of length 0 are 1."""
    k = components.points.shape[0]
    tied = components.upper.shape[0] == 1 and components.upper.shape[1] > 1
    for start in range(U(0), U(X.shape[0]), tile.stride):
        width = min(tile.stride, U(X.shape[0]) - start)
        load(tile, X, weights, start, components.origin, width)
        score_all(tile, components, width)
        respond(tile, k, width, sums.totals)
        if tied:
            add_tied(tile, components, sums, width)
            continue
        for j in range(k):
            about = components.about[j]
            if components.upper.shape[1] == 1:
                sums.weights[j] += add_diagonal(tile, j, about, sums, width)
            else:
                sums.weights[j] += weigh(tile, j, about, sums.first[j], width)
                scatter(tile.left, tile.columns, about, sums.second[j], tile.stride, width)


@kernel
def score_rows(X, weights, components, tile, out):
    """Write s of (1) for the rows of X into `out`, (n, k); `weights` of length 0 are 1."""
    for start in range(U(0), U(X.shape[0]), tile.stride):
        width = min(tile.stride, U(X.shape[0]) - start)
        load(tile, X, weights, start, components.origin, width)
        score_all(tile, components, width)
        for j in range(U(out.shape[1])):
            at = j * tile.stride
            for i in range(width):
                out[start + i, j] = tile.scores[at + i]
