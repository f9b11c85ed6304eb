"""The sums of a node, from which its value and its impurity follow."""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.impurity import POISSON, impurity
from skcourse.tree.workspace import ROUNDED, SQUARES, WEIGHT


@kernel
def add_rows(criterion, rows, targets, wy, sums):
    """Add the rows to `sums`.

    Parameters
    ----------
    criterion : int
    rows : int32 array
    targets : Targets
    wy : float64 array of shape (n,) or None, as `statistics` rounds them
    sums : float64 array of shape (n_sums + 3,): of classes or targets, then at WEIGHT the weight,
        at SQUARES Q of `impurity`, at ROUNDED the sum of wy

    Returns
    -------
    is_pure : bool, all targets of these rows are equal
    """
    weight = squares = total = 0.0
    is_pure = True
    codes, targets_y, weights, n_classes = (
        targets.codes,
        targets.y,
        targets.weights,
        targets.n_classes,
    )
    for i in range(rows.shape[0]):
        row = rows[i]
        w = weights[row] if weights.shape[0] else 1.0
        weight += w
        for k in range(codes.shape[1]):
            code = codes[row, k]
            sums[k * n_classes + code] += w
            is_pure &= code == codes[rows[0], k]
        for k in range(targets_y.shape[1]):
            y = targets_y[row, k]
            is_pure &= y == targets_y[rows[0], k]
            sums[k] += w * y
            if criterion == POISSON:
                squares += w * y * np.log(y) if y > 0 else 0.0
            else:
                squares += w * y * y
        if wy is not None:
            total += wy[row]
    sums[WEIGHT] += weight
    sums[SQUARES] += squares
    sums[ROUNDED] += total
    return is_pure


@kernel
def mixed(criterion, sums, n_outputs):
    """Return the impurity from the sums of a node that is not pure."""
    n_sums = sums.shape[0] - 3
    return impurity(criterion, sums[:n_sums], sums[SQUARES], sums[WEIGHT], n_outputs)


@kernel
def sum_sides(criterion, order, cut, targets, wy, total):
    """Write the sums of both sides of a cut to total[1] and total[2].

    Parameters
    ----------
    order : int32 array of shape (m,), rows by value, the missing ones last
    cut : (n_low, n_missing, missing_left), n_low known values on the left

    Returns
    -------
    impurity_left, impurity_right : float
    """
    n_low, n_missing, missing_left = cut
    n_known = order.shape[0] - n_missing
    for side in range(1, 3):
        for k in range(total.shape[1]):
            total[side, k] = 0.0
    left_pure = right_pure = missing_pure = True
    start = np.int64(0)
    for part in range(3 if n_missing else 2):
        stop = (n_low, n_known, order.shape[0])[part]
        side = part + 1 if part < 2 else 2 - missing_left
        pure = add_rows(criterion, order[start:stop], targets, wy, total[side])
        start = stop
        if part == 0:
            left_pure = pure
        elif part == 1:
            right_pure = pure
        else:
            missing_pure = pure
    if n_missing:
        near = order[0] if missing_left else order[n_low]
        same = missing_pure and same_targets(targets, near, order[n_known])
        if missing_left:
            left_pure &= same
        elif n_low < n_known:
            right_pure &= same
        else:
            right_pure = missing_pure
    left = 0.0 if left_pure else mixed(criterion, total[1], targets.n_outputs)
    right = 0.0 if right_pure else mixed(criterion, total[2], targets.n_outputs)
    return left, right


@kernel
def same_targets(targets, row, other):
    """Tell whether two rows have equal targets."""
    same = True
    for k in range(targets.codes.shape[1]):
        same &= targets.codes[row, k] == targets.codes[other, k]
    for k in range(targets.y.shape[1]):
        same &= targets.y[row, k] == targets.y[other, k]
    return same


@kernel
def count_node(counts, total, tally):
    """Write what `search_counts` asks for, from total[0] to tally[1]."""
    if counts is not None:
        n_classes = tally.shape[1] - 1
        tally[1, n_classes] = 0
        for c in range(n_classes):
            tally[1, c] = np.int64(total[0, c])
            tally[1, n_classes] += tally[1, c] * tally[1, c]
