"""The best threshold for the absolute error: a median on each side of every cut.

Problem     A side R of a cut predicts its weighted median m(R) and costs
                AE(R) = sum_{i in R} w_i |y_i - m(R)|                             (1)
            Find the cut of a node, in the order of x_f, with the least AE(left) + AE(right).
Idea        A median is hard to keep while rows arrive, and easy while they leave: with the rows
            that remain in a list linked in the order of y, it moves to a neighbour.
Iteration   With C, Y_C the sums of w, w y before the median and W, Y those of all that remains,
                AE = (Y - Y_C - m (W - C)) + (m C - Y_C)                          (2)
            is written down, and the last row of the sequence taken out: of the list, and of W, Y
            and, if it is before the median, C, Y_C. Then the median goes where C <= W / 2 < C + w.
            The rows in the order of x_f give the left sides, in the opposite order the right ones.
Median      Where C = W / 2 it is half way to the row before, scikit-learn's convention.
Cost        O(m) for m rows of about equal weight, after the targets are sorted once per tree.
Reference   R. E. Tarjan, Data structures and network algorithms, 1983 (deletions only).
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.node_sums import mixed, sum_sides
from skcourse.tree.partition import split_stably
from skcourse.tree.search_ordered import (
    MERIT,
    MISSING_LEFT,
    N_LEFT,
    THRESHOLD,
    middle,
)
from skcourse.tree.workspace import WEIGHT

RIGHT, LEFT, ANY = 0, 1, 2  # sides


class Ranked(NamedTuple):
    """The rows in the order of their targets."""

    rows: np.ndarray  # int32 (n_outputs, m), by y of each output, those of a node side by side
    ranks: np.ndarray  # int32 (n_outputs, n), the place of a row in its node, from 1 to m


class Chain(NamedTuple):
    """The rows that remain, linked in the order of y: places 1 .. m, between the ends."""

    links: np.ndarray  # int32 (2, m + 2): the place before, and the one behind
    sums: np.ndarray  # float64 (2, m + 2): w and y at each place


def rank_rows(targets, rows):
    """Return Ranked of `rows`, sorted here once per tree."""
    orders = [rows[np.argsort(targets.y[rows, k], kind="stable")] for k in range(targets.n_outputs)]
    ranks = np.zeros((targets.n_outputs, len(targets.y)), np.int32)
    return Ranked(np.ascontiguousarray(orders, np.int32), ranks)


@kernel
def rank_node(ranked, start, end):
    """Write the ranks of the rows start:end, a node."""
    if ranked is None:
        return
    for k in range(ranked.rows.shape[0]):
        for i in range(start, end):
            ranked.ranks[k, ranked.rows[k, i]] = i - start + 1


@kernel
def rows_of_node(ranked, start, end):
    """Return Ranked of the rows start:end, a node; None if the criterion does not ask for it."""
    if ranked is None:
        return None
    return Ranked(ranked.rows[:, start:end], ranked.ranks)


@kernel(exact=True)
def absolute_error(ranked, targets, goes_left, side, medians):
    """Return (1) of the rows of a node on one side, or of all for ANY, added over outputs.

    Parameters
    ----------
    ranked : Ranked, of a node of m rows
    targets : Targets
    goes_left : uint8 (m + 1,), 1 or 0 at the rank of a row by the first output
    side : int, LEFT, RIGHT or ANY
    medians : float64 (>= n_outputs,), overwritten

    Returns
    -------
    error : float
    """
    error = 0.0
    for k in range(ranked.rows.shape[0]):
        total, before, last = 0.0, 0.0, -1
        for row in ranked.rows[k]:
            if side == ANY or goes_left[ranked.ranks[0, row]] == side:
                total += weight_of(targets, row)
        for row in ranked.rows[k]:
            if side == ANY or goes_left[ranked.ranks[0, row]] == side:
                medians[k] = targets.y[row, k]
                if before == total / 2 and last >= 0:
                    medians[k] = targets.y[last, k] / 2 + targets.y[row, k] / 2
                before += weight_of(targets, row)
                last = row
                if before > total / 2:
                    break
        for row in ranked.rows[k]:
            if side == ANY or goes_left[ranked.ranks[0, row]] == side:
                error += weight_of(targets, row) * abs(targets.y[row, k] - medians[k])
    return error


@kernel(exact=True)
def weight_of(targets, row):
    """Return w_i."""
    return targets.weights[row] if targets.weights.shape[0] else 1.0


@kernel(exact=True)
def arrange(order, n_missing, downwards, missing_first, sequence):
    """Write the rows of `order` to `sequence`: the present ones up or down, missing first or last.

    Parameters
    ----------
    order : int32 (m,), rows by x_f, the missing ones last
    n_missing : int
    downwards, missing_first : bool
    sequence : int32 (m,), overwritten
    """
    m = len(order)
    n_present = m - n_missing
    start = n_missing if missing_first else 0
    for i in range(n_present):
        sequence[start + i] = order[n_present - 1 - i] if downwards else order[i]
    start = 0 if missing_first else n_present
    for i in range(n_missing):
        sequence[start + i] = order[n_present + i]


@kernel(exact=True)
def prefix_errors(sequence, k, ranked, targets, chain, errors, medians):
    """Add (2) of the first i + 1 rows of `sequence` to errors[i], for every i; see above.

    Parameters
    ----------
    sequence : int32 (m,), rows of the node in any order
    k : int, the output
    ranked : Ranked
    targets : Targets
    chain : Chain, overwritten
    errors, medians : float64 (m,); the medians are overwritten
    """
    m = len(sequence)
    links, sums = chain
    total, total_y = 0.0, 0.0
    for place in range(m + 2):
        links[0, place], links[1, place] = place - 1, place + 1
        if 1 <= place <= m:
            row = ranked.rows[k, place - 1]
            sums[0, place], sums[1, place] = weight_of(targets, row), targets.y[row, k]
            total += sums[0, place]
            total_y += sums[0, place] * sums[1, place]
    at, before, before_y = 1, 0.0, 0.0
    for i in range(m - 1, -1, -1):
        while before > total / 2 and links[0, at] > 0:
            at = links[0, at]
            before -= sums[0, at]
            before_y -= sums[0, at] * sums[1, at]
        while before + sums[0, at] <= total / 2 and links[1, at] <= m:
            before += sums[0, at]
            before_y += sums[0, at] * sums[1, at]
            at = links[1, at]
        median = sums[1, at]
        if before == total / 2 and links[0, at] > 0:
            median = sums[1, links[0, at]] / 2 + median / 2
        medians[i] = median
        errors[i] += (total_y - before_y - median * (total - before)) + (median * before - before_y)
        place = ranked.ranks[k, sequence[i]]
        w, wy = sums[0, place], sums[0, place] * sums[1, place]
        back, front = links[0, place], links[1, place]
        links[1, back], links[0, front] = front, back
        total -= w
        total_y -= wy
        if place == at and front <= m:
            at = front
        elif place == at:
            at = back
            before -= sums[0, at]
            before_y -= sums[0, at] * sums[1, at]
        elif sums[1, place] < sums[1, at] or (sums[1, place] == sums[1, at] and place < at):
            before -= w
            before_y -= wy


@kernel(counted=True)
def search_absolute(order, column, n_missing, ranked, targets, limits, found):
    """Overwrite `found` with the best cut; its merit is -(1) of both sides, see `search_ordered`.

    Parameters
    ----------
    order : int32 (m,), rows of the node by value, the missing ones last
    column : float32 (n,), the feature
    n_missing : int
    ranked : Ranked
    targets : Targets
    limits : Limits
    found : float64 (N_FOUND,)
    """
    m = len(order)
    sequence = np.empty(m, np.int32)
    chain = Chain(np.empty((2, m + 2), np.int32), np.zeros((2, m + 2)))
    errors, medians = np.empty((2, m)), np.empty((2, m))
    found[MERIT] = -np.inf
    for missing_left in range(2 if n_missing else 1):
        for right in range(2):
            for i in range(m):
                errors[right, i] = 0.0
            arrange(order, n_missing, right == 1, missing_left != right, sequence)
            for k in range(ranked.rows.shape[0] - 1, -1, -1):  # the medians of output 0 stay
                prefix_errors(sequence, k, ranked, targets, chain, errors[right], medians[right])
        missing = (n_missing, missing_left)
        cut_at_best(order, column, missing, (errors, medians), targets, limits, found)
    if n_missing == 0:
        found[MISSING_LEFT] = found[N_LEFT] > m - found[N_LEFT]


@kernel(exact=True)
def allows(limits, low, high):
    """Tell whether the medians of the left and of the right side keep to the constraints."""
    return limits.sign == 0 or (
        limits.lower <= min(low, high)
        and max(low, high) <= limits.upper
        and (high - low) * limits.sign >= 0
    )


@kernel(exact=True)
def cut_at_best(order, column, missing, sides, targets, limits, found):
    """Compare the cuts of one direction of the missing rows; see `search_absolute`.

    Parameters
    ----------
    missing : (n_missing, missing_left)
    sides : (errors, medians), each (2, m): of the first rows of the sequences left and right
    """
    n_missing, missing_left = missing
    errors, medians = sides
    m = len(order)
    n_present = m - n_missing
    w_left, w_right = 0.0, 0.0
    for i in range(m):
        if i >= n_present and missing_left:
            w_left += weight_of(targets, order[i])
        else:
            w_right += weight_of(targets, order[i])
    for i in range(n_present):
        w_left += weight_of(targets, order[i])
        w_right -= weight_of(targets, order[i])
        n_left = i + 1 + missing_left * n_missing
        n_right = m - n_left
        last = i == n_present - 1
        if (
            min(n_left, n_right) < max(limits.min_samples, 1)
            or min(w_left, w_right) < limits.min_weight
            or (not last and column[order[i]] == column[order[i + 1]])
        ):
            continue
        merit = -errors[0, n_left - 1] - errors[1, n_right - 1]
        low, high = medians[0, n_left - 1], medians[1, n_right - 1]
        if not merit > found[MERIT] or not allows(limits, low, high):
            continue
        found[MERIT], found[N_LEFT], found[MISSING_LEFT] = merit, n_left, missing_left
        found[THRESHOLD] = np.inf if last else middle(column[order[i]], column[order[i + 1]])


@kernel
def search_errors(ranked, random, order, column, n_missing, targets, limits, found):
    """Search one feature, if the criterion is the absolute error; return whether it is.

    Parameters
    ----------
    ranked : Ranked, of the node, or None for another criterion
    random : None; or True: then found holds the one cut to be judged, `order` is in no order
    order, column, n_missing, targets, limits, found : see `search_absolute`
    """
    if ranked is None:
        return False
    if random is None:
        search_absolute(order, column, n_missing, ranked, targets, limits, found)
    else:
        judge_drawn(order, column, n_missing, ranked, targets, limits, found)
    return True


@kernel(counted=True)
def judge_drawn(rows, column, n_missing, ranked, targets, limits, found):
    """Write the merit of the one cut that `found` holds; as `search_absolute`."""
    m, n_left, w_left, w_right = len(rows), 0, 0.0, 0.0
    goes_left = np.zeros(m + 1, np.uint8)
    for row in rows:
        x = column[row]
        left = x <= found[THRESHOLD] or (np.isnan(x) and found[MISSING_LEFT] > 0)
        goes_left[ranked.ranks[0, row]] = left
        n_left += left
        w_left += left * weight_of(targets, row)
        w_right += (1 - left) * weight_of(targets, row)
    found[MERIT], found[N_LEFT] = -np.inf, n_left
    if n_missing == 0:
        found[MISSING_LEFT] = n_left > m - n_left
    if min(n_left, m - n_left) < limits.min_samples or min(w_left, w_right) < limits.min_weight:
        return
    low, high = np.empty(ranked.rows.shape[0]), np.empty(ranked.rows.shape[0])
    error = absolute_error(ranked, targets, goes_left, LEFT, low)
    error += absolute_error(ranked, targets, goes_left, RIGHT, high)
    if allows(limits, low[0], high[0]):
        found[MERIT] = -error


@kernel
def judge_node(ranked, criterion, targets, is_pure, sums):
    """Return the impurity of a node; for the absolute error, write its medians to `sums`.

    Parameters
    ----------
    ranked : Ranked, of the node, or None for another criterion
    criterion : int
    targets : Targets
    is_pure : bool
    sums : float64, see `node_sums.add_rows`
    """
    if ranked is None:
        return 0.0 if is_pure else mixed(criterion, sums, targets.n_outputs)
    return node_error(ranked, targets, sums) / (sums[WEIGHT] * targets.n_outputs)


@kernel(counted=True)
def node_error(ranked, targets, medians):
    """Return (1) of a node, and write its medians."""
    return absolute_error(ranked, targets, np.zeros(1, np.uint8), ANY, medians)


@kernel
def judge_sides(ranked, criterion, order, cut, targets, wy, total):
    """Write the sums of both sides of a cut to total[1] and total[2], or their medians.

    Parameters
    ----------
    ranked : Ranked, of the node, or None for another criterion
    criterion : int
    order : int32 (m,), the left rows, the right ones, and those that miss the value
    cut : (n_low, n_missing, missing_left), n_low known values on the left
    targets, wy, total : see `node_sums.sum_sides`

    Returns
    -------
    impurity_left, impurity_right : float
    """
    if ranked is None:
        return sum_sides(criterion, order, cut, targets, wy, total)
    return side_errors(ranked, order, cut, targets, total)


@kernel(counted=True)
def side_errors(ranked, order, cut, targets, total):
    """Write the weights and the medians of both sides, and return their mean errors."""
    n_low, n_missing, missing_left = cut
    goes_left = np.zeros(len(order) + 1, np.uint8)
    total[1, WEIGHT] = total[2, WEIGHT] = 0.0
    for i in range(len(order)):
        left = missing_left if i >= len(order) - n_missing else i < n_low
        goes_left[ranked.ranks[0, order[i]]] = left
        total[1 if left else 2, WEIGHT] += weight_of(targets, order[i])
    left_error = absolute_error(ranked, targets, goes_left, LEFT, total[1])
    right_error = absolute_error(ranked, targets, goes_left, RIGHT, total[2])
    n_outputs = targets.n_outputs
    return left_error / (total[1, WEIGHT] * n_outputs), right_error / (total[2, WEIGHT] * n_outputs)


@kernel
def divide_ranked(ranked, sides, spare, start, end):
    """Divide the rows start:end in the order of their targets, too."""
    if ranked is not None:
        for k in range(ranked.rows.shape[0]):
            rows = ranked.rows[k, start:end]
            split_stably(rows, rows, sides, spare, True)
