"""The best threshold of one feature by Gini's impurity, for one output.

Problem     As in `search_ordered`. With s_c and t_c the weights of class c on the left and on the
            right, W_l and W_r their sums, the best cut has the largest
                sum_c s_c^2 / W_l + sum_c t_c^2 / W_r.                                  (1)
Iteration   A row of class c and weight w that changes sides changes the sums of squares by
                w (2 s_c + w)   and   - w (2 t_c - w),                                  (2)
            whatever the number of classes. Only where (1) comes near the best so far are the values
            compared, to see whether there is room for a threshold, and the merit computed as
            scikit-learn does.
Cost        One read of the class, one division per row.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.search_ordered import MERIT, allows_cut, respects_all, write_cut
from skcourse.tree.statistics import CLASS_BITS
from skcourse.tree.workspace import WEIGHT

NEAR = 1e-13  # of (1), beside W: more than rounding
CLASS_MASK = (1 << CLASS_BITS) - 1


@kernel(exact=True)
def gini_merit(left, right, w_left, w_right):
    """Return - W_r gini_r - W_l gini_l, from the sums of squares of both sides."""
    left, right = np.float64(left), np.float64(right)
    w_left, w_right = np.float64(w_left), np.float64(w_right)
    gini_left = 1.0 - left / (w_left * w_left)
    gini_right = 1.0 - right / (w_right * w_right)
    return -w_right * gini_right - w_left * gini_left


@kernel
def search_counts(view, block, counts, tally, limits, found):
    """Find the best cut of each candidate of a node that beats those before it.

    Parameters
    ----------
    view : View
    block : (first, stop), the candidates
    counts : int32 array of shape (n,), integer weights and classes, see `Statistics`
    tally : int64 array of shape (2, n_classes + 1): scratch; sums of the node, and the sum of their
        squares
    limits : Constraints
    found : float64 array of shape (d, N_FOUND), overwritten; the merit is -inf where nothing beats
    """
    m, n_classes, best = view.stop - view.start, tally.shape[1] - 1, -np.inf
    orders, start, w_all = view.orders, view.start, np.int64(0)
    for c in range(n_classes):
        w_all += tally[1, c]
    values, candidates, begin = view.values, view.candidates, limits.min_samples - 1
    monotonic, constrained = limits.monotonic, limits.monotonic.shape[0] > 0
    bounds = (limits.min_weight, limits.lower, limits.upper)
    for j in range(block[0], block[1]):
        f, n_missing = candidates[j, 0], candidates[j, 1]
        last, sign = view.stop - n_missing - 1, monotonic[f] if constrained else 0
        found[j, MERIT], bar = -np.inf, best + w_all * (1.0 - NEAR)
        for missing_left in range(2 if n_missing else 1):
            a, b, w = np.int64(0), tally[1, n_classes], np.int64(0)  # sums of squares, W_l
            for c in range(n_classes):
                tally[0, c] = 0
            shift = m - n_missing if missing_left else 0
            stop = m - max(limits.min_samples, 1) if best < 0.0 else 0  # nothing beats pure sides
            for k in range(stop):
                i = k + shift
                i = start + (i - m if i >= m else i)
                p = counts[orders[f, i]]
                c, v = p & CLASS_MASK, np.int64(p >> CLASS_BITS)
                s = tally[0, c]
                a += v * (2 * s + v)  # (2)
                b -= v * (2 * (tally[1, c] - s) - v)
                w += v
                tally[0, c] = s + v
                left, right = np.float64(w), np.float64(w_all - w)
                gain = (a * right + b * left) / (left * right)  # (1)
                if (
                    gain > bar
                    and k >= begin
                    and allows_cut(orders, values, f, i, last, missing_left)
                ):
                    value = gini_merit(a, b, left, right)
                    low = np.float64(tally[0, 0])
                    sums = (low, tally[1, 0] - low, left, right)
                    if value > best and respects_all(bounds, sign, sums):
                        best, bar = value, gain - w_all * NEAR
                        left_too = missing_left if n_missing else 2 * (k + 1) > m
                        write_cut(orders, values, f, i, last, (value, k + 1, left_too), found[j])


@kernel
def search_weights(view, block, classes, weights, total, limits, found):
    """Do as `search_counts` with weights that are no integers.

    Parameters
    ----------
    classes : int32 array of shape (n,)
    weights : float64 array of shape (n,)
    total : float64 array of shape (3, n_classes + 3), sums of the node; scratch
    """
    m, n_classes, best = view.stop - view.start, total.shape[1] - 3, -np.inf
    orders, start, w_all, squares = view.orders, view.start, total[0, WEIGHT], 0.0
    for c in range(n_classes):
        squares += total[0, c] * total[0, c]
    values, candidates, begin = view.values, view.candidates, limits.min_samples - 1
    monotonic, constrained = limits.monotonic, limits.monotonic.shape[0] > 0
    bounds = (limits.min_weight, limits.lower, limits.upper)
    for j in range(block[0], block[1]):
        f, n_missing = candidates[j, 0], candidates[j, 1]
        last, sign = view.stop - n_missing - 1, monotonic[f] if constrained else 0
        found[j, MERIT], bar = -np.inf, best + w_all * (1.0 - NEAR)
        for missing_left in range(2 if n_missing else 1):
            a, b, w = 0.0, squares, 0.0
            for c in range(n_classes):
                total[1, c] = 0.0
            shift = m - n_missing if missing_left else 0
            for k in range(m - max(limits.min_samples, 1)):
                i = k + shift
                i = start + (i - m if i >= m else i)
                row = orders[f, i]
                c, v = classes[row], weights[row]
                s = total[1, c]
                a += v * (2 * s + v)  # (2)
                b -= v * (2 * (total[0, c] - s) - v)
                w += v
                total[1, c] = s + v
                right = w_all - w
                gain = (a * right + b * w) / (w * right)  # (1)
                if (
                    gain > bar
                    and k >= begin
                    and allows_cut(orders, values, f, i, last, missing_left)
                ):
                    value = weighted_merit(total, n_classes, w, right)
                    sums = (total[1, 0], total[0, 0] - total[1, 0], w, right)
                    if value > best and respects_all(bounds, sign, sums):
                        best, bar = value, gain - w_all * NEAR
                        left_too = missing_left if n_missing else 2 * (k + 1) > m
                        write_cut(orders, values, f, i, last, (value, k + 1, left_too), found[j])


@kernel(exact=True)
def weighted_merit(total, n_classes, w_left, w_right):
    """Return the merit from the sums of the node, total[0], and of the left side, total[1]."""
    left = right = 0.0
    for c in range(n_classes):
        rest = total[0, c] - total[1, c]
        left += total[1, c] * total[1, c]
        right += rest * rest
    return gini_merit(left, right, w_left, w_right)
