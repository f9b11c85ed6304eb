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


class View(NamedTuple):
    """A node, its rows in the order of every feature."""

    orders: np.ndarray  # int32 (d, n_rows), missing values last
    values: np.ndarray  # float32 (d, n)
    candidates: np.ndarray  # int64 (d, 2): features to look at, and their missing values
    start: int  # the rows of the node are start:stop of each order
    stop: int


class Constraints(NamedTuple):
    """What both sides of a split must respect, whatever the feature."""

    min_samples: int
    min_weight: float
    lower: float  # bounds of the values of both sides
    upper: float
    monotonic: np.ndarray  # int8 (d,) or (0,): 1, no fall with the feature; -1, no rise; 0, either


class Limits(NamedTuple):
    """What both sides of a split by a certain feature must respect."""

    min_samples: int
    min_weight: float
    sign: int  # 1: the value must not fall with the feature, -1: must not rise, 0: may
    lower: float
    upper: float


class Cut(NamedTuple):
    """A cut of a node in two."""

    merit: float
    threshold: float
    n_left: int
    missing_left: int


@kernel
def limits_of(constraints, f):
    """Return the constraints on a split by feature f."""
    sign, low, high = sign_of(constraints, f), constraints.lower, constraints.upper
    return Limits(constraints.min_samples, constraints.min_weight, sign, low, high)


@kernel
def sign_of(constraints, f):
    """Return the monotonic constraint on feature f."""
    return np.int64(constraints.monotonic[f]) if constraints.monotonic.shape[0] else 0


@kernel
def write_cut(found, candidate, cut, m, n_missing):
    """Write a cut of a node of m rows; where none misses the value, missing ones follow most."""
    found[candidate, MERIT], found[candidate, THRESHOLD] = cut.merit, cut.threshold
    found[candidate, N_LEFT] = cut.n_left
    if n_missing:
        found[candidate, MISSING_LEFT] = cut.missing_left
    else:
        found[candidate, MISSING_LEFT] = cut.n_left > m - cut.n_left


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
def respects(limits, sign, left, right, w_left, w_right):
    """Tell whether the values of both sides lie in their bounds and in the right order."""
    low, high = left / w_left, right / w_right
    if sign < 0:
        in_order = low >= high
    else:
        in_order = low <= high
    inside = min(low, high) >= limits.lower and max(low, high) <= limits.upper
    return in_order and inside


@kernel
def search_ordered(criterion, view, block, targets, total, limits, found):
    """Find the best cut of each candidate of a node that beats those before it.

    Parameters
    ----------
    criterion : int
    view : View
    block : (first, stop), the candidates
    targets : Targets
    total : float64 array of shape (3, n_sums + 3), sums of the node, its weight, two more;
        the other rows are overwritten
    limits : Constraints
    found : float64 array of shape (d, N_FOUND), overwritten; the merit is -inf where nothing beats
    """
    best = -np.inf
    for j in range(*block):
        best = search_one(criterion, view, j, targets, total, limits, found, best)


@kernel
def search_one(criterion, view, candidate, targets, total, limits, found, best):
    """Find the best cut of one candidate, if its merit exceeds `best`; return the higher one."""
    f, n_missing = view.candidates[candidate]
    order, column = view.orders[f, view.start : view.stop], view.values[f]
    m, n_sums = order.shape[0], total.shape[1] - 3
    n_known, sign = m - n_missing, sign_of(limits, f)
    left, right = total[1, :n_sums], total[2, :n_sums]
    found[candidate, MERIT] = -np.inf
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
            if sign != 0 and not respects(limits, sign, left[0], right[0], w_left, w_right):
                continue
            value = merit(criterion, left, right, (w_left, w_right), targets.n_outputs)
            if value > best:
                best = value
                above = np.inf if last else column[order[i + 1]]
                cut = Cut(value, middle(column[order[i]], above), n_left, missing_left)
                write_cut(found, candidate, cut, m, n_missing)
    return best


@kernel(exact=True)
def middle(low, high):
    """Return the mean of two float32 as a float64: always between them, never infinite."""
    return np.float64(low) / 2.0 + np.float64(high) / 2.0
