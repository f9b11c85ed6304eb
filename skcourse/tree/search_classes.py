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
from skcourse.tree.impurity import GINI, merit
from skcourse.tree.search_ordered import MERIT, Cut, middle, respects, sign_of, write_cut
from skcourse.tree.statistics import CLASS_BITS

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
def search_counts(view, block, packed, tally, limits, found):
    """Find the best cut of each candidate of a node that beats those before it.

    Parameters
    ----------
    view : View
    block : (first, stop), the candidates
    packed : int32 array of shape (n,), integer weights and classes, see `statistics`
    tally : int64 array of shape (2, n_classes + 1): zeros, for scratch; sums of the node, and the
        sum of their squares
    limits : Constraints
    found : float64 array of shape (d, N_FOUND), overwritten; the merit is -inf where nothing beats
    """
    best = -np.inf
    for j in range(*block):
        found[j, MERIT] = -np.inf
        if best < 0.0:  # nothing beats pure sides
            best = search_count(view, j, packed, tally, limits, found, best)


@kernel
def search_count(view, candidate, packed, tally, limits, found, best):
    """Find the best cut of one candidate, if its merit exceeds `best`; return the higher one."""
    f, n_missing = view.candidates[candidate]
    order, values = view.orders[f, view.start : view.stop], view.values
    m, n_classes = view.stop - view.start, tally.shape[1] - 1
    n_known, sign = m - n_missing, sign_of(limits, f)
    count, whole = tally[0], tally[1]
    w_all = np.int64(0)
    for c in range(n_classes):
        w_all += whole[c]
    bar = best + w_all * (1.0 - NEAR)
    for missing_left in range(2 if n_missing else 1):
        a, b, w = np.int64(0), whole[n_classes], np.int64(0)  # sums of squares, W_l
        offset = n_missing if missing_left else 0
        for i in range(n_known, n_known + offset):
            p = packed[order[i]]
            c, v = p & CLASS_MASK, np.int64(p >> CLASS_BITS)
            a += v * (2 * count[c] + v)
            b -= v * (2 * (whole[c] - count[c]) - v)
            w += v
            count[c] += v
        begin = limits.min_samples - 1 - offset
        for i in range(min(n_known, m - max(limits.min_samples, 1) - offset)):
            row = order[i]
            p = packed[row]
            c, v = p & CLASS_MASK, np.int64(p >> CLASS_BITS)
            s = count[c]
            a += v * (2 * s + v)  # (2)
            b -= v * (2 * (whole[c] - s) - v)
            w += v
            count[c] = s + v
            left, right = np.float64(w), np.float64(w_all - w)
            gain = (a * right + b * left) / (left * right)  # (1)
            if gain > bar and i >= begin:
                last = i == n_known - 1
                if not last and values[f, row] == values[f, order[i + 1]]:
                    continue
                value = gini_merit(a, b, left, right)
                if value > best and min(left, right) >= limits.min_weight:
                    if sign != 0 and not respects(
                        limits, sign, count[0], whole[0] - count[0], left, right
                    ):
                        continue
                    best, bar = value, gain - w_all * NEAR
                    above = np.inf if last else values[f, order[i + 1]]
                    cut = Cut(value, middle(values[f, row], above), i + 1 + offset, missing_left)
                    write_cut(found, candidate, cut, m, n_missing)
        if n_classes <= m:
            for c in range(n_classes):
                count[c] = 0
        else:
            for i in range(m):
                count[packed[order[i]] & CLASS_MASK] = 0
    return best


@kernel
def search_weights(view, block, packed, weights, total, limits, found):
    """Do as `search_counts` with weights that are no integers.

    Parameters
    ----------
    packed : int32 array of shape (n,), classes
    weights : float64 array of shape (n,)
    total : float64 array of shape (3, n_classes + 3), sums of the node; scratch
    """
    best = -np.inf
    for j in range(*block):
        best = search_weight(view, j, packed, weights, total, limits, found, best)


@kernel
def search_weight(view, candidate, packed, weights, total, limits, found, best):
    """Find the best cut of one candidate, if its merit exceeds `best`; return the higher one."""
    f, n_missing = view.candidates[candidate]
    order, values = view.orders[f, view.start : view.stop], view.values
    m, n_classes = view.stop - view.start, total.shape[1] - 3
    n_known, sign = m - n_missing, sign_of(limits, f)
    found[candidate, MERIT] = -np.inf
    whole, count, rest = total[0, :n_classes], total[1, :n_classes], total[2, :n_classes]
    w_all = squares = 0.0
    for c in range(n_classes):
        w_all += whole[c]
        squares += whole[c] * whole[c]
    bar = best + w_all * (1.0 - NEAR)
    for missing_left in range(2 if n_missing else 1):
        a, b, w = 0.0, squares, 0.0
        offset = n_missing if missing_left else 0
        for c in range(n_classes):
            count[c] = 0.0
        for i in range(n_known, n_known + offset):
            c, v = packed[order[i]], weights[order[i]]
            a += v * (2 * count[c] + v)
            b -= v * (2 * (whole[c] - count[c]) - v)
            w += v
            count[c] += v
        begin = limits.min_samples - 1 - offset
        for i in range(min(n_known, m - max(limits.min_samples, 1) - offset)):
            row = order[i]
            c, v = packed[row], weights[row]
            s = count[c]
            a += v * (2 * s + v)  # (2)
            b -= v * (2 * (whole[c] - s) - v)
            w += v
            count[c] = s + v
            right = w_all - w
            gain = (a * right + b * w) / (w * right)  # (1)
            if gain > bar and i >= begin:
                last = i == n_known - 1
                if not last and values[f, row] == values[f, order[i + 1]]:
                    continue
                for c in range(n_classes):
                    rest[c] = whole[c] - count[c]
                value = merit(GINI, count, rest, (w, right), 1)
                if value > best and min(w, right) >= limits.min_weight:
                    if sign != 0 and not respects(limits, sign, count[0], rest[0], w, right):
                        continue
                    best, bar = value, gain - w_all * NEAR
                    above = np.inf if last else values[f, order[i + 1]]
                    cut = Cut(value, middle(values[f, row], above), i + 1 + offset, missing_left)
                    write_cut(found, candidate, cut, m, n_missing)
    return best
