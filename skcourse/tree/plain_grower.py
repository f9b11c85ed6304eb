"""The plain tree: no gaps, no categories, no constraints, one output, depth first.

It is the tree of `grower`, node by node, for what most trees are: classes with integer weights by
Gini's impurity, or numbers by the squared error, thresholds best or random. The loop is the same;
a node sorts its rows by the features that it draws, and no others (`ground`).

Cost        O(m k) for a node of m rows that draws k features.
Reference   L. Breiman, Random forests, Machine Learning 45, 2001.
"""

import threading
from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.ground import Ground, Table, place_rows
from skcourse.tree.impurity import CRITERIA, GINI, SQUARED
from skcourse.tree.plain_nodes import (
    DEPTH,
    END,
    IMPURITY,
    IS_LEFT,
    KNOWN,
    MISSING,
    N_FLOATS,
    NODE_FEATURE,
    NODE_THRESHOLD,
    PARENT,
    SQUARES,
    START,
    TOTAL,
    WEIGHT,
    Tasks,
    add_node,
    as_nodes,
    doubled,
)
from skcourse.tree.plain_search import (
    FEATURE,
    MERIT,
    N_CONSTANTS,
    STATE,
    THRESHOLD,
    Memory,
    Plain,
    look,
)
from skcourse.tree.search_classes import CLASS_MASK
from skcourse.tree.statistics import CLASS_BITS

SHORT = 20_000  # rows of a table for which there is nothing to be gained by keeping orders
EPSILON = np.finfo(float).eps  # what scikit-learn takes for no impurity, and for no improvement
MANY = 2048  # rows of a node, beyond which values are read column by column

filling = threading.Lock()


@kernel(exact=True, counted=False)
def impurity_of(numbers, task, pure):
    """Return Gini's impurity, or the variance, from the sums of a task."""
    weight, squares = task[WEIGHT], task[SQUARES]
    if pure or weight == 0.0:
        return 0.0
    if numbers:
        mean = task[N_FLOATS] / weight
        return max(squares / weight - mean * mean, 0.0)
    return 1.0 - squares / (weight * weight)


@kernel(counted=False)
def add_member(ground, y, row, numbers, task):
    """Add a row to the sums of a task; return its target."""
    if numbers:
        w, value = ground.weights[row], y[row]
        task[WEIGHT] += w
        task[SQUARES] += w * value * value
        task[N_FLOATS] += w * value
        task[TOTAL] += ground.products[row]
        return value
    mark = ground.marks[row]
    task[N_FLOATS + (mark & CLASS_MASK)] += np.float64(mark >> CLASS_BITS)
    return 0.0


@kernel(counted=False)
def complete(numbers, task, pure):
    """Finish the sums of a task: weight and squares of classes, and the impurity."""
    if not numbers:
        weight = squares = 0.0
        for c in range(N_FLOATS, task.shape[0]):
            weight += task[c]
            squares += task[c] * task[c]
        task[WEIGHT], task[SQUARES] = weight, squares
    task[IMPURITY] = impurity_of(numbers, task, pure and numbers)


@kernel(counted=False)
def divide(ground, table, y, members, node, spare, rules, sides):
    """Put the members on the left of a cut first, in their order, and sum both sides.

    Parameters
    ----------
    node : (start, end, f, threshold): left is up to that value of feature f
    spare : int32 array, scratch
    sides : float64 (2, N_FLOATS + n_sums), sums of the left and the right side, overwritten

    Returns
    -------
    middle : int, where the right side begins
    """
    start, end, f, threshold = node
    numbers, flat = rules.numbers, table.flat
    step, first = table.steps[0], table.steps[1] * f
    for side in range(2):
        for j in range(sides.shape[1]):
            sides[side, j] = 0.0
    n_left, n_right, pure_left, pure_right, y_left, y_right = start, 0, True, True, 0.0, 0.0
    for i in range(start, end):
        row = members[i]
        if np.float64(flat[step * row + first]) <= threshold:
            value = add_member(ground, y, row, numbers, sides[0])
            y_left = value if n_left == start else y_left
            pure_left &= value == y_left
            members[n_left] = row
            n_left += 1
        else:
            value = add_member(ground, y, row, numbers, sides[1])
            y_right = value if n_right == 0 else y_right
            pure_right &= value == y_right
            spare[n_right] = row
            n_right += 1
    for i in range(n_right):
        members[n_left + i] = spare[i]
    complete(numbers, sides[0], pure_left)
    complete(numbers, sides[1], pure_right)
    return n_left


@kernel(counted=False)
def stays_leaf(rules, task, sums):
    """Tell whether a node is too deep, too small or too pure to be split."""
    m = task[END] - task[START]
    return (
        task[DEPTH] >= rules.max_depth
        or m < rules.min_samples_split
        or m < 2 * rules.min_samples_leaf
        or sums[WEIGHT] < 2 * rules.min_weight_leaf
        or sums[IMPURITY] <= EPSILON
    )


@kernel(exact=True, counted=False)
def helps(rules, sums, sides):
    """Tell whether a split lowers the impurity by as much as it must."""
    w = sums[WEIGHT]
    improvement = (w / rules.total_weight) * (
        sums[IMPURITY]
        - (sides[1, WEIGHT] / w * sides[1, IMPURITY])
        - (sides[0, WEIGHT] / w * sides[0, IMPURITY])
    )
    return improvement + EPSILON >= rules.min_impurity_decrease


class Frame(NamedTuple):
    """The node at work."""

    task: np.ndarray  # int64 (6,)
    sums: np.ndarray  # float64 (N_FLOATS + n_sums,)
    sides: np.ndarray  # the same of its two sides, (2, ...)


@kernel(counted=False)
def split_node(ground, table, y, members, rules, memory, frame):
    """Look for a cut and divide the members by it; return where the right side begins, or -1."""
    task, sums, tally = frame.task, frame.sums, memory.tally
    if not rules.numbers:
        for c in range(tally.shape[1]):
            tally[1, c] = np.int64(sums[N_FLOATS + c])
    start, end = task[START], task[END]
    total = sums[TOTAL] if rules.numbers else sums[SQUARES]
    look(ground, table, members, (start, end, task[KNOWN], sums[WEIGHT], total), rules, memory)
    if memory.floats[MERIT] == -np.inf:
        return -1
    cut = (start, end, memory.ints[FEATURE], memory.floats[THRESHOLD])
    middle = divide(ground, table, y, members, cut, memory.rows, rules, frame.sides)
    return middle if helps(rules, sums, frame.sides) else -1


@kernel(counted=False)
def open_children(stack, height, frame, middle, node, n_known):
    """Put the children of a node on the stack, the left one on top."""
    task, sides = frame.task, frame.sides
    for left in range(2):
        child, sums = stack.ints[height + left], stack.floats[height + left]
        child[START] = task[START] if left else middle
        child[END] = middle if left else task[END]
        child[DEPTH], child[PARENT], child[IS_LEFT] = task[DEPTH] + 1, node, left
        child[KNOWN] = n_known
        for k in range(sums.shape[0]):
            sums[k] = sides[1 - left, k]


@kernel(counted=False)
def take_task(stack, height, frame):
    """Copy a task off the stack."""
    for k in range(frame.task.shape[0]):
        frame.task[k] = stack.ints[height, k]
    for k in range(frame.sums.shape[0]):
        frame.sums[k] = stack.floats[height, k]


@kernel(counted=False)
def mark(leaves, members, task, node):
    """Note the leaf of its members."""
    if leaves.shape[0]:
        for i in range(task[START], task[END]):
            leaves[members[i]] = node


@kernel
def grow_rows(ground, tables, y, members, rules, memory, leaves):
    """Grow a tree from the members.

    Parameters
    ----------
    ground : Ground
    tables : (Table by columns, Table by rows)
    y : float64 (n,), numbers; (0,) for classes
    members : int32 array, rows that are there; will be divided
    rules : Plain
    memory : Memory
    leaves : int64 (n,) or (0,), overwritten with the leaf of each member

    Returns
    -------
    nodes : Tasks
    n_nodes : int
    """
    by_column, by_row = tables
    n_sums, n_members = rules.n_classes, members.shape[0]
    nodes = Tasks(np.empty((64, 5), np.int64), np.empty((64, 3 + n_sums)))
    stack = Tasks(np.empty((64, 6), np.int64), np.empty((64, N_FLOATS + n_sums)))
    frame = Frame(
        np.empty(6, np.int64), np.empty(N_FLOATS + n_sums), np.empty((2, N_FLOATS + n_sums))
    )
    everything = (0, n_members, 0, np.inf)  # is on the left
    divide(ground, by_column, y, members, everything, memory.rows, rules, frame.sides)
    for k in range(N_FLOATS + n_sums):
        stack.floats[0, k] = frame.sides[0, k]
    root = stack.ints[0]
    root[START], root[END], root[DEPTH], root[PARENT], root[IS_LEFT] = 0, n_members, 0, -1, 0
    root[KNOWN], height, n_nodes = 0, 1, 0
    while height > 0:
        height -= 1
        take_task(stack, height, frame)
        if nodes.ints.shape[0] - n_nodes < 3:
            nodes = doubled(nodes, n_nodes)
        if stack.ints.shape[0] - height < 3:
            stack = doubled(stack, height)
        node, task = n_nodes, frame.task
        n_nodes += 1
        add_node(nodes, node, task, frame.sums, n_sums)
        middle = -1
        if not stays_leaf(rules, task, frame.sums):
            if task[END] - task[START] > MANY:
                middle = split_node(ground, by_column, y, members, rules, memory, frame)
            else:
                middle = split_node(ground, by_row, y, members, rules, memory, frame)
        if middle < 0:
            mark(leaves, members, task, node)
            continue
        nodes.ints[node, NODE_FEATURE] = memory.ints[FEATURE]
        nodes.floats[node, NODE_THRESHOLD] = memory.floats[THRESHOLD]
        nodes.ints[node, MISSING] = middle - task[START] > task[END] - middle
        open_children(stack, height, frame, middle, node, memory.ints[N_CONSTANTS])
        height += 2
    return nodes, n_nodes


def is_plain(columns, targets, statistics, growth):
    """Tell whether a tree can be grown here, and will not grow sooner by `grower`."""
    criterion, n = CRITERIA[growth.criterion], columns.values.shape[1]
    few = 2 * growth.max_features < len(columns.values)  # else sorted orders, kept, are sooner
    free = growth.monotonic is None or not np.any(growth.monotonic)
    sums = statistics.counts if criterion == GINI else statistics.products
    return (
        criterion in (GINI, SQUARED)
        and sums is not None
        and growth.max_leaf_nodes < 0
        and free
        and growth.interaction is None
        and n > 0
        and not columns.has_missing.any()
        and not columns.is_categorical.any()
        and (growth.splitter == "random" or few or n <= SHORT)
    )


def grow_plain(columns, targets, statistics, growth, *, seed, leaves=None):
    """Grow one tree; parameters and result are those of `grower.grow`."""
    d, n = columns.values.shape
    numbers = statistics.products is not None
    weights = targets.weights if len(targets.weights) else np.ones(n)
    random = growth.splitter == "random"
    if not random:
        fill_places(columns)
    ground = Ground(
        columns.places,
        columns.orders,
        np.empty(0, np.int32) if numbers else statistics.counts,
        statistics.products if numbers else np.empty(0),
        weights,
        np.empty(n, np.int32),
        np.zeros(-(-n // 64), np.uint64),
        np.zeros(-(-n // 4096), np.uint64),
    )
    tables = (Table(flat(columns.values), (1, n)), Table(flat(columns.table), (d, 1)))
    members = np.flatnonzero(weights).astype(np.int32)
    rules = Plain(
        random=random,
        numbers=numbers,
        max_depth=int(growth.max_depth),
        min_samples_split=int(growth.min_samples_split),
        min_samples_leaf=int(growth.min_samples_leaf),
        min_weight_leaf=float(growth.min_weight_leaf),
        max_features=int(growth.max_features),
        min_impurity_decrease=float(growth.min_impurity_decrease),
        total_weight=float(np.sum(weights)),
        n_classes=targets.n_classes,
    )
    ints = np.zeros(3, np.int64)
    ints[STATE] = seed
    memory = Memory(
        np.arange(d),
        np.zeros(d, np.int64),
        np.empty(n, np.int32),
        np.empty(n, np.float32),
        np.zeros((2, targets.n_classes), np.int64),
        np.zeros(2),
        ints,
    )
    y = np.ascontiguousarray(targets.y[:, 0]) if numbers else np.empty(0)
    marked = np.empty(0, np.int64) if leaves is None else leaves
    if leaves is not None:
        leaves[:] = -1
    nodes, n_nodes = grow_rows(ground, tables, y, members, rules, memory, marked)
    return as_nodes(nodes, n_nodes)


def flat(values):
    """Return a matrix as a vector that cannot be written: X of a user is of that kind, or not."""
    view = np.asarray(values).reshape(-1).view(np.ndarray)
    view.flags.writeable = False
    return view


def fill_places(columns):
    """Write where each row is in the order of each column, once for all trees."""
    with filling:
        if columns.ready[0] == 0:
            place_rows(columns.orders, columns.places)
            columns.ready[0] = 1
