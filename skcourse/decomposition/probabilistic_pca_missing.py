"""Rows of a plane with noise of which some values are missing: exact posteriors, and EM.

Problem     As in `probabilistic_pca_em`, but of a row only x_s is seen, s its seen features. With
            W_s the rows of W that belong to them, r = x_s - m_s and M_s = W_s'W_s + v 1, (k, k),
                z given x_s is N(y, v M_s^-1),   y = M_s^-1 W_s' r                        (1)
                -2 log p(x_s) = |s| log 2 pi + (|s| - k) log v + log |M_s|
                                + |r - W_s y|^2 / v + |y|^2                               (2)
            What is missing has the mean m_f + W_f y. A row without any value has density 1.
Iteration   E: sums over the rows i that have feature f, of u = (z, 1), by (1),
                A_f = sum E[u u'],   c_f = sum (x_if - m_f) E[u],   both for G = all rows  (3)
            M: each feature is regressed on u, v is what is left of the N values that are seen,
                (w_f, d_f) = A_f^-1 c_f,   v = sum (sum (x_if - m_f)^2 - (w_f, d_f) c_f) / N  (4)
            and z may have any mean a and covariance G (PX-EM), for which m and W then answer:
                m <- m + d + W a,   W <- W L,   G = L L'                                  (5)
Cost        Rows that lack the same features share M_s and sum E[u u']: k^2 min(|s|, p - |s|) for
            each such pattern, whichever part of (3) is the smaller one; |s| k for each row.
Assumption  Which values are missing may depend on the seen ones, but not on themselves.
Reference   A. Ilin, T. Raiko, Practical approaches to principal component analysis in the presence
            of missing values, JMLR, 2010.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import chunk_slices, for_each_chunk, reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.core.missing import groups as by_pattern
from skcourse.decomposition.probabilistic_pca_em import LOG_2_PI, Plane

LEAST = 1e-10  # noise beside the mean variance of a feature: below, (4) is decided by rounding


class Posteriors(NamedTuple):
    """Of rows in the order of their patterns; of the patterns, the covariances."""

    means: np.ndarray  # y, (m, k)
    covariances: np.ndarray  # v M_s^-1, (n_patterns, k, k)
    densities: np.ndarray  # log p(x_s), (m,)


class Sums(NamedTuple):
    """What (3) adds up; of a symmetric matrix, the lower triangle."""

    products: np.ndarray  # c_f, (p, k + 1)
    seconds: np.ndarray  # A_f, less the next; of patterns that lack little; of all: (p + 2, ..)
    totals: np.ndarray  # sum (x_if - m_f)^2; N; log-likelihood; rows that have a value: (4,)


@kernel
def seen_features(x, seen):
    """Write the indices of the features that x has into `seen`, (p,); return their number."""
    n = 0
    for f in range(len(x)):
        if not np.isnan(x[f]):
            seen[n] = f
            n += 1
    return n


@kernel
def add_matrix(matrix, factor, total):
    """Add `factor` times `matrix` to `total`, (k, k)."""
    for a in range(len(matrix)):
        for b in range(len(matrix)):
            total[a, b] += factor * matrix[a, b]


@kernel
def add_outer(rows, sign, W, M):
    """Add sign W_f W_f' for the features f of `rows` to the lower triangle of M, (k, k)."""
    for f in rows:
        for a in range(W.shape[1]):
            scaled = sign * W[f, a]
            for b in range(a + 1):
                M[a, b] += scaled * W[f, b]


@kernel
def invert(M, least, inverse):
    """Write M^-1 into `inverse` by Cholesky's M = R R', R in place of M; return log |M|.

    Parameters
    ----------
    M : array of shape (k, k), the lower triangle
    least : float, a bound of the eigenvalues of M from below
    inverse : array of shape (k, k)
    """
    k, log_det = len(M), 0.0
    for a in range(k):
        for b in range(a + 1):
            rest = M[a, b]
            for c in range(b):
                rest -= M[a, c] * M[b, c]
            if a == b:
                rest = max(rest, least)  # no pivot is smaller, but for rounding
                log_det += np.log(rest)
                M[a, a] = np.sqrt(rest)
            else:
                M[a, b] = rest / M[b, b]
    for column in range(k):
        for a in range(k):
            rest = 1.0 if a == column else 0.0
            for c in range(a):
                rest -= M[a, c] * inverse[c, column]
            inverse[a, column] = rest / M[a, a]
        for a in range(k - 1, -1, -1):
            rest = inverse[a, column]
            for c in range(a + 1, k):
                rest -= M[c, a] * inverse[c, column]
            inverse[a, column] = rest / M[a, a]
    return log_det


@kernel
def explain(x, seen, plane, inverse, y, r):
    """Write (1) into y; return the last two terms of (2). `r`, (p,), is for scratch."""
    W, mean, noise = plane
    k = W.shape[1]
    along = np.zeros(k)
    for f in seen:
        r[f] = x[f] - mean[f]
        for a in range(k):
            along[a] += W[f, a] * r[f]
    length = 0.0
    for a in range(k):
        total = 0.0
        for b in range(k):
            total += inverse[a, b] * along[b]
        y[a] = total
        length += total * total
    distance = 0.0
    for f in seen:
        rest = r[f]
        for a in range(k):
            rest -= W[f, a] * y[a]
        distance += rest * rest
    return distance / noise + length


@kernel
def posteriors(X, groups, first, stop, plane, out):
    """Write (1) and (2) of the rows groups.order[first:stop], and of their patterns, into `out`."""
    W, noise = plane.loadings, plane.noise
    p, k = W.shape
    everything, M, inverse = np.zeros((k, k)), np.empty((k, k)), np.empty((k, k))
    add_outer(np.arange(p), 1.0, W, everything)
    seen, r = np.empty(p, np.int64), np.empty(p)
    last, n, log_det = -1, 0, 0.0
    for i in range(first, stop):
        row, pattern = groups.order[i], groups.pattern[i]
        if pattern != last:
            last = pattern
            n = seen_features(X[row], seen)
            lacking = groups.lacking[groups.starts[pattern] : groups.starts[pattern + 1]]
            M[:] = 0.0
            if len(lacking) < n:
                add_matrix(everything, 1.0, M)
                add_outer(lacking, -1.0, W, M)
            else:
                add_outer(seen[:n], 1.0, W, M)
            for a in range(k):
                M[a, a] += noise
            log_det = invert(M, noise, inverse)
            covariance = out.covariances[pattern - groups.pattern[first]]
            covariance[:] = 0.0
            add_matrix(inverse, noise, covariance)
        square = explain(X[row], seen[:n], plane, inverse, out.means[i - first], r)
        log_det_all = (n - k) * np.log(noise) + log_det
        out.densities[i - first] = -0.5 * (n * LOG_2_PI + log_det_all + square)  # (2)


@kernel
def add_seconds(group, seen, lacking, seconds):
    """Add the sum of E[u u'] over the rows of a pattern to A_f of what they have, by (3)."""
    p = len(seconds) - 2
    add_matrix(group, 1.0, seconds[p + 1])
    if len(lacking) < len(seen):
        add_matrix(group, 1.0, seconds[p])
        for f in lacking:
            add_matrix(group, -1.0, seconds[f])
    else:
        for f in seen:
            add_matrix(group, 1.0, seconds[f])


@kernel
def add_rows(X, weights, groups, first, stop, mean, found, sums):
    """Add the rows groups.order[first:stop], with the posteriors that were found, to (3)."""
    p, k = X.shape[1], found.means.shape[1]
    group, u = np.zeros((k + 1, k + 1)), np.ones(k + 1)
    seen, n = np.empty(p, np.int64), 0
    for i in range(first, stop):
        row, pattern = groups.order[i], groups.pattern[i]
        if i == first or pattern != groups.pattern[i - 1]:
            n = seen_features(X[row], seen)
            group[:] = 0.0
        if n == 0:
            continue
        w = weights[row] if len(weights) else 1.0
        for a in range(k):
            u[a] = found.means[i - first, a]
        for a in range(k + 1):
            for b in range(a + 1):
                group[a, b] += w * u[a] * u[b]
        for f in seen[:n]:
            r = w * (X[row, f] - mean[f])
            sums.totals[0] += r * (X[row, f] - mean[f])
            for a in range(k + 1):
                sums.products[f, a] += r * u[a]
        sums.totals[1] += w * n
        sums.totals[2] += w * found.densities[i - first]
        sums.totals[3] += w
        if i == stop - 1 or pattern != groups.pattern[i + 1]:
            covariance = found.covariances[pattern - groups.pattern[first]]
            for a in range(k):
                for b in range(a + 1):
                    group[a, b] += group[k, k] * covariance[a, b]
            lacking = groups.lacking[groups.starts[pattern] : groups.starts[pattern + 1]]
            add_seconds(group, seen[:n], lacking, sums.seconds)


def ask(X, groups, rows, plane):
    """Return the posteriors of the rows groups.order[rows], for a slice `rows`."""
    k = plane.loadings.shape[1]
    n_patterns = groups.pattern[rows.stop - 1] - groups.pattern[rows.start] + 1
    m = rows.stop - rows.start
    found = Posteriors(np.empty((m, k)), np.empty((n_patterns, k, k)), np.empty(m))
    posteriors(X, groups, rows.start, rows.stop, plane, found)
    return found


def for_each_posterior(X, plane, write):
    """Call write(indices of rows, patterns of these rows, Posteriors) for all rows, in parts.

    Parameters
    ----------
    X : array of shape (n, p), float32 or float64, C-contiguous, with NaN for what is missing
    plane : Plane
    write : callable; the patterns are indices of the covariances that it is given
    """
    X, groups = read_only(X), by_pattern(X)

    def part(rows):
        pattern = groups.pattern[rows]
        write(groups.order[rows], pattern - pattern[0], ask(X, groups, rows, plane))

    for_each_chunk(part, len(X), row_bytes=8 * X.shape[1] * plane.loadings.shape[1], min_rows=64)


def of_all_axes(X, patterns, found, plane, model):
    """Return posteriors with the covariances of z where k = p, and z = W^-1 (x - m) has no noise.

    Of x, with M_s in any plane of the same covariance, it is W_f v M_s^-1 W_f' + v 1 for the
    features f that are missing, and 0 for the others.

    Parameters
    ----------
    X : array of shape (m, p)
    patterns : array of shape (m,)
    found : Posteriors of these rows
    plane : Plane
    model : ProbabilisticPCA
    """
    lengths = np.sqrt(model.explained_variance_.astype(np.float64))
    inverse = model.components_ / np.where(lengths > 0, lengths, np.inf)[:, np.newaxis]  # W^-1
    covariances = np.empty_like(found.covariances)
    for pattern in range(len(covariances)):
        missing = np.isnan(X[np.argmax(patterns == pattern)])
        W, Q = plane.loadings[missing], inverse[:, missing]
        of_x = W @ found.covariances[pattern] @ W.T + plane.noise * np.eye(len(W))
        covariances[pattern] = Q @ of_x @ Q.T + np.diag(lengths == 0)
    return found._replace(covariances=covariances)


def step_of_missing(X, weights):
    """Return the step for `iterate` of rows with missing values.

    Parameters
    ----------
    X : array of shape (n, p), float32 or float64, C-contiguous, with NaN for what is missing
    weights : array of shape (n,), or None for ones
    """
    X, groups = read_only(X), by_pattern(X)
    weights = read_only(np.empty(0) if weights is None else weights)
    n, p = X.shape

    def step(plane):
        k = plane.loadings.shape[1]
        plane = Plane(np.ascontiguousarray(plane.loadings), *plane[1:])

        def part(rows):
            found = ask(X, groups, rows, plane)
            sums = Sums(np.zeros((p, k + 1)), np.zeros((p + 2, k + 1, k + 1)), np.zeros(4))
            add_rows(X, weights, groups, rows.start, rows.stop, plane.mean, found, sums)
            return sums

        sums = reduce_blocks(part, chunk_slices(n, 8 * p * (k + 1), min_rows=4 * (k + 1)))
        return sums.totals[2], regressed(sums, plane)

    return step


def regressed(sums, plane):
    """Return a better plane by (4) and (5)."""
    p, k = plane.loadings.shape
    seconds = np.tril(sums.seconds) + np.swapaxes(np.tril(sums.seconds, -1), 1, 2)
    squares, n_values, _, n_rows = sums.totals
    found = np.linalg.solve(seconds[:p] + seconds[p], sums.products[:, :, np.newaxis])[:, :, 0]
    W, shift = found[:, :k], found[:, k]
    noise = (squares - np.sum(found * sums.products)) / n_values  # (4)
    mean_z = seconds[p + 1, k, :k] / n_rows
    L = np.linalg.cholesky(seconds[p + 1, :k, :k] / n_rows - np.outer(mean_z, mean_z))
    return Plane(W @ L, plane.mean + shift + W @ mean_z, float(noise))  # (5)


def read_only(array):
    """Return a view that cannot be written: kernels then compile for one kind of array only."""
    view = array.view()
    view.flags.writeable = False
    return view
