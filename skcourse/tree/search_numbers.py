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
from skcourse.tree.search_ordered import MERIT, allows_cut, respects_all, write_cut
from skcourse.tree.workspace import ROUNDED, WEIGHT

NEAR = 1e-14  # of (1): more than rounding


@kernel(exact=True)
def means_merit(left, right, w_left, w_right):
    """Return (1)."""
    return left * left / w_left + right * right / w_right


@kernel
def search_means(view, block, products, weights, total, limits, found):
    """Find the best cut of each candidate of a node that beats those before it.

    Parameters
    ----------
    view : View
    block : (first, stop), the candidates
    products : float64 array of shape (n,), see `Statistics`
    weights : float64 array of shape (n,), or (0,) if all are 1
    total : float64 array of shape (3, 1 + 3), sums of the node
    limits : Constraints
    found : float64 array of shape (d, N_FOUND), overwritten; the merit is -inf where nothing beats
    """
    m, best, weighted = view.stop - view.start, -np.inf, weights.shape[0] > 0
    orders, start = view.orders, view.start
    s_all, w_all = total[0, ROUNDED], total[0, WEIGHT]
    values, candidates, begin = view.values, view.candidates, limits.min_samples - 1
    monotonic, constrained = limits.monotonic, limits.monotonic.shape[0] > 0
    bounds = (limits.min_weight, limits.lower, limits.upper)
    for j in range(block[0], block[1]):
        f, n_missing = candidates[j, 0], candidates[j, 1]
        last, sign = view.stop - n_missing - 1, monotonic[f] if constrained else 0
        found[j, MERIT], bar = -np.inf, best - NEAR * abs(best)
        for missing_left in range(2 if n_missing else 1):
            s, w = 0.0, 0.0
            shift = m - n_missing if missing_left else 0
            for k in range(m - max(limits.min_samples, 1)):
                i = k + shift
                i = start + (i - m if i >= m else i)
                row = orders[f, i]
                s += products[row]
                w += weights[row] if weighted else 1.0
                rest, right = s_all - s, w_all - w
                gain = (s * s * right + rest * rest * w) / (w * right)
                if (
                    gain > bar
                    and k >= begin
                    and allows_cut(orders, values, f, i, last, missing_left)
                ):
                    value = means_merit(s, rest, w, right)
                    if value > best and respects_all(bounds, sign, (s, rest, w, right)):
                        best, bar = value, value - NEAR * abs(value)
                        left_too = missing_left if n_missing else 2 * (k + 1) > m
                        write_cut(orders, values, f, i, last, (value, k + 1, left_too), found[j])
