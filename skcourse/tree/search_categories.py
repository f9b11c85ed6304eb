"""The best set of categories of one feature to go left, for the rows of a node.

Problem     Of all divisions of the categories that a node holds into two sets, find the one with
            the highest merit. What is missing is one category more; what the node does not hold
            goes right, with the majority.
Iteration   Add up the rows of each category, and search over these groups (`category_search`). For
            the absolute error, whose sums do not add up, the categories are put in the order of
            their medians, and the cuts between them searched as those of a number.
Randomly    Each category is sent left by the toss of a coin.
Cost        O(m) for m rows and the search; m log m for the absolute error.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.absolute_error import LEFT, RIGHT, absolute_error, search_absolute
from skcourse.tree.category_order import sort_by_key
from skcourse.tree.category_search import (
    ENTROPY,
    POISSON,
    QUADRATIC,
    CategoryRules,
    best_categories,
    put_lighter_left,
    write_set,
)
from skcourse.tree.draws import next_state
from skcourse.tree.group_search import Bounds, Rules
from skcourse.tree.impurity import ABSOLUTE, merit
from skcourse.tree.impurity import ENTROPY as BY_ENTROPY
from skcourse.tree.impurity import POISSON as BY_POISSON
from skcourse.tree.search_ordered import (
    MERIT,
    MISSING_LEFT,
    N_LEFT,
    THRESHOLD,
    add_row,
)


class Task(NamedTuple):
    """What is asked of a search: the criterion, and whether sets are drawn."""

    criterion: int
    random: bool


@kernel
def number_categories(rows, column, numbers):
    """Write the numbers 0, 1, .. of the categories present to `numbers`, by code, -1 if absent.

    Parameters
    ----------
    rows : int32 (m,)
    column : float32 (n,), codes, NaN where missing
    numbers : int64 (>= largest code + 1,), overwritten

    Returns
    -------
    n_present : int
    """
    for code in range(len(numbers)):
        numbers[code] = -1
    for row in rows:
        if not np.isnan(column[row]):
            numbers[np.int64(column[row])] = 0
    n_present = 0
    for code in range(len(numbers)):
        if numbers[code] == 0:
            numbers[code] = n_present
            n_present += 1
    return n_present


@kernel
def largest_code(rows, column):
    """Return the largest code among the rows, -1 if all are missing."""
    largest = np.float32(-1.0)
    for row in rows:
        if column[row] > largest:
            largest = column[row]
    return np.int64(largest)


@kernel
def add_groups(rows, column, numbers, targets, groups):
    """Add the rows to the groups of their categories; rows that miss it to the last one.

    Parameters
    ----------
    rows : int32 (m,)
    column : float32 (n,)
    numbers : int64, see `number_categories`
    targets : Targets
    groups : float64 (n_present + 1, 2 + n_sums): count, weight, sums
    """
    last = groups.shape[0] - 1
    for row in rows:
        b = group_of(row, column, numbers, last + 1)
        groups[b, 0] += 1.0
        groups[b, 1] += add_row(groups[b, 2:], row, 1.0, targets)


@kernel(counted=True)
def search_categories(task, rows, column, targets, ranked, limits, found, words):
    """Overwrite `found` with the best set; its merit is -inf where there is none.

    Parameters
    ----------
    task : Task; if sets are drawn, found[THRESHOLD] holds the state of the generator
    rows : int32 (m,), the rows of the node in any order
    column : float32 (n,), the codes of the feature, NaN where missing
    targets : Targets
    ranked : Ranked, of the node; None but for the absolute error
    limits : Limits
    found : float64 (N_FOUND,)
    words : uint64 (n_words,), the set, if there is one
    """
    numbers = np.empty(largest_code(rows, column) + 1, np.int64)
    n_sums = targets.n_outputs * targets.n_classes
    groups = np.zeros((number_categories(rows, column, numbers) + 1, 2 + n_sums))
    add_groups(rows, column, numbers, targets, groups)
    goes_left = np.zeros(len(groups), np.uint8)
    if task.random:
        draw_set(groups, np.int64(found[THRESHOLD]), goes_left)
    elif task.criterion == ABSOLUTE:
        divide_medians(ranked, (rows, column, numbers), groups, targets, limits, goes_left)
    else:
        divide_groups(task.criterion, groups, targets, limits, goes_left)
    judge_set(task.criterion, groups, goes_left, targets.n_outputs, limits, found)
    if found[MERIT] > -np.inf:
        found[MERIT] += absolute_merit(ranked, (rows, column, numbers), targets, goes_left)
        write_numbers(numbers, goes_left, words)


@kernel
def divide_groups(criterion, groups, targets, limits, goes_left):
    """Mark the set of groups of most merit in goes_left, if there is one."""
    score = QUADRATIC
    if criterion == BY_ENTROPY:
        score = ENTROPY
    elif criterion == BY_POISSON:
        score = POISSON
    n_sums = groups.shape[1] - 2
    on_a_line = n_sums == 1 or (targets.n_outputs == 1 and n_sums == 2)
    rules = Rules(np.float64(limits.min_samples), limits.min_weight, 0.0, -np.inf)
    kind = CategoryRules(score, on_a_line, 0.0, 0.0, True)
    best_categories(groups, 0.0, goes_left, rules, kind, Bounds(-np.inf, np.inf, 0.0))


@kernel
def draw_set(groups, state, goes_left):
    """Send each group left or right by the toss of a coin; the last toss is of who is alone."""
    n_present, n_left = 0, 0
    for b in range(len(groups)):
        if groups[b, 0] > 0.0:
            state = next_state(state)
            goes_left[b] = (state >> 16) & 1
            n_present += 1
            n_left += goes_left[b]
    if n_left == 0 or n_left == n_present:
        state = next_state(state)
        change = (state >> 8) % n_present
        for b in range(len(groups)):
            if groups[b, 0] > 0.0:
                goes_left[b] = (change == 0) != (n_left > 0)
                change -= 1


@kernel
def group_of(row, column, numbers, n_groups):
    """Return the number of the group that a row is in: the last one if its category is missing."""
    return n_groups - 1 if np.isnan(column[row]) else numbers[np.int64(column[row])]


@kernel
def divide_medians(ranked, table, groups, targets, limits, goes_left):
    """Mark in goes_left the best of the cuts between groups in the order of their medians.

    Parameters
    ----------
    ranked : Ranked, of the node, or None: then nothing is done
    table : (rows, column, numbers), see `search_categories`
    groups : float64 (n_groups, 2 + n_sums)
    targets : Targets
    limits : Limits
    goes_left : uint8 (n_groups,)
    """
    if ranked is not None:
        rows, column, numbers = table
        n_groups = len(groups)
        keys, before = np.full(n_groups, np.inf), np.zeros(n_groups)
        for row in ranked.rows[0]:
            b = group_of(row, column, numbers, n_groups)
            before[b] += targets.weights[row] if len(targets.weights) else 1.0
            if before[b] > groups[b, 1] / 2 and keys[b] == np.inf:
                keys[b] = targets.y[row, 0]
        order = np.arange(n_groups)
        sort_by_key(keys, order)
        places, stops = np.empty(len(column), np.float32), np.zeros(n_groups + 1, np.int64)
        for i in range(n_groups):
            stops[i + 1] = stops[i] + np.int64(groups[order[i], 0])
            before[order[i]] = i
        arranged, found = np.empty(len(rows), np.int32), np.zeros(8)
        for row in rows:
            i = np.int64(before[group_of(row, column, numbers, n_groups)])
            places[row] = i
            arranged[stops[i]] = row
            stops[i] += 1
        search_absolute(arranged, places, 0, ranked, targets, limits, found)
        if found[MERIT] > -np.inf:
            for i in range(n_groups):
                goes_left[order[i]] = groups[order[i], 0] > 0.0 and i < found[THRESHOLD]
            put_lighter_left(groups, order, goes_left)


@kernel
def absolute_merit(ranked, table, targets, goes_left):
    """Return minus the absolute error of both sides; 0 if the criterion is another one."""
    if ranked is None:
        return 0.0
    rows, column, numbers = table
    sides, medians = np.zeros(len(rows) + 1, np.uint8), np.empty(targets.n_outputs)
    for row in rows:
        sides[ranked.ranks[0, row]] = goes_left[group_of(row, column, numbers, len(goes_left))]
    left = absolute_error(ranked, targets, sides, LEFT, medians)
    return -left - absolute_error(ranked, targets, sides, RIGHT, medians)


@kernel
def judge_set(criterion, groups, goes_left, n_outputs, limits, found):
    """Write the merit of a set of groups, in `impurity`'s terms, and the rest of `found`."""
    n_sums = groups.shape[1] - 2
    sums, counts, weights = np.zeros((2, n_sums)), np.zeros(2), np.zeros(2)
    for b in range(len(groups)):
        side = 1 - goes_left[b]
        counts[side] += groups[b, 0]
        weights[side] += groups[b, 1]
        for k in range(n_sums):
            sums[side, k] += groups[b, 2 + k]
    found[MERIT], found[THRESHOLD] = -np.inf, np.nan
    found[N_LEFT] = counts[0]
    found[MISSING_LEFT] = goes_left[len(groups) - 1]
    if groups[len(groups) - 1, 0] == 0.0:
        found[MISSING_LEFT] = counts[0] > counts[1]
    if min(counts[0], counts[1]) < max(limits.min_samples, 1):
        return
    if min(weights[0], weights[1]) < limits.min_weight:
        return
    if criterion == ABSOLUTE:
        found[MERIT] = 0.0  # see `absolute_merit`
    else:
        found[MERIT] = merit(criterion, sums[0], sums[1], (weights[0], weights[1]), n_outputs)


@kernel
def write_numbers(numbers, goes_left, words):
    """Write the set of the codes whose number goes left."""
    codes = np.empty(len(goes_left) - 1, np.int64)
    for code in range(len(numbers)):
        if numbers[code] >= 0:
            codes[numbers[code]] = code
    write_set(codes, goes_left, words)
