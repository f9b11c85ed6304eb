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
    add_row,
    respects,
    sign_of,
)


@kernel
def search_random(criterion, view, rows, block, targets, total, limits, found):
    """Find the merit, -inf if not allowed, of the thresholds and sides drawn in `found`.

    Parameters
    ----------
    view : View, without orders
    rows : int32 array, the rows of the node are start:stop
    criterion, block, targets, total, limits, found : see `search_ordered`
    """
    n_sums, m = total.shape[1] - 3, view.stop - view.start
    left, right = total[1, :n_sums], total[2, :n_sums]
    for j in range(*block):
        f, n_missing = view.candidates[j]
        left[:] = 0.0
        w_left, n_left, threshold = 0.0, 0, found[j, THRESHOLD]
        missing_left = n_missing > 0 and found[j, MISSING_LEFT] > 0
        found[j, MERIT] = -np.inf
        for i in range(view.start, view.stop):
            row = rows[i]
            x = view.values[f, row]
            if x <= threshold or (missing_left and np.isnan(x)):
                w_left += add_row(left, row, 1.0, targets)
                n_left += 1
        found[j, N_LEFT] = n_left
        if n_missing == 0:
            found[j, MISSING_LEFT] = n_left > m - n_left
        if min(n_left, m - n_left) < limits.min_samples:
            continue
        w_right, sign = total[0, n_sums] - w_left, sign_of(limits, f)
        if min(w_left, w_right) < limits.min_weight:
            continue
        for c in range(n_sums):
            right[c] = total[0, c] - left[c]
        if sign == 0 or respects(limits, sign, left[0], right[0], w_left, w_right):
            found[j, MERIT] = merit(criterion, left, right, (w_left, w_right), targets.n_outputs)
