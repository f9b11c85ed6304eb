"""The best threshold of one feature, for a node whose rows are in its order.

Problem     Of all cuts between two different values of x_f, find the one with the highest merit.
Iteration   Move row after row from the right side to the left, keep the sums of the left; what is
            missing goes right in a first pass, and left in a second.
Cost        O(m) per pass for m rows, times the number of sums.
Reference   T. Hastie, R. Tibshirani, J. Friedman, The elements of statistical learning, 2009, 9.2.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.impurity import merit

MERIT, THRESHOLD, N_LEFT, MISSING_LEFT, WEIGHT_LEFT = range(5)  # of what a search found
N_FOUND = 5


class Limits(NamedTuple):
    """What both sides of a split must respect."""

    min_samples: int
    min_weight: float
    sign: int  # 1: the value must not fall with the feature, -1: must not rise, 0: may
    lower: float  # bounds of the values of both sides
    upper: float


@kernel
def add_row(sums, row, sign, targets):
    """Add `sign` times row `row` to the sums; return its weight, times `sign`."""
    w = sign * (targets.weights[row] if targets.weights.shape[0] else 1.0)
    for k in range(targets.codes.shape[1]):
        sums[k * targets.n_classes + targets.codes[row, k]] += w
    for k in range(targets.y.shape[1]):
        sums[k] += w * targets.y[row, k]
    return w


@kernel(exact=True)
def respects(limits, left, right, w_left, w_right):
    """Tell whether the values of both sides lie in their bounds and in the right order."""
    low, high = left / w_left, right / w_right
    if limits.sign < 0:
        in_order = low >= high
    else:
        in_order = low <= high
    inside = min(low, high) >= limits.lower and max(low, high) <= limits.upper
    return in_order and inside


@kernel
def search_ordered(criterion, order, column, n_missing, targets, total, limits, found):
    """Overwrite `found` with the best cut if it is better than found[MERIT], which else is -inf.

    Parameters
    ----------
    criterion : int
    order : int32 array of shape (m,), rows by value, the missing ones last
    column : float32 array of shape (n,), the feature
    n_missing : int
    targets : Targets
    total : float64 array of shape (3, n_sums + 3), sums of the node, its weight, two more;
        the other rows are overwritten
    limits : Limits
    found : float64 array of shape (N_FOUND,)
    """
    m, n_sums = order.shape[0], total.shape[1] - 3
    n_known = m - n_missing
    left, right = total[1, :n_sums], total[2, :n_sums]
    best, found[MERIT] = found[MERIT], -np.inf
    for missing_left in range(2 if n_missing else 1):
        left[:] = 0.0
        w_left, n_left = 0.0, 0
        if missing_left:
            for i in range(n_known, m):
                w_left += add_row(left, order[i], 1.0, targets)
            n_left = n_missing
        for i in range(n_known):
            w_left += add_row(left, order[i], 1.0, targets)
            n_left += 1
            if n_left < limits.min_samples or m - n_left < limits.min_samples or n_left == m:
                continue
            last = i == n_known - 1
            if not last and column[order[i]] == column[order[i + 1]]:
                continue
            w_right = total[0, n_sums] - w_left
            if w_left < limits.min_weight or w_right < limits.min_weight:
                continue
            for c in range(n_sums):
                right[c] = total[0, c] - left[c]
            if limits.sign != 0 and not respects(limits, left[0], right[0], w_left, w_right):
                continue
            value = merit(criterion, left, right, (w_left, w_right), targets.n_outputs)
            if value > best:
                best = value
                found[MERIT], found[N_LEFT], found[MISSING_LEFT] = value, n_left, missing_left
                found[WEIGHT_LEFT] = w_left
                found[THRESHOLD] = (
                    np.inf if last else middle(column[order[i]], column[order[i + 1]])
                )
    if n_missing == 0:
        found[MISSING_LEFT] = found[N_LEFT] > m - found[N_LEFT]


@kernel(exact=True)
def middle(low, high):
    """Return the mean of two float32 as a float64: always between them, never infinite."""
    return np.float64(low) / 2.0 + np.float64(high) / 2.0
