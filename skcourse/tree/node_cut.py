"""From a node to its cut: what it is, and whether the best cut found is worth a split.

A node of weight W, of W_all in the tree, is split if a cut makes it purer by enough:
    W / W_all (impurity - W_l / W impurity_l - W_r / W impurity_r) >= min_impurity_decrease.  (1)
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.absolute_error import (
    judge_node,
    judge_sides,
    rank_node,
    rows_of_node,
)
from skcourse.tree.category_sets import (
    arrange_by_set,
    keep_set,
)
from skcourse.tree.impurity import ABSOLUTE
from skcourse.tree.node_search import draw_candidates, view_of
from skcourse.tree.node_sums import add_rows, count_node
from skcourse.tree.nodes import LEAF, UNDEFINED
from skcourse.tree.search_ordered import MERIT, MISSING_LEFT, N_LEFT, THRESHOLD
from skcourse.tree.workspace import (
    N_CANDIDATES,
    N_FLOATS,
    N_NODES,
    NODE_FEATURE,
    NODE_IMPURITY,
    NODE_LEFT,
    NODE_MISSING,
    NODE_RIGHT,
    NODE_ROWS,
    NODE_SET,
    NODE_THRESHOLD,
    NODE_WEIGHT,
    TASK_DEPTH,
    TASK_END,
    TASK_FEATURE,
    TASK_GAIN,
    TASK_IMPURITY,
    TASK_IMPURITY_LEFT,
    TASK_IMPURITY_RIGHT,
    TASK_LEFT,
    TASK_LOWER,
    TASK_MIDDLE,
    TASK_MISSING,
    TASK_N_LEFT,
    TASK_NODE,
    TASK_PARENT,
    TASK_START,
    TASK_UPPER,
    WEIGHT,
)

EPSILON = np.finfo(float).eps  # what scikit-learn takes for no impurity, and for no improvement


@kernel
def start_node(columns, targets, statistics, rules, table, work, current):
    """Add the node at work to the table and draw what to look at.

    Returns
    -------
    n_candidates : int, 0 if it stays a leaf
    """
    task, numbers = current.ints[0], current.floats[0]
    start, end = task[TASK_START], task[TASK_END]
    sums = work.total[0]
    if task[TASK_PARENT] < 0:
        for k in range(sums.shape[0]):
            sums[k] = 0.0
        pure = add_rows(rules.criterion, work.rows, targets, statistics.products, sums)
        ranked = rows_of_node(work.ranked, start, end)
        numbers[TASK_IMPURITY] = judge_node(ranked, rules.criterion, targets, pure, sums)
    else:
        for k in range(sums.shape[0]):
            sums[k] = numbers[N_FLOATS + k]
    add_node(targets, rules, table, work, task, numbers)
    if is_leaf(rules, task[TASK_DEPTH], end - start, sums[WEIGHT], numbers[TASK_IMPURITY]):
        return 0
    count_node(statistics.counts, work.total, work.tally)
    rank_node(work.ranked, start, end)
    return draw_candidates(columns, rules, work, task)


@kernel
def is_leaf(rules, depth, m, weight, impurity):
    """Tell whether a node is too deep, too small or too pure to be split."""
    return (
        depth >= rules.max_depth
        or m < rules.min_samples_split
        or m < 2 * rules.min_samples_leaf
        or weight < 2 * rules.min_weight_leaf
        or impurity <= EPSILON
    )


@kernel
def add_node(targets, rules, table, work, task, numbers):
    """Write the node at work to the table, as a leaf so far."""
    node = work.counts[N_NODES]
    work.counts[N_NODES] += 1
    task[TASK_NODE] = node
    if task[TASK_PARENT] >= 0:
        table.ints[task[TASK_PARENT], NODE_LEFT if task[TASK_LEFT] else NODE_RIGHT] = node
    table.ints[node, NODE_LEFT] = table.ints[node, NODE_RIGHT] = LEAF
    table.ints[node, NODE_FEATURE] = UNDEFINED
    table.ints[node, NODE_ROWS] = task[TASK_END] - task[TASK_START]
    table.ints[node, NODE_MISSING], table.ints[node, NODE_SET] = 0, -1
    table.floats[node, NODE_THRESHOLD] = UNDEFINED
    table.floats[node, NODE_IMPURITY] = numbers[TASK_IMPURITY]
    weight = work.total[0, WEIGHT]
    table.floats[node, NODE_WEIGHT] = weight
    value = table.values[node]
    for k in range(value.shape[0]):
        value[k] = value_of(rules, work.total[0, k], weight)
    if rules.monotonic.shape[0]:
        value[0] = min(max(value[0], numbers[TASK_LOWER]), numbers[TASK_UPPER])
        if targets.n_classes == 2:
            value[1] = 1 - value[0]


@kernel
def value_of(rules, total, weight):
    """Return the value of a node: a mean, or the median that stands where sums do else."""
    return total if rules.criterion == ABSOLUTE else total / weight


@kernel
def judge(columns, targets, statistics, rules, table, work, current):
    """Tell whether the best cut found is worth a split; if so, write it to the node."""
    task, numbers = current.ints[0], current.floats[0]
    best, merit = -1, -np.inf
    for j in range(work.counts[N_CANDIDATES]):
        if work.found[j, MERIT] > merit:
            best, merit = j, work.found[j, MERIT]
    if best < 0:
        return False
    found, node = work.found[best], task[TASK_NODE]
    f, n_missing = work.candidates[best]
    n_left, missing_left = np.int64(found[N_LEFT]), found[MISSING_LEFT] > 0
    task[TASK_FEATURE], task[TASK_N_LEFT], task[TASK_MISSING] = f, n_left, n_missing
    table.ints[node, NODE_MISSING] = missing_left
    table.floats[node, NODE_THRESHOLD] = found[THRESHOLD]
    keep_set(work.sets, columns, table, node, f, best)
    start, end = task[TASK_START], task[TASK_END]
    order = view_of(columns, work, task).orders[f, start:end]
    if arrange(columns, rules, table, work, task):
        order = work.spare[: end - start]
    n_low = n_left - n_missing if missing_left else n_left
    left, right = judge_sides(
        rows_of_node(work.ranked, start, end),
        rules.criterion,
        order,
        (n_low, n_missing, missing_left),
        targets,
        statistics.products,
        work.total,
    )
    numbers[TASK_IMPURITY_LEFT], numbers[TASK_IMPURITY_RIGHT] = left, right
    w, w_left, w_right = work.total[0, WEIGHT], work.total[1, WEIGHT], work.total[2, WEIGHT]
    numbers[TASK_GAIN] = improvement(numbers, w, w_left, w_right, rules.total_weight)
    if numbers[TASK_GAIN] + EPSILON < rules.min_impurity_decrease:
        return False
    low, high = (
        value_of(rules, work.total[1, 0], w_left),
        value_of(rules, work.total[2, 0], w_right),
    )
    numbers[TASK_MIDDLE] = low / 2 + high / 2
    width = work.total.shape[1]
    for k in range(width):
        numbers[N_FLOATS + k] = work.total[1, k]
        numbers[N_FLOATS + width + k] = work.total[2, k]
    table.ints[node, NODE_FEATURE] = f
    return True


@kernel
def arrange(columns, rules, table, work, task):
    """Write the rows of the node to work.spare, where no order of theirs has the left ones first.

    They are put there by side; those that miss a value come last.

    Returns
    -------
    arranged : bool, False if the order by the feature of the split will do
    """
    if arrange_by_set(work.sets, columns, table, work, task):
        return True
    return arrange_by_threshold(rules.random, columns, table, work, task)


@kernel
def arrange_by_threshold(random, columns, table, work, task):
    """Do as `arrange`, if the threshold was drawn: `random` is None where it was not."""
    if random is None:
        return False
    missing_left = table.ints[task[TASK_NODE], NODE_MISSING] and task[TASK_MISSING]
    column, threshold = (
        columns.values[task[TASK_FEATURE]],
        table.floats[task[TASK_NODE], NODE_THRESHOLD],
    )
    n_low, n_missing = 0, task[TASK_END] - task[TASK_START] - task[TASK_MISSING]
    n_high = task[TASK_N_LEFT] - task[TASK_MISSING] if missing_left else task[TASK_N_LEFT]
    for i in range(task[TASK_START], task[TASK_END]):
        x = column[work.rows[i]]
        if np.isnan(x):
            work.spare[n_missing] = work.rows[i]
            n_missing += 1
        elif x <= threshold:
            work.spare[n_low] = work.rows[i]
            n_low += 1
        else:
            work.spare[n_high] = work.rows[i]
            n_high += 1
    return True


@kernel(exact=True)
def improvement(numbers, w, w_left, w_right, w_all):
    """Return (1)."""
    return (w / w_all) * (
        numbers[TASK_IMPURITY]
        - (w_right / w * numbers[TASK_IMPURITY_RIGHT])
        - (w_left / w * numbers[TASK_IMPURITY_LEFT])
    )
