"""What a node looks at: it draws features, and finds the best cut of each.

A node draws features until it has looked at `max_features` of them, and at one that is not constant
at least. Features that are constant in a node are so in all nodes below: they are put first and
remembered. A random splitter also draws the threshold, between the least and the largest value, and
where missing values go. With one seed, the draws are scikit-learn's.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.draws import below, between, next_state
from skcourse.tree.search_classes import search_counts, search_weights
from skcourse.tree.search_numbers import search_means
from skcourse.tree.search_ordered import (
    MERIT,
    MISSING_LEFT,
    THRESHOLD,
    Limits,
    search_ordered,
)
from skcourse.tree.search_random import search_random
from skcourse.tree.statistics import COUNTS, MEANS, WEIGHTED_COUNTS
from skcourse.tree.workspace import (
    STATE,
    TASK_CONSTANTS,
    TASK_END,
    TASK_LOWER,
    TASK_PARENT,
    TASK_START,
    TASK_UPPER,
)


@kernel
def order_of(columns, work, f, task):
    """Return the rows of the node in the order of feature f; the root's are those of all trees."""
    if task[TASK_PARENT] < 0 and work.rows.shape[0] == columns.orders.shape[1]:
        return columns.orders[f]
    return work.orders[f, task[TASK_START] : task[TASK_END]]


@kernel
def count_missing(order, column):
    """Return how many rows, at the end of `order`, miss the value."""
    n_missing = 0
    while n_missing < order.shape[0] and np.isnan(column[order[order.shape[0] - 1 - n_missing]]):
        n_missing += 1
    return n_missing


@kernel
def range_of(columns, rules, work, f, task):
    """Return the least and the largest value of feature f in a node, and how many are missing."""
    column = columns.values[f]
    if not rules.random:
        order = order_of(columns, work, f, task)
        n_missing = count_missing(order, column) if columns.has_missing[f] else 0
        n_known = order.shape[0] - n_missing
        return column[order[0]], column[order[max(n_known - 1, 0)]], n_missing
    low, high, n_missing = np.float32(np.inf), np.float32(-np.inf), 0
    for i in range(task[TASK_START], task[TASK_END]):
        x = column[work.rows[i]]
        low = x if x < low else low
        high = x if x > high else high
        n_missing += np.isnan(x)
    return low, high, n_missing


@kernel
def draw_candidates(columns, rules, work, task):
    """Draw the features to look at; return how many there are.

    The first `n_known` of work.features are constant in the parent, those up to `n_constant` turned
    out to be here; those from `n_left` on were drawn.
    """
    m, n_known = task[TASK_END] - task[TASK_START], task[TASK_CONSTANTS]
    features, state = work.features, work.counts[STATE]
    n_left, n_constant, n_drawn_known, n_visited = features.shape[0], n_known, 0, 0
    n_candidates = 0
    while n_left > n_constant and (
        n_visited < rules.max_features or n_visited <= n_constant - n_known + n_drawn_known
    ):
        n_visited += 1
        state = next_state(state)
        j = below(state, n_drawn_known, n_left - (n_constant - n_known))
        if j < n_known:
            features[n_drawn_known], features[j] = features[j], features[n_drawn_known]
            n_drawn_known += 1
            continue
        j += n_constant - n_known
        f = features[j]
        low, high, n_missing = range_of(columns, rules, work, f, task)
        if n_missing == m or (n_missing == 0 and low == high):
            features[j], features[n_constant] = features[n_constant], f
            n_constant += 1
            continue
        n_left -= 1
        features[j], features[n_left] = features[n_left], f
        work.candidates[n_candidates, 0], work.candidates[n_candidates, 1] = f, n_missing
        if rules.random:
            state = next_state(state)
            threshold = between(state, np.float64(low), np.float64(high))
            threshold = np.float64(low) if threshold == high else threshold
            if n_missing:
                state = next_state(state)
                work.found[n_candidates, MISSING_LEFT] = below(state, 0, 2)
            work.found[n_candidates, THRESHOLD] = threshold
        n_candidates += 1
    for j in range(n_known):
        features[j] = work.constants[j]
    for j in range(n_known, n_constant):
        work.constants[j] = features[j]
    work.counts[STATE], task[TASK_CONSTANTS] = state, n_constant
    return n_candidates


@kernel
def search(columns, targets, statistics, rules, work, current, first, stop):
    """Find the best cut of each of the candidates `first` to `stop` that beats those before it.

    Parameters
    ----------
    columns : Columns
    targets : Targets
    statistics : Statistics
    rules : Rules
    work : Work
    current : Tasks, the node
    first, stop : int
    """
    task, numbers = current.ints[0], current.floats[0]
    best = -np.inf
    for j in range(first, stop):
        f, n_missing = work.candidates[j]
        found, column = work.found[j], columns.values[f]
        if best == 0.0 and (statistics.kind == COUNTS):  # nothing beats pure sides
            found[MERIT] = -np.inf
            continue
        sign = np.int64(rules.monotonic[f]) if rules.monotonic.shape[0] else 0
        limits = Limits(
            rules.min_samples_leaf,
            rules.min_weight_leaf,
            sign,
            numbers[TASK_LOWER],
            numbers[TASK_UPPER],
        )
        found[MERIT] = best
        if rules.random:
            rows = work.rows[task[TASK_START] : task[TASK_END]]
            search_random(
                rules.criterion, rows, column, n_missing, targets, work.total, limits, found
            )
            continue
        order = order_of(columns, work, f, task)
        if statistics.kind == COUNTS:
            search_counts(order, column, n_missing, statistics.packed, work.tally, limits, found)
        elif statistics.kind == MEANS:
            search_means(
                order,
                column,
                n_missing,
                statistics.wy,
                targets.weights,
                work.total,
                limits,
                found,
            )
        elif statistics.kind == WEIGHTED_COUNTS:
            search_weights(
                order,
                column,
                n_missing,
                statistics.packed,
                targets.weights,
                work.total,
                limits,
                found,
            )
        else:
            search_ordered(
                rules.criterion, order, column, n_missing, targets, work.total, limits, found
            )
        best = max(best, found[MERIT])
