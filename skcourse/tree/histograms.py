"""Histograms of gradients and Hessians, by integers: sums that no order can change.

Problem     For a node and every feature, the sums over the rows of each bin b:
                n_b = sum 1,   G_b = sum g_i,   H_b = sum h_i                     (1)
Grid        Once per tree, gradients are rounded to a grid whose step is a power of two:
                p_i = (round(g_i / s) << c) + 1,   sum |g_i| / s < 2^(62 - c)     (2)
            with c bits for the count of up to n rows. One integer addition adds g and 1. A second
            integer, round(h_i / t), holds the Hessian, unless it is the same for all rows: then the
            count says it.
Precision   s is about mean |g| n / 2^(62 - c): for n = 200,000 a mean gradient is 2^26 steps, and a
            large one more; a float32, as other libraries sum, has 24 bits. Integer sums are exact:
            the order of rows, threads, and the histogram of a child as parent minus sibling change
            no bit.
Layout      The codes of 8 features of a row are the bytes of one 64-bit word: it is read once, and
            the 8 histograms, of 256 bins each, stay in the first cache.
Cost        One load, addition and store per row and feature.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.prefetch import prefetch

WIDTH = 8  # features in a word
BINS = 256  # per feature; the last one is for missing values
MISSING = BINS - 1
AHEAD = 24  # rows whose words are on their way from memory
BITS = 62  # of the sums, beside the sign


class Scale(NamedTuple):
    """What the integers mean."""

    count_bits: int  # c of (2)
    gradient_step: float  # s
    hessian_step: float  # t
    constant_hessian: float  # the Hessian of every row, or 0.0: they differ


@kernel(exact=True)
def sum_magnitudes(gradients, hessians, start, stop):
    """Return sum |g| and sum |h| of the rows from `start` to `stop`; h may be one number."""
    g, h = 0.0, 0.0
    for i in range(start, stop):
        g += abs(gradients[i])
    for i in range(start, min(stop, len(hessians))):
        h += abs(hessians[i])
    return g, h


@kernel(exact=True)
def grid_step(total, bits, n):
    """Return the least power of two s, of 2^-1000 and more, with total / s + n <= 2^bits."""
    if not 0.0 < total < np.inf:
        return 1.0
    step = 2.0 ** max(np.ceil(np.log2(total) - bits), -1000.0)
    while total / step + n > 2.0**bits:
        step *= 2.0
    return step


@kernel(exact=True)
def to_grid(gradients, hessians, scale, start, stop, statistics):
    """Write (2) for the rows from `start` to `stop`.

    Parameters
    ----------
    gradients : float64 (n,)
    hessians : float64 (n,) or (1,)
    scale : Scale
    statistics : int64 (n k,), p_i or, where Hessians differ, p_i and round(h_i / t) in turn
    """
    a, b, c = 1.0 / scale.gradient_step, 1.0 / scale.hessian_step, scale.count_bits
    if len(hessians) == 1:
        for i in range(start, stop):
            statistics[i] = (np.int64(np.rint(gradients[i] * a)) << c) + 1
    else:
        for i in range(start, stop):
            statistics[2 * i] = (np.int64(np.rint(gradients[i] * a)) << c) + 1
            statistics[2 * i + 1] = np.int64(np.rint(hessians[i] * b))


@kernel
def add_all_rows(words, statistics, histogram):
    """Add the statistics of all rows, in order: as `add_rows` for rows 0 .. n - 1."""
    if len(statistics) == len(words):
        for i in range(len(words)):
            word, p = words[i], statistics[i]
            for j in range(WIDTH):
                histogram[BINS * j + np.int64((word >> np.uint64(8 * j)) & np.uint64(255))] += p
    else:
        for i in range(len(words)):
            word, p, h = words[i], statistics[2 * i], statistics[2 * i + 1]
            for j in range(WIDTH):
                at = 2 * (BINS * j + np.int64((word >> np.uint64(8 * j)) & np.uint64(255)))
                histogram[at] += p
                histogram[at + 1] += h


@kernel
def add_rows(words, rows, statistics, histogram):
    """Add the statistics of some rows to the histograms (1) of 8 features.

    Parameters
    ----------
    words : uint64 (n,), the codes of 8 features
    rows : int32 (m,)
    statistics : int64 (m k,), of these rows, in their order
    histogram : int64 (8 * 256 * k,), added to
    """
    last = len(rows) - 1
    if len(statistics) == len(rows):
        for i in range(len(rows)):
            prefetch(words, rows[min(i + AHEAD, last)])
            word, p = words[rows[i]], statistics[i]
            for j in range(WIDTH):
                histogram[BINS * j + np.int64((word >> np.uint64(8 * j)) & np.uint64(255))] += p
    else:
        for i in range(len(rows)):
            prefetch(words, rows[min(i + AHEAD, last)])
            word, p, h = words[rows[i]], statistics[2 * i], statistics[2 * i + 1]
            for j in range(WIDTH):
                at = 2 * (BINS * j + np.int64((word >> np.uint64(8 * j)) & np.uint64(255)))
                histogram[at] += p
                histogram[at + 1] += h


@kernel
def subtract(histogram, sibling):
    """Make of a parent's histogram that of the other child."""
    for b in range(len(histogram)):
        histogram[b] -= sibling[b]


@kernel(exact=True)
def sums_below(histogram, feature, n_bins, scale, below):
    """Write n, H and -G of the bins 0 .. b of a feature, for each b; return those of missing rows.

    Parameters
    ----------
    histogram : int64 (8 * 256 * k,)
    feature : int, 0 to 7
    scale : Scale
    below : float64 (>= 3, >= n_bins), overwritten
    """
    k = len(histogram) // (WIDTH * BINS)
    first, packed, hessian = feature * BINS * k, np.int64(0), np.int64(0)
    for b in range(n_bins):
        packed += histogram[first + b * k]
        if k == 2:
            hessian += histogram[first + 2 * b + 1]
        below[0, b], below[1, b], below[2, b] = unpack(packed, hessian, scale)
    last = first + MISSING * k
    return unpack(histogram[last], histogram[last + k - 1], scale)


@kernel(exact=True)
def group_sums(histogram, feature, n_bins, scale):
    """Return n, H and -G of each bin of a feature, and in the last row of the missing values."""
    k = len(histogram) // (WIDTH * BINS)
    first, groups = feature * BINS * k, np.empty((n_bins + 1, 3))
    for b in range(n_bins + 1):
        at = first + (b if b < n_bins else MISSING) * k
        groups[b, 0], groups[b, 1], groups[b, 2] = unpack(
            histogram[at], histogram[at + k - 1], scale
        )
    return groups


@kernel(exact=True)
def unpack(packed, hessian, scale):
    """Return n, H and -G of sums over the grid (2)."""
    count = packed & ((np.int64(1) << scale.count_bits) - 1)
    gradient = -np.float64(packed >> scale.count_bits) * scale.gradient_step
    if scale.constant_hessian > 0.0:
        return np.float64(count), count * scale.constant_hessian, gradient
    return np.float64(count), np.float64(hessian) * scale.hessian_step, gradient
