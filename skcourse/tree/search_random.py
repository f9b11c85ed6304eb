"""The merit of one given threshold: what extremely randomised trees look at.

Reference   P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Machine Learning, 2006.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.impurity import merit
from skcourse.tree.search_ordered import (
    MERIT,
    MISSING_LEFT,
    N_LEFT,
    THRESHOLD,
    respects_all,
    sign_of,
)
from skcourse.tree.statistics import CLASS_BITS

CLASS_MASK = (1 << CLASS_BITS) - 1


class Sample(NamedTuple):
    """The rows of a tree, in no order of values."""

    rows: np.ndarray  # int32 (n_rows,), those of a node side by side
    counts: np.ndarray | None  # int32 (n,), see `Statistics`


@kernel
def sum_left(view, candidate, rows, counts, sides, targets, left):
    """Sum the rows that go left.

    Parameters
    ----------
    view : View, without orders
    candidate : int
    rows, counts : see `Sample`
    sides : (threshold, missing_left)
    targets : Targets
    left : float64 array of shape (n_sums,), zeros; overwritten with the sums

    Returns
    -------
    n_left, w_left : number and weight of the rows
    """
    f, values, weights = view.candidates[candidate, 0], view.values, targets.weights
    codes, y = targets.codes, targets.y
    threshold, missing_left = sides
    w_left, n_left = 0.0, 0
    for i in range(view.start, view.stop):
        row = rows[i]
        x = values[f, row]
        if x <= threshold or (missing_left and np.isnan(x)):
            n_left += 1
            if counts is not None:
                v = np.float64(counts[row] >> CLASS_BITS)
                left[counts[row] & CLASS_MASK] += v
            else:
                v = weights[row] if weights.shape[0] else 1.0
                for k in range(codes.shape[1]):
                    left[k * targets.n_classes + codes[row, k]] += v
                for k in range(y.shape[1]):
                    left[k] += v * y[row, k]
            w_left += v
    return n_left, w_left


@kernel
def search_random(criterion, view, sample, block, targets, total, limits, found):
    """Find the merit, -inf if not allowed, of the thresholds and sides drawn in `found`.

    Parameters
    ----------
    view : View, without orders
    sample : Sample
    criterion, block, targets, total, limits, found : see `search_ordered`
    """
    n_sums, m = total.shape[1] - 3, view.stop - view.start
    left, right = total[1, :n_sums], total[2, :n_sums]
    bounds = (limits.min_weight, limits.lower, limits.upper)
    for j in range(block[0], block[1]):
        f, n_missing = view.candidates[j, 0], view.candidates[j, 1]
        for c in range(n_sums):
            left[c] = 0.0
        sides = (found[j, THRESHOLD], n_missing > 0 and found[j, MISSING_LEFT] > 0)
        n_left, w_left = sum_left(view, j, sample.rows, sample.counts, sides, targets, left)
        found[j, MERIT], found[j, N_LEFT] = -np.inf, n_left
        if n_missing == 0:
            found[j, MISSING_LEFT] = n_left > m - n_left
        w_right, sign = total[0, n_sums] - w_left, sign_of(limits, f)
        for c in range(n_sums):
            right[c] = total[0, c] - left[c]
        if min(n_left, m - n_left) >= limits.min_samples and respects_all(
            bounds, sign, (left[0], right[0], w_left, w_right)
        ):
            found[j, MERIT] = merit(criterion, left, right, (w_left, w_right), targets.n_outputs)
