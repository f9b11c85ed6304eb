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
from skcourse.tree.search_ordered import (
    MERIT,
    MISSING_LEFT,
    N_LEFT,
    THRESHOLD,
    WEIGHT_LEFT,
    middle,
    respects,
)
from skcourse.tree.workspace import ROUNDED, WEIGHT

NEAR = 1e-14  # of (1): more than rounding


@kernel(exact=True)
def means_merit(left, right, w_left, w_right):
    """Return (1)."""
    return left * left / w_left + right * right / w_right


@kernel
def search_means(order, column, n_missing, wy, weights, total, limits, found):
    """Overwrite `found` with the best cut if it is better than found[MERIT], which else is -inf.

    Parameters
    ----------
    order : int32 array of shape (m,), rows by value, the missing ones last
    column : float32 array of shape (n,), the feature
    n_missing : int
    wy : float64 array of shape (n,), see `statistics`
    weights : float64 array of shape (n,), or (0,) if all are 1
    total : float64 array of shape (3, 1 + 3), sums of the node
    limits : Limits
    found : float64 array of shape (N_FOUND,)
    """
    m, n_known = order.shape[0], order.shape[0] - n_missing
    weighted = weights.shape[0] > 0
    s_all, w_all = total[0, ROUNDED], total[0, WEIGHT]
    best, found[MERIT] = found[MERIT], -np.inf
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
                if not last and column[row] == column[order[i + 1]]:
                    continue
                value = means_merit(s, rest, w, right)
                if value > best and min(w, right) >= limits.min_weight:
                    if limits.sign != 0 and not respects(limits, s, rest, w, right):
                        continue
                    best, bar = value, value - NEAR * abs(value)
                    found[MERIT], found[N_LEFT], found[WEIGHT_LEFT] = value, i + 1 + offset, w
                    found[MISSING_LEFT] = missing_left
                    found[THRESHOLD] = np.inf if last else middle(column[row], column[order[i + 1]])
    if n_missing == 0:
        found[MISSING_LEFT] = found[N_LEFT] > m - found[N_LEFT]
