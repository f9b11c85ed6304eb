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

MERIT, THRESHOLD, N_LEFT, MISSING_LEFT = range(4)  # of what a search found
N_FOUND = 4


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
def allows_cut(orders, values, f, place, last, missing_left):
    """Tell whether there is room for a threshold behind orders[f, place].

    The last of the known values is followed by the missing ones, if these go right.
    """
    if place >= last:
        return place == last and not missing_left
    return values[f, orders[f, place]] != values[f, orders[f, place + 1]]


@kernel
def respects_all(bounds, sign, sums):
    """Tell whether a split, (S_left, S_right, W_left, W_right), respects the constraints.

    Parameters
    ----------
    bounds : (least weight, least value, greatest value) of a side
    sign : int, see `Limits`
    """
    left, right, w_left, w_right = sums
    if min(w_left, w_right) < bounds[0]:
        return False
    return sign == 0 or respects(bounds, sign, left, right, w_left, w_right)


@kernel
def write_cut(orders, values, f, place, last, cut, found):
    """Write (merit, n_left, missing_left) of a cut behind orders[f, place]; `last` is known."""
    found[MERIT], found[N_LEFT], found[MISSING_LEFT] = cut
    found[THRESHOLD] = np.inf
    if place < last:
        found[THRESHOLD] = middle(values[f, orders[f, place]], values[f, orders[f, place + 1]])


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
def respects(bounds, sign, left, right, w_left, w_right):
    """Tell whether the values of both sides lie in their bounds and in the right order."""
    _, lower, upper = bounds
    low, high = left / w_left, right / w_right
    if sign < 0:
        in_order = low >= high
    else:
        in_order = low <= high
    inside = min(low, high) >= lower and max(low, high) <= upper
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
    m, n_sums, best = view.stop - view.start, total.shape[1] - 3, -np.inf
    left, right, w_all = total[1, :n_sums], total[2, :n_sums], total[0, n_sums]
    orders = view.orders
    codes, y, weights, n_classes = targets.codes, targets.y, targets.weights, targets.n_classes
    values, candidates, begin = view.values, view.candidates, limits.min_samples - 1
    monotonic, constrained = limits.monotonic, limits.monotonic.shape[0] > 0
    bounds = (limits.min_weight, limits.lower, limits.upper)
    for j in range(block[0], block[1]):
        f, n_missing = candidates[j, 0], candidates[j, 1]
        last, sign = view.stop - n_missing - 1, monotonic[f] if constrained else 0
        found[j, MERIT] = -np.inf
        for missing_left in range(2 if n_missing else 1):
            w = 0.0
            for c in range(n_sums):
                left[c] = 0.0
            shift = m - n_missing if missing_left else 0
            for k in range(m - max(limits.min_samples, 1)):
                i = k + shift
                i = view.start + (i - m if i >= m else i)
                row = orders[f, i]
                v = weights[row] if weights.shape[0] else 1.0
                for c in range(codes.shape[1]):
                    left[c * n_classes + codes[row, c]] += v
                for c in range(y.shape[1]):
                    left[c] += v * y[row, c]
                w += v
                if k < begin or not allows_cut(orders, values, f, i, last, missing_left):
                    continue
                for c in range(n_sums):
                    right[c] = total[0, c] - left[c]
                if not respects_all(bounds, sign, (left[0], right[0], w, w_all - w)):
                    continue
                value = merit(criterion, left, right, (w, w_all - w), targets.n_outputs)
                if value > best:
                    best = value
                    left_too = missing_left if n_missing else 2 * (k + 1) > m
                    write_cut(orders, values, f, i, last, (value, k + 1, left_too), found[j])


@kernel(exact=True)
def middle(low, high):
    """Return the mean of two float32 as a float64: always between them, never infinite."""
    return np.float64(low) / 2.0 + np.float64(high) / 2.0
