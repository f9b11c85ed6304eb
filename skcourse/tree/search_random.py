"""The merit of one given threshold: what extremely randomised trees look at.

Reference   P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Machine Learning, 2006.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.impurity import merit
from skcourse.tree.search_ordered import (
    MERIT,
    MISSING_LEFT,
    N_LEFT,
    THRESHOLD,
    WEIGHT_LEFT,
    add_row,
    respects,
)


@kernel
def search_random(criterion, rows, column, n_missing, targets, total, limits, found):
    """Overwrite the merit, -inf if not allowed, of the threshold and the side drawn in `found`.

    Parameters are those of `search_ordered`, but the rows are in no order.
    """
    m, n_sums = rows.shape[0], total.shape[1] - 3
    left, right = total[1, :n_sums], total[2, :n_sums]
    left[:] = 0.0
    w_left, n_left, threshold = 0.0, 0, found[THRESHOLD]
    missing_left = n_missing > 0 and found[MISSING_LEFT] > 0
    found[MERIT] = -np.inf
    for i in range(m):
        row = rows[i]
        x = column[row]
        if x <= threshold or (missing_left and np.isnan(x)):
            w_left += add_row(left, row, 1.0, targets)
            n_left += 1
    found[N_LEFT], found[WEIGHT_LEFT] = n_left, w_left
    if n_missing == 0:
        found[MISSING_LEFT] = n_left > m - n_left
    if n_left < limits.min_samples or m - n_left < limits.min_samples:
        return
    w_right = total[0, n_sums] - w_left
    if w_left < limits.min_weight or w_right < limits.min_weight:
        return
    for c in range(n_sums):
        right[c] = total[0, c] - left[c]
    if limits.sign == 0 or respects(limits, left[0], right[0], w_left, w_right):
        found[MERIT] = merit(criterion, left, right, (w_left, w_right), targets.n_outputs)
