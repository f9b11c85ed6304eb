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
def range_of(random, rows, view, f, has_missing):
    """Do as `range_in_order`; without the order, for a random splitter."""
    if random is None:
        return range_in_order(view.orders, view.values, f, (view.start, view.stop), has_missing)
    low, high, n_missing = np.float32(np.inf), np.float32(-np.inf), 0
    for i in range(view.start, view.stop):
        x = view.values[f, rows[i]]
        low = x if x < low else low
        high = x if x > high else high
        n_missing += np.isnan(x)
    return low, high, n_missing


@kernel
def draw_cut(random, state, low, high, n_missing, is_categorical, found):
    """Draw a threshold between `low` and `high`, if the splitter is random; return the next state.

    Parameters
    ----------
    random : True or None
    state : int
    low, high, n_missing : see `range_in_order`
    is_categorical : bool; then the state is noted, for the coins that a set takes
    found : float64 (N_FOUND,)
    """
    if random is None:
        return state
    state = next_state(state)
    threshold = between(state, np.float64(low), np.float64(high))
    threshold = np.float64(low) if threshold == high else threshold
    if n_missing:
        state = next_state(state)
        found[MISSING_LEFT] = below(state, 0, 2)
    found[THRESHOLD] = state if is_categorical else threshold
    return state


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
        low, high, n_missing = range_of(rules.random, work.rows, view, f, has_missing[f])
        if n_missing == m or (n_missing == 0 and low == high) or is_forbidden(groups, f, task):
            features[j], features[n_constant] = features[n_constant], f
            n_constant += 1
            continue
        n_left -= 1
        features[j], features[n_left] = features[n_left], f
        candidates[n_candidates, 0], candidates[n_candidates, 1] = f, n_missing
        state = draw_cut(
            rules.random,
            state,
            low,
            high,
            n_missing,
            columns.is_categorical[f],
            work.found[n_candidates],
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
    about = (columns, targets, statistics, rules, work, current)
    if not search_one_by_one(work.sets, work.ranked, view, limits, block, about):
        counts, classes, products = statistics
        rows = (rules.criterion, rules.by_targets, targets, work)
        search_numbers(rules.random, counts, classes, products, view, limits, block, rows)


@kernel
def search_one_by_one(sets, ranked, view, limits, block, about):
    """Search candidate by candidate, if there are categories or medians; return whether there are.

    Parameters
    ----------
    sets : Sets or None
    ranked : Ranked or None
    view, limits, block : see `search_ordered`
    about : (columns, targets, statistics, rules, work, current), see `search`
    """
    if sets is None and ranked is None:
        return False
    columns, targets, statistics, rules, work, current = about
    counts, classes, products = statistics
    rows, ranked_here = work.rows, rows_of_node(ranked, view.start, view.stop)
    for j in range(*block):
        f, n_missing = work.candidates[j]
        own = limits_of(limits, f)
        if search_set(sets, columns, targets, rules, work, current, own, j):
            continue
        order = rows if rules.random is not None else view.orders[f]
        order, column = order[view.start : view.stop], columns.values[f]
        if not search_errors(
            ranked_here, rules.random, order, column, n_missing, targets, own, work.found[j]
        ):
            only, summed = (j, j + 1), (rules.criterion, rules.by_targets, targets, work)
            search_numbers(rules.random, counts, classes, products, view, limits, only, summed)
    return True


@kernel
def search_numbers(random, counts, classes, products, view, limits, block, about):
    """Search the candidates in `block` by what suits the statistics of the rows.

    Parameters
    ----------
    random : True or None
    counts, classes, products : see `Statistics`; all but one of them are None, or all
    view, limits, block : see `search_ordered`
    about : (criterion, by_targets, targets, work), two of them of `Rules`
    """
    criterion, by_targets, targets, work = about
    if random is not None:
        sample = Sample(work.rows, counts)
        search_random(criterion, view, sample, block, targets, work.total, limits, work.found)
    elif counts is not None:
        search_counts(view, block, counts, work.tally, limits, work.found)
    elif classes is not None:
        search_weights(view, block, classes, targets.weights, work.total, limits, work.found)
    elif products is not None:
        search_means(view, block, products, targets.weights, work.total, limits, work.found)
    search_targets(by_targets, criterion, view, block, targets, limits, work)


@kernel
def search_targets(by_targets, criterion, view, block, targets, limits, work):
    """Search by `search_ordered`, where no statistics of the rows are asked for."""
    if by_targets is not None:
        search_ordered(criterion, view, block, targets, work.total, limits, work.found)
