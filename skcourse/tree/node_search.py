"""What a node looks at: it draws features, and finds the best cut of each.

A node draws features until it has looked at `max_features` of them, and at one that is not constant
at least. Features that are constant in a node are so in all nodes below: they are put first and
remembered. A random splitter also draws the threshold, between the least and the largest value, and
where missing values go. With one seed, the draws are scikit-learn's.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.absolute_error import rows_of_node, search_errors
from skcourse.tree.category_sets import search_set
from skcourse.tree.draws import below, between, next_state
from skcourse.tree.search_classes import search_counts, search_weights
from skcourse.tree.search_numbers import search_means
from skcourse.tree.search_ordered import (
    MISSING_LEFT,
    THRESHOLD,
    Constraints,
    View,
    limits_of,
    search_ordered,
)
from skcourse.tree.search_random import Sample, search_random
from skcourse.tree.workspace import (
    STATE,
    TASK_CONSTANTS,
    TASK_END,
    TASK_GROUPS,
    TASK_LOWER,
    TASK_PARENT,
    TASK_START,
    TASK_UPPER,
)


@kernel
def view_of(columns, work, task):
    """Return the node as the searches see it; the order of the root is that of all trees."""
    start, stop = task[TASK_START], task[TASK_END]
    if task[TASK_PARENT] < 0 and stop == columns.orders.shape[1]:
        return View(columns.orders, columns.values, work.candidates, start, stop)
    return View(work.orders, columns.values, work.candidates, start, stop)


@kernel
def range_in_order(orders, values, f, node, has_missing):
    """Return the least and the largest value of feature f in a node, and how many are missing."""
    start, stop = node
    last = stop - 1
    if has_missing:
        while last >= start and np.isnan(values[f, orders[f, last]]):
            last -= 1
    return values[f, orders[f, start]], values[f, orders[f, max(last, start)]], stop - 1 - last


@kernel
def range_of_rows(rows, values, f, node):
    """Do as `range_in_order` without the order."""
    low, high, n_missing = np.float32(np.inf), np.float32(-np.inf), 0
    for i in range(*node):
        x = values[f, rows[i]]
        low = x if x < low else low
        high = x if x > high else high
        n_missing += np.isnan(x)
    return low, high, n_missing


@kernel
def is_forbidden(groups, f, task):
    """Tell whether no interaction group holds feature f and those of all splits above."""
    shared = groups.shape[1] == 0
    for w in range(groups.shape[1]):
        shared |= (groups[f, w] & task[TASK_GROUPS + w]) != 0
    return not shared


@kernel
def draw_candidates(columns, rules, work, task):
    """Draw the features to look at; return how many there are.

    The first `n_known` of work.features are constant in the parent, those up to `n_constant` turned
    out to be here; those from `n_left` on were drawn. A feature that interaction constraints forbid
    is forbidden in all nodes below, and so counts as a constant one.
    """
    m, n_known = task[TASK_END] - task[TASK_START], task[TASK_CONSTANTS]
    features, state = work.features, work.counts[STATE]
    n_left, n_constant, n_drawn_known, n_visited = features.shape[0], n_known, 0, 0
    n_candidates, view = 0, view_of(columns, work, task)
    rows, orders, values, node = work.rows, view.orders, view.values, (view.start, view.stop)
    has_missing, candidates, groups = columns.has_missing, work.candidates, rules.groups
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
        if rules.random:
            low, high, n_missing = range_of_rows(rows, values, f, node)
        else:
            low, high, n_missing = range_in_order(orders, values, f, node, has_missing[f])
        if n_missing == m or (n_missing == 0 and low == high) or is_forbidden(groups, f, task):
            features[j], features[n_constant] = features[n_constant], f
            n_constant += 1
            continue
        n_left -= 1
        features[j], features[n_left] = features[n_left], f
        candidates[n_candidates, 0], candidates[n_candidates, 1] = f, n_missing
        if rules.random:
            state = next_state(state)
            threshold = between(state, np.float64(low), np.float64(high))
            threshold = np.float64(low) if threshold == high else threshold
            if n_missing:
                state = next_state(state)
                work.found[n_candidates, MISSING_LEFT] = below(state, 0, 2)
            work.found[n_candidates, THRESHOLD] = (
                state if columns.is_categorical[f] else threshold  # of a set, the coins to toss
            )
        n_candidates += 1
    for j in range(n_known):
        features[j] = work.constants[j]
    for j in range(n_known, n_constant):
        work.constants[j] = features[j]
    work.counts[STATE], task[TASK_CONSTANTS] = state, n_constant
    return n_candidates


@kernel
def search(columns, targets, statistics, rules, work, current, block):
    """Find the best cut of each of the candidates in `block`.

    Parameters
    ----------
    columns : Columns
    targets : Targets
    statistics : Statistics
    rules : Rules
    work : Work
    current : Tasks, the node
    block : (first, stop)
    """
    task, numbers = current.ints[0], current.floats[0]
    view = view_of(columns, work, task)
    limits = Constraints(
        rules.min_samples_leaf,
        rules.min_weight_leaf,
        numbers[TASK_LOWER],
        numbers[TASK_UPPER],
        rules.monotonic,
    )
    if are_numbers(work.sets, work.ranked):
        search_numbers(view, targets, statistics, rules, work, limits, block)
        return
    ranked = rows_of_node(work.ranked, view.start, view.stop)
    for j in range(*block):
        f, n_missing = work.candidates[j]
        own = limits_of(limits, f)
        if search_set(work.sets, columns, targets, rules, work, current, own, j):
            continue
        order = work.rows if rules.random else view.orders[f]
        order, column, found = order[view.start : view.stop], columns.values[f], work.found[j]
        if not search_errors(ranked, rules.random, order, column, n_missing, targets, own, found):
            search_numbers(view, targets, statistics, rules, work, limits, (j, j + 1))


@kernel
def are_numbers(sets, ranked):
    """Tell whether neither categories nor medians ask for a search of their own."""
    return sets is None and ranked is None


@kernel
def search_numbers(view, targets, statistics, rules, work, limits, block):
    """Search the candidates in `block` by what suits the statistics of the rows."""
    total, found, criterion = work.total, work.found, rules.criterion
    if rules.random:
        sample = Sample(work.rows, statistics.counts)
        search_random(criterion, view, sample, block, targets, total, limits, found)
    elif not search_packed(statistics.counts, view, block, work.tally, limits, found):
        classes, products, weights = statistics.classes, statistics.products, targets.weights
        if not search_weighted(classes, view, block, weights, total, limits, found) and (
            not search_products(products, view, block, weights, total, limits, found)
        ):
            search_ordered(criterion, view, block, targets, total, limits, found)


@kernel
def search_packed(counts, view, block, tally, limits, found):
    """Search by `search_counts`, if the rows are laid out for it; return whether they are."""
    if counts is None:
        return False
    search_counts(view, block, counts, tally, limits, found)
    return True


@kernel
def search_weighted(classes, view, block, weights, total, limits, found):
    """Search by `search_weights`, if the rows are laid out for it; return whether they are."""
    if classes is None:
        return False
    search_weights(view, block, classes, weights, total, limits, found)
    return True


@kernel
def search_products(products, view, block, weights, total, limits, found):
    """Search by `search_means`, if the rows are laid out for it; return whether they are."""
    if products is None:
        return False
    search_means(view, block, products, weights, total, limits, found)
    return True
