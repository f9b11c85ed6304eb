"""The best threshold of one feature by the squared error, for one output.

Problem     As in `search_ordered`. With S and W the sums of w y and of w on a side of the cut, the
            squared error falls most where
                S_l^2 / W_l + S_r^2 / W_r                                               (1)
            is largest.
Cost        One read of the target, one division per row. Only where (1) comes near the best so far
            are the values compared, to see whether there is room for a threshold.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.search_ordered import MERIT, Cut, middle, respects, sign_of, write_cut
from skcourse.tree.workspace import ROUNDED, WEIGHT

NEAR = 1e-14  # of (1): more than rounding


@kernel(exact=True)
def means_merit(left, right, w_left, w_right):
    """Return (1)."""
    return left * left / w_left + right * right / w_right


@kernel
def search_means(view, block, wy, weights, total, limits, found):
    """Find the best cut of each candidate of a node that beats those before it.

    Parameters
    ----------
    view : View
    block : (first, stop), the candidates
    wy : float64 array of shape (n,), see `statistics`
    weights : float64 array of shape (n,), or (0,) if all are 1
    total : float64 array of shape (3, 1 + 3), sums of the node
    limits : Constraints
    found : float64 array of shape (d, N_FOUND), overwritten; the merit is -inf where nothing beats
    """
    best = -np.inf
    for j in range(*block):
        best = search_mean(view, j, wy, weights, total, limits, found, best)


@kernel
def search_mean(view, candidate, wy, weights, total, limits, found, best):
    """Find the best cut of one candidate, if its merit exceeds `best`; return the higher one."""
    f, n_missing = view.candidates[candidate]
    order, values = view.orders[f, view.start : view.stop], view.values
    m = view.stop - view.start
    n_known, sign = m - n_missing, sign_of(limits, f)
    weighted = weights.shape[0] > 0
    s_all, w_all = total[0, ROUNDED], total[0, WEIGHT]
    found[candidate, MERIT] = -np.inf
    bar = best - NEAR * abs(best)
    for missing_left in range(2 if n_missing else 1):
        s, w = 0.0, 0.0
        offset = n_missing if missing_left else 0
        for i in range(n_known, n_known + offset):
            s += wy[order[i]]
            w += weights[order[i]] if weighted else 1.0
        begin = limits.min_samples - 1 - offset
        for i in range(min(n_known, m - max(limits.min_samples, 1) - offset)):
            row = order[i]
            s += wy[row]
            w += weights[row] if weighted else 1.0
            rest, right = s_all - s, w_all - w
            gain = (s * s * right + rest * rest * w) / (w * right)
            if gain > bar and i >= begin:
                last = i == n_known - 1
                if not last and values[f, row] == values[f, order[i + 1]]:
                    continue
                value = means_merit(s, rest, w, right)
                if value > best and min(w, right) >= limits.min_weight:
                    if sign != 0 and not respects(limits, sign, s, rest, w, right):
                        continue
                    best, bar = value, value - NEAR * abs(value)
                    above = np.inf if last else values[f, order[i + 1]]
                    cut = Cut(value, middle(values[f, row], above), i + 1 + offset, missing_left)
                    write_cut(found, candidate, cut, m, n_missing)
    return best
