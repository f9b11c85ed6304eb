"""Quantiles of weighted numbers, one for each leaf of a tree.

Problem     The numbers r_1 <= .. <= r_n of a leaf have weights w_i; W is their sum and
            C_i = w_1 + .. + w_i. Which number is reached by a share q of the weight?
Lower       The least that reaches it: r_i with C_(i-1) < q W <= C_i.                           (1)
Between     Where weights count repetitions, as if each r_i stood there w_i times: at the place
            q (W - 1) of the repeated numbers, linear between two places.                       (2)
            Without weights that is `numpy.quantile`. Weights that are no whole numbers have no
            places to lie between; then (1) holds.
Cost        Rows are gathered by leaf in one pass; then selection in O(n), sorting with weights.
"""

import numpy as np

from skcourse.core.chunks import reduce_blocks
from skcourse.core.kernel import kernel


@kernel
def gather_by_leaf(leaves, ends, source, target):
    """Write each number behind the others of its leaf.

    Parameters
    ----------
    leaves : int64 array of shape (n,), -1 where a row does not count
    ends : int64 array of shape (n_leaves,)
        Where the numbers of each leaf begin; overwritten with where they end.
    source : float64 array of shape (n,)
    target : float64 array, overwritten
    """
    for i in range(len(leaves)):
        leaf = leaves[i]
        if leaf >= 0:
            target[ends[leaf]] = source[i]
            ends[leaf] += 1


def leaf_quantiles(leaves, n_leaves, numbers, weights, quantile, interpolate, *, n_jobs=-1):
    """Return the quantile of the numbers of each leaf, float64 (n_leaves,); 0 of an empty one.

    Parameters
    ----------
    leaves : integer array of shape (n,), in 0 .. n_leaves - 1, or -1 where a row does not count
    n_leaves : int
    numbers : array of shape (n,)
    weights : float64 array of shape (n,), or None for ones
    quantile : float in (0, 1)
    interpolate : bool, whether (2) holds where it can
    n_jobs : int or None, default=-1
    """
    leaves = np.ascontiguousarray(leaves, np.int64)
    counts = np.bincount(leaves + 1, minlength=n_leaves + 1)[1:]
    starts = np.concatenate([[0], np.cumsum(counts)])
    gathered = [np.empty(starts[-1]) for _ in range(1 if weights is None else 2)]
    for source, target in zip((numbers, weights), gathered, strict=False):
        gather_by_leaf(leaves, starts[:-1].copy(), np.ascontiguousarray(source, float), target)
    values = np.zeros(n_leaves)

    def one_leaf(leaf):
        rows = slice(starts[leaf], starts[leaf + 1])
        w = None if weights is None else gathered[1][rows]
        values[leaf] = quantile_of(gathered[0][rows], w, quantile, interpolate)

    threads = n_jobs if starts[-1] >= 2**14 else 1  # below, a thread costs more than it brings
    filled = np.flatnonzero(counts).tolist()
    reduce_blocks(one_leaf, filled, lambda total, part: None, n_jobs=threads)
    return values


def quantile_of(numbers, weights, quantile, interpolate):
    """Return one quantile of numbers of shape (n,), by (2) if `interpolate` and possible, or (1).

    Raises
    ------
    ValueError
        If no number has a weight.
    """
    n, unit = len(numbers), weights is None or bool(np.all(weights == 1))
    if not unit:
        order = np.argsort(numbers, kind="stable")
        C = np.cumsum(weights[order])
        interpolate = interpolate and bool(np.all(weights == np.floor(weights)))
    W = n if unit else C[-1]
    if not W > 0:
        raise ValueError("A quantile needs a number whose weight is positive.")
    place = quantile * (W - 1) if interpolate else quantile * W
    below = np.floor(place)
    if interpolate:
        places = np.array([below, min(below + 1, W - 1)])
        at = places.astype(np.intp) if unit else np.searchsorted(C, places, side="right")
    else:
        at = np.array([np.ceil(place) - 1 if unit else np.searchsorted(C, place)], np.intp)
    at = np.clip(at, 0, n - 1)
    found = np.partition(numbers, np.unique(at))[at] if unit else numbers[order[at]]
    if not interpolate:
        return float(found[0])
    t, step = place - below, found[1] - found[0]
    return float(found[0] + step * t if t < 0.5 else found[1] - step * (1 - t))
