"""Rows with missing values under normal distributions with correlations: kernels of `missing`.

Model       x ~ N(m, P^-1) with P = U U', U upper triangular, so that
                -2 log p(x) = d log 2 pi - 2 sum_f log U_ff + |U'(x - m)|^2               (1)
Missing     Let u be of x - m, with 0 where x is missing, and V the rows of U of what is missing.
            What the seen values tell of the missing z = x_m - m_m is where (1) is least,
                min_z |U'u + V'z|^2,   with V' = Q'R, Q Q' = 1:   R z = -Q U'u            (2)
            and the minimum is the squared Mahalanobis distance of the seen values alone:
                y = U'u - Q'Q U'u,   (x_s - m_s)' S_ss^-1 (x_s - m_s) = |y|^2             (3)
                log det S_ss = 2 sum log R_jj - 2 sum_f log U_ff                          (4)
                cov(x_m | x_s) = (V V')^-1 = R^-1 R^-T                                    (5)
            Neither S_ss nor V V' is formed: nothing squares the condition of U.
Cost        d^2 products for U'u of a row, as if nothing were missing, and 2 d m^2 per pattern
            for (2), with m values missing.
Reference   Z. Ghahramani, M. Jordan, Supervised learning from incomplete data via an EM approach,
            NIPS, 1994. Å. Björck, Solving linear least squares problems by Gram-Schmidt
            orthogonalization, BIT, 1967.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.mixture.missing_diagonal import respond

LOG_2_PI = np.log(2 * np.pi)
TILE_NUMBERS = 2**15  # of deviations, for all components: a tile stays in cache


class Normals(NamedTuple):
    """Components with correlations."""

    means: np.ndarray  # m_k, (k, d)
    roots: np.ndarray  # U_k, (k, d, d); of one for all, (1, d, d)
    constants: np.ndarray  # log pi_k + sum_f log U_ff, (k,)
    offsets: np.ndarray  # m_k - o_k: the sums are about o_k, (k, d)


class Tile(NamedTuple):
    """A few rows that are worked on together."""

    deviations: np.ndarray  # x - m_k, the missing values completed, (k, t, d)
    whitened: np.ndarray  # U'u, then y of (3), (k, t, d)
    joint: np.ndarray  # log pi_k p_k(x), then the responsibilities r_k, (t, k)
    Q: np.ndarray  # (d, d)
    R: np.ndarray  # R_k of (2), its inverse in the end, (k, d, d)
    logs: np.ndarray  # log p(x), (t,)


@kernel
def new_tile(k, d):
    """Make room for as many rows as fit in cache."""
    t = max(16, min(256, TILE_NUMBERS // (k * d)))
    shape = (k, t, d)
    triangles = np.zeros((k, d, d))
    return Tile(
        np.zeros(shape),
        np.zeros(shape),
        np.zeros((t, k)),
        np.zeros((d, d)),
        triangles,
        np.zeros(t),
    )


@kernel
def orthogonalise(root, lacking, Q, R):
    """Write Q and R of (2), by Gram-Schmidt's modified method; return sum log R_jj.

    Row f of U is 0 before f, so that with `lacking` in falling order rows of Q begin late.
    """
    d, logs = root.shape[0], 0.0
    for j in range(len(lacking)):
        first = lacking[j]
        for f in range(first):
            Q[j, f] = 0.0
        for f in range(first, d):
            Q[j, f] = root[first, f]
        for i in range(j):
            share = 0.0
            for f in range(lacking[i], d):
                share += Q[i, f] * Q[j, f]
            R[i, j] = share
            for f in range(lacking[i], d):
                Q[j, f] -= share * Q[i, f]
        square = 0.0
        for f in range(first, d):
            square += Q[j, f] * Q[j, f]
        length = np.sqrt(square)
        R[j, j] = length
        logs += np.log(length)
        for f in range(first, d):
            Q[j, f] /= length
    return logs


@kernel
def complete(u, y, lacking, Q, R):
    """Turn y = U'u into that of (3), write z of (2) into u, both (d,); return |y|^2."""
    d, m = len(y), len(lacking)
    for j in range(m):
        share = 0.0
        for f in range(lacking[j], d):
            share += Q[j, f] * y[f]
        for f in range(lacking[j], d):
            y[f] -= share * Q[j, f]
        u[lacking[j]] = -share
    for j in range(m - 1, -1, -1):
        z = u[lacking[j]]
        for i in range(j + 1, m):
            z -= R[j, i] * u[lacking[i]]
        u[lacking[j]] = z / R[j, j]
    square = 0.0
    for f in range(d):
        square += y[f] * y[f]
    return square


@kernel
def invert(R, m):
    """Replace the m x m triangle R by its inverse."""
    for j in range(m - 1, -1, -1):  # what is still needed of R lies left of column j
        R[j, j] = 1.0 / R[j, j]
        for i in range(j - 1, -1, -1):
            total = 0.0
            for a in range(i + 1, j + 1):
                total += R[i, a] * R[a, j]
            R[i, j] = -total / R[i, i]


@kernel
def load(X, rows, normals, tile):
    """Write u of (2) and U'u of some rows, for all components."""
    k, d = normals.means.shape
    for j in range(k):
        u = tile.deviations[j, : len(rows)]
        for i in range(len(rows)):
            for f in range(d):
                x = np.float64(X[rows[i], f])
                u[i, f] = 0.0 if np.isnan(x) else x - normals.means[j, f]
        root = normals.roots[min(j, len(normals.roots) - 1)]
        np.dot(u, root, tile.whitened[j, : len(rows)])


@kernel
def complete_run(first, last, lacking, normals, tile):
    """Complete rows of one pattern in a tile, and write log pi_k p_k of what is seen of them."""
    k, d = normals.means.shape
    logs = 0.0
    for j in range(k):
        R = tile.R[min(j, len(normals.roots) - 1)]
        if j < len(normals.roots):
            logs = orthogonalise(normals.roots[j], lacking, tile.Q, R)
        constant = normals.constants[j] - logs - 0.5 * (d - len(lacking)) * LOG_2_PI  # (1), (4)
        for i in range(first, last):
            square = complete(tile.deviations[j, i], tile.whitened[j, i], lacking, tile.Q, R)
            tile.joint[i, j] = constant - 0.5 * square


@kernel
def respond_all(first, last, tile):
    """Turn log pi_k p_k(x) into log p(x) and the responsibilities."""
    for i in range(first, last):
        tile.logs[i] = respond(tile.joint[i])


@kernel
def run_end(pattern, start, stop):
    """Return where the run of rows of one pattern that begins at `start` ends."""
    end = start + 1
    while end < stop and pattern[end] == pattern[start]:
        end += 1
    return end


@kernel
def lacking_of(groups, at):
    """Return the features that the row at a place of the order lacks."""
    p = groups.pattern[at]
    return groups.lacking[groups.starts[p] : groups.starts[p + 1]]


class Sums(NamedTuple):
    """What the rows add up to; a is 1 if all components have one covariance, else k."""

    counts: np.ndarray  # sum_i w_i r_ik, (k,)
    firsts: np.ndarray  # sum_i w_i r_ik E(x - o_k), (k, d)
    seconds: np.ndarray  # sum_i w_i r_ik E(x - o_k)(x - o_k)', (a, d, d)
    totals: np.ndarray  # sum_i w_i log p(x_i), -sum_ik w_i r_ik log r_ik and sum_i w_i, (3,)


@kernel
def expect(X, weights, groups, start, stop, normals, sums):
    """Add up the rows at the places start .. stop - 1 of the order; `weights` of length 0 are 1."""
    k, d = normals.means.shape
    tile = new_tile(k, d)
    product = np.zeros((d, d))
    for at in range(start, stop, len(tile.logs)):
        end = min(at + len(tile.logs), stop)
        rows = groups.order[at:end]
        load(X, rows, normals, tile)
        first = at
        while first < end:
            last, lacking = run_end(groups.pattern, first, end), lacking_of(groups, first)
            complete_run(first - at, last - at, lacking, normals, tile)
            respond_all(first - at, last - at, tile)
            if len(lacking) < d:
                weigh(weights, rows, first - at, last - at, tile, sums.totals)
            else:
                tile.joint[first - at : last - at] = 0.0  # rows without any value say nothing
            add_uncertainty(first - at, last - at, lacking, tile, sums.seconds)
            first = last
        add_tile(end - at, normals.offsets, tile, product, sums)


@kernel
def weigh(weights, rows, first, last, tile, totals):
    """Turn the responsibilities into w r; add to the totals of `Sums`."""
    for i in range(first, last):
        w = np.float64(weights[rows[i]]) if len(weights) else 1.0
        totals[0] += w * tile.logs[i]
        totals[2] += w
        for j in range(tile.joint.shape[1]):
            r = tile.joint[i, j]
            if r > 0:
                totals[1] -= w * r * np.log(r)
            tile.joint[i, j] = w * r


@kernel
def add_uncertainty(first, last, lacking, tile, seconds):
    """Add (5) to the second moments, as often as rows of a run belong to a component."""
    m, a = len(lacking), len(seconds)
    if m == 0:
        return
    for j in range(a):
        mass = 0.0
        for i in range(first, last):
            for c in range(j, tile.joint.shape[1], a):
                mass += tile.joint[i, c]
        invert(tile.R[j], m)
        for p in range(m):
            for q in range(p + 1):
                total = 0.0
                for c in range(p, m):
                    total += tile.R[j, p, c] * tile.R[j, q, c]
                seconds[j, lacking[p], lacking[q]] += mass * total
                if q < p:
                    seconds[j, lacking[q], lacking[p]] += mass * total


@kernel
def add_tile(size, offsets, tile, product, sums):
    """Add the completed rows of a tile to the sums; uses them up."""
    k, d = sums.firsts.shape
    for j in range(k):
        u = tile.deviations[j, :size]
        for i in range(size):
            w = tile.joint[i, j]
            root = np.sqrt(w)
            sums.counts[j] += w
            for f in range(d):
                z = u[i, f] + offsets[j, f]
                sums.firsts[j, f] += w * z
                u[i, f] = root * z
        np.dot(u.T, u, product)
        second = sums.seconds[min(j, len(sums.seconds) - 1)]
        for f in range(d):
            for g in range(d):
                second[f, g] += product[f, g]


@kernel
def ask(X, groups, start, stop, normals, joint, filled):
    """Write log pi_k p_k(x) of the rows into `joint`, (n, k), or E x into `filled`, (n, d).

    Of the two, one has length 0.
    """
    k, d = normals.means.shape
    tile = new_tile(k, d)
    for at in range(start, stop, len(tile.logs)):
        end = min(at + len(tile.logs), stop)
        rows = groups.order[at:end]
        load(X, rows, normals, tile)
        first = at
        while first < end:
            last, lacking = run_end(groups.pattern, first, end), lacking_of(groups, first)
            complete_run(first - at, last - at, lacking, normals, tile)
            if len(filled):
                respond_all(first - at, last - at, tile)
                fill(rows, first - at, last - at, lacking, normals.means, tile, filled)
            first = last
        for i in range(len(rows) if len(joint) else 0):
            for j in range(k):
                joint[rows[i], j] = tile.joint[i, j]


@kernel
def fill(rows, first, last, lacking, means, tile, filled):
    """Write E x_m = sum_k r_k E_k x_m into the rows of a run."""
    for i in range(first, last):
        for f in lacking:
            total = 0.0
            for j in range(len(means)):
                total += tile.joint[i, j] * (means[j, f] + tile.deviations[j, i, f])
            filled[rows[i], f] = total
