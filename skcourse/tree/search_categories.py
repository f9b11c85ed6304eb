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

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.category_search import (
    ENTROPY,
    POISSON,
    QUADRATIC,
    CategoryRules,
    best_categories,
    write_set,
)
from skcourse.tree.draws import next_state
from skcourse.tree.group_search import Bounds, Rules
from skcourse.tree.impurity import ENTROPY as BY_ENTROPY
from skcourse.tree.impurity import POISSON as BY_POISSON
from skcourse.tree.impurity import merit
from skcourse.tree.search_ordered import (
    MERIT,
    MISSING_LEFT,
    N_LEFT,
    THRESHOLD,
    WEIGHT_LEFT,
    add_row,
)


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
        b = last if np.isnan(column[row]) else numbers[np.int64(column[row])]
        groups[b, 0] += 1.0
        groups[b, 1] += add_row(groups[b, 2:], row, 1.0, targets)


@kernel
def search_categories(criterion, rows, column, targets, limits, found, words):
    """Overwrite `found` with the best set; its merit is -inf where there is none.

    Parameters
    ----------
    criterion : int, of `impurity`, but for the absolute error
    rows : int32 (m,), the rows of the node in any order
    column : float32 (n,), the codes of the feature, NaN where missing
    targets : Targets
    limits : Limits
    found : float64 (N_FOUND,)
    words : uint64 (n_words,), the set, if there is one
    """
    numbers = np.empty(largest_code(rows, column) + 1, np.int64)
    n_sums = targets.n_outputs * targets.n_classes
    groups = np.zeros((number_categories(rows, column, numbers) + 1, 2 + n_sums))
    add_groups(rows, column, numbers, targets, groups)
    goes_left = np.zeros(len(groups), np.uint8)
    score = QUADRATIC
    if criterion == BY_ENTROPY:
        score = ENTROPY
    elif criterion == BY_POISSON:
        score = POISSON
    on_a_line = n_sums == 1 or (targets.n_outputs == 1 and n_sums == 2)
    rules = Rules(np.float64(limits.min_samples), limits.min_weight, 0.0, -np.inf)
    kind = CategoryRules(score, on_a_line, 0.0, 0.0, True)
    best_categories(groups, 0.0, goes_left, rules, kind, Bounds(-np.inf, np.inf, 0.0))
    judge_set(criterion, groups, goes_left, targets.n_outputs, limits, found)
    if found[MERIT] > -np.inf:
        write_numbers(numbers, goes_left, words)


@kernel
def search_random_categories(criterion, rows, column, targets, limits, found, words):
    """As `search_categories`, for the set that the generator's state in found[THRESHOLD] draws."""
    numbers = np.empty(largest_code(rows, column) + 1, np.int64)
    n_sums = targets.n_outputs * targets.n_classes
    groups = np.zeros((number_categories(rows, column, numbers) + 1, 2 + n_sums))
    add_groups(rows, column, numbers, targets, groups)
    goes_left = np.zeros(len(groups), np.uint8)
    state = np.int64(found[THRESHOLD])
    n_present, n_left = 0, 0
    for b in range(len(groups)):
        if groups[b, 0] > 0.0:
            state = next_state(state)
            goes_left[b] = (state >> 16) & 1
            n_present += 1
            n_left += goes_left[b]
    if n_left == 0 or n_left == n_present:  # all on one side: one of them changes it
        state = next_state(state)
        change = (state >> 8) % n_present
        for b in range(len(groups)):
            if groups[b, 0] > 0.0:
                goes_left[b] = (change == 0) != (n_left > 0)
                change -= 1
    judge_set(criterion, groups, goes_left, targets.n_outputs, limits, found)
    if found[MERIT] > -np.inf:
        write_numbers(numbers, goes_left, words)


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
    found[N_LEFT], found[WEIGHT_LEFT] = counts[0], weights[0]
    found[MISSING_LEFT] = goes_left[len(groups) - 1]
    if groups[len(groups) - 1, 0] == 0.0:
        found[MISSING_LEFT] = counts[0] > counts[1]
    if min(counts[0], counts[1]) < max(limits.min_samples, 1):
        return
    if min(weights[0], weights[1]) >= limits.min_weight:
        found[MERIT] = merit(criterion, sums[0], sums[1], (weights[0], weights[1]), n_outputs)


@kernel
def write_numbers(numbers, goes_left, words):
    """Write the set of the codes whose number goes left."""
    codes = np.empty(len(goes_left) - 1, np.int64)
    for code in range(len(numbers)):
        if numbers[code] >= 0:
            codes[numbers[code]] = code
    write_set(codes, goes_left, words)


@kernel
def choose_sides_of_set(rows, column, words, missing_left, sides):
    """Mark in `sides` which rows of a node go left, 1, or right, 0: those in the set go left.

    Parameters
    ----------
    rows : int32 (m,)
    column : float32 (n,), codes, NaN where missing
    words : uint64 (n_words,)
    missing_left : bool
    sides : uint8 (n,)
    """
    for row in rows:
        if np.isnan(column[row]):
            sides[row] = missing_left
        else:
            code = np.int64(column[row])
            sides[row] = (words[code >> 6] >> np.uint64(code & 63)) & np.uint64(1)
