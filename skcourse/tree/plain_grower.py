"""The plain tree: no gaps, no categories, no constraints, one output, depth first.

It is the tree of `grower`, node by node, for what most trees are: classes with integer weights by
Gini's impurity, or numbers by the squared error, thresholds best or random. The loop is the same;
a node sorts its rows by the features that it draws, and no others, and nodes of few rows work on a
ground of their own (`ground`).

Cost        O(m k) for a node of m rows that draws k features.
Reference   L. Breiman, Random forests, Machine Learning 45, 2001.
"""

import threading
from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.ground import SMALL, Ground, empty_ground, settle
from skcourse.tree.impurity import CRITERIA, GINI, SQUARED
from skcourse.tree.nodes import LEAF, UNDEFINED, Nodes
from skcourse.tree.plain_search import (
    FEATURE,
    MERIT,
    N_CONSTANTS,
    NEXT_PLACE,
    PLACE,
    STATE,
    THRESHOLD,
    Memory,
    Plain,
    look,
)
from skcourse.tree.search_classes import CLASS_MASK
from skcourse.tree.statistics import CLASS_BITS

EPSILON = np.finfo(float).eps  # what scikit-learn takes for no impurity, and for no improvement
DEEP = 7  # levels below which a tree that looks at all features is grown from sorted orders sooner

# a task: ints and floats, then the sums of classes
START, END, DEPTH, PARENT, IS_LEFT, KNOWN = range(6)
IMPURITY, WEIGHT, SQUARES, TOTAL = range(4)  # Q, and S of the rounded products
N_FLOATS = 4
# a node
LEFT, RIGHT, NODE_FEATURE, ROWS, MISSING = range(5)
NODE_THRESHOLD, NODE_IMPURITY, NODE_WEIGHT = range(3)

filling = threading.Lock()


class Tasks(NamedTuple):
    """Nodes that are still to be looked at, or nodes of the tree."""

    ints: np.ndarray  # int64 (n, 6) of tasks, (n, 5) of nodes
    floats: np.ndarray  # float64 (n, N_FLOATS + n_sums) of tasks, (n, 3 + n_sums) of nodes


@kernel
def doubled(tasks, n_used):
    """Return the tasks with room for two more, at least."""
    if tasks.ints.shape[0] - n_used >= 3:
        return tasks
    size = tasks.ints.shape[0]
    ints = np.empty((2 * size, tasks.ints.shape[1]), np.int64)
    floats = np.empty((2 * size, tasks.floats.shape[1]))
    for i in range(n_used):
        for j in range(ints.shape[1]):
            ints[i, j] = tasks.ints[i, j]
        for j in range(floats.shape[1]):
            floats[i, j] = tasks.floats[i, j]
    return Tasks(ints, floats)


@kernel(exact=True)
def impurity_of(numbers, task, pure):
    """Return Gini's impurity, or the variance, from the sums of a task."""
    weight, squares = task[WEIGHT], task[SQUARES]
    if pure:
        return 0.0
    if numbers:
        mean = task[N_FLOATS] / weight
        return max(squares / weight - mean * mean, 0.0)
    return 1.0 - squares / (weight * weight)


@kernel
def add_member(ground, y, row, numbers, task):
    """Add a row to the sums of a task; return its target."""
    if numbers:
        w, value = ground.weights[row], y[ground.ids[row]]
        task[WEIGHT] += w
        task[SQUARES] += w * value * value
        task[N_FLOATS] += w * value
        task[TOTAL] += ground.products[row]
        return value
    mark = ground.marks[row]
    task[N_FLOATS + (mark & CLASS_MASK)] += np.float64(mark >> CLASS_BITS)
    return 0.0


@kernel
def complete(numbers, task, pure):
    """Finish the sums of a task: weight and squares of classes, and the impurity."""
    if not numbers:
        weight = squares = 0.0
        for c in range(N_FLOATS, task.shape[0]):
            weight += task[c]
            squares += task[c] * task[c]
        task[WEIGHT], task[SQUARES] = weight, squares
    task[IMPURITY] = impurity_of(numbers, task, pure and numbers)


@kernel
def divide(ground, y, members, span, cut, numbers, tasks):
    """Put the members on the left of a cut first, in their order, and sum both sides.

    Parameters
    ----------
    span : (start, end)
    cut : (f, place), left up to that place in the order of feature f
    tasks : float64 (2, N_FLOATS + n_sums), sums of the left and the right side, overwritten

    Returns
    -------
    middle : int, where the right side begins
    """
    start, end = span
    f, place = cut
    places = ground.places
    spare = np.empty(end - start, members.dtype)
    for side in range(2):
        for j in range(tasks.shape[1]):
            tasks[side, j] = 0.0
    n_left, n_right, pure_left, pure_right, y_left, y_right = start, 0, True, True, 0.0, 0.0
    for i in range(start, end):
        row = members[i]
        if places[f, row] <= place:
            value = add_member(ground, y, row, numbers, tasks[0])
            y_left = value if n_left == start else y_left
            pure_left &= value == y_left
            members[n_left] = row
            n_left += 1
        else:
            value = add_member(ground, y, row, numbers, tasks[1])
            y_right = value if n_right == 0 else y_right
            pure_right &= value == y_right
            spare[n_right] = row
            n_right += 1
    for i in range(n_right):
        members[n_left + i] = spare[i]
    complete(numbers, tasks[0], pure_left)
    complete(numbers, tasks[1], pure_right)
    return n_left


@kernel
def add_node(nodes, n_nodes, task, sums, n_sums):
    """Write a node, a leaf so far, and tell its parent."""
    parent = task[PARENT]
    if parent >= 0:
        nodes.ints[parent, LEFT if task[IS_LEFT] else RIGHT] = n_nodes
    nodes.ints[n_nodes, LEFT] = nodes.ints[n_nodes, RIGHT] = LEAF
    nodes.ints[n_nodes, NODE_FEATURE] = UNDEFINED
    nodes.ints[n_nodes, ROWS] = task[END] - task[START]
    nodes.ints[n_nodes, MISSING] = 0
    nodes.floats[n_nodes, NODE_THRESHOLD] = UNDEFINED
    nodes.floats[n_nodes, NODE_IMPURITY] = sums[IMPURITY]
    nodes.floats[n_nodes, NODE_WEIGHT] = sums[WEIGHT]
    for k in range(n_sums):
        nodes.floats[n_nodes, 3 + k] = sums[N_FLOATS + k] / sums[WEIGHT]


@kernel
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


@kernel(exact=True)
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


@kernel
def split_node(ground, values, y, members, rules, memory, frame):
    """Look for a cut and divide the members by it; return where the right side begins, or -1."""
    task, sums, tally = frame.task, frame.sums, memory.tally
    if not rules.numbers:
        for c in range(tally.shape[1]):
            tally[1, c] = np.int64(sums[N_FLOATS + c])
    span = (task[START], task[END])
    total = sums[TOTAL] if rules.numbers else sums[SQUARES]
    node = (span[0], span[1], task[KNOWN], sums[WEIGHT], total)
    look(ground, values, members, node, rules, memory)
    if memory.floats[MERIT] == -np.inf:
        return -1
    cut = (memory.ints[FEATURE], memory.ints[PLACE])
    middle = divide(ground, y, members, span, cut, rules.numbers, frame.sides)
    return middle if helps(rules, sums, frame.sides) else -1


@kernel
def write_split(ground, values, memory, random, nodes, node):
    """Write the cut that was found to a node."""
    f, rows, ids = memory.ints[FEATURE], ground.rows, ground.ids
    nodes.ints[node, NODE_FEATURE] = f
    if random:
        nodes.floats[node, NODE_THRESHOLD] = memory.floats[THRESHOLD]
    else:
        low = values[f, ids[rows[f, memory.ints[PLACE]]]]
        high = values[f, ids[rows[f, memory.ints[NEXT_PLACE]]]]
        nodes.floats[node, NODE_THRESHOLD] = np.float64(low) / 2.0 + np.float64(high) / 2.0


@kernel
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


@kernel
def take_task(stack, height, frame):
    """Copy a task off the stack."""
    for k in range(frame.task.shape[0]):
        frame.task[k] = stack.ints[height, k]
    for k in range(frame.sums.shape[0]):
        frame.sums[k] = stack.floats[height, k]


@kernel
def mark(leaves, ids, members, task, node):
    """Note the leaf of its members."""
    if leaves.shape[0]:
        for i in range(task[START], task[END]):
            leaves[ids[members[i]]] = node


@kernel
def grow_rows(grounds, values, y, members, rules, memory, leaves):
    """Grow a tree from the members.

    Parameters
    ----------
    grounds : (Ground of all rows, Ground with room for SMALL rows)
    values : float32 (d, n)
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
    ground, local = grounds
    n_sums, n_members, size = rules.n_classes, members.shape[0], ground.ids.shape[0]
    nodes = Tasks(np.empty((64, 5), np.int64), np.empty((64, 3 + n_sums)))
    stack = Tasks(np.empty((64, 6), np.int64), np.empty((64, N_FLOATS + n_sums)))
    frame = Frame(
        np.empty(6, np.int64), np.empty(N_FLOATS + n_sums), np.empty((2, N_FLOATS + n_sums))
    )
    number_of, own = np.empty(size, np.int32), np.empty(SMALL, np.int32)
    # all members are on the left of a cut behind the last place
    divide(ground, y, members, (0, n_members), (0, size), rules.numbers, frame.sides)
    for k in range(N_FLOATS + n_sums):
        stack.floats[0, k] = frame.sides[0, k]
    root = stack.ints[0]
    root[START], root[END], root[DEPTH], root[PARENT], root[IS_LEFT] = 0, n_members, 0, -1, 0
    root[KNOWN], height, n_nodes, base = 0, 1, 0, -1
    while height > 0:
        base = -1 if height == base else base
        height -= 1
        take_task(stack, height, frame)
        nodes, stack = doubled(nodes, n_nodes), doubled(stack, height)
        node, task = n_nodes, frame.task
        n_nodes += 1
        add_node(nodes, node, task, frame.sums, n_sums)
        leaf = stays_leaf(rules, task, frame.sums)
        m = task[END] - task[START]
        if base < 0 and not leaf and m <= SMALL and 4 * m < size:
            settle(ground, members, (task[START], task[END]), memory.line, local, number_of)
            for i in range(m):
                own[i] = i
            task[START], task[END], base = 0, m, height
        here, mine = (ground, members) if base < 0 else (local, own)
        middle = -1 if leaf else split_node(here, values, y, mine, rules, memory, frame)
        if middle < 0:
            mark(leaves, here.ids, mine, task, node)
            continue
        write_split(here, values, memory, rules.random, nodes, node)
        nodes.ints[node, MISSING] = middle - task[START] > task[END] - middle
        open_children(stack, height, frame, middle, node, memory.ints[N_CONSTANTS])
        height += 2
    return nodes, n_nodes


def is_plain(columns, targets, statistics, growth):
    """Tell whether a tree can be grown here, and will not grow sooner by `grower`."""
    criterion, n = CRITERIA[growth.criterion], columns.values.shape[1]
    d, shallow = len(columns.values), growth.max_depth < DEEP
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
        and (growth.splitter == "random" or not shallow or 2 * growth.max_features < d)
    )


def grow_plain(columns, targets, statistics, growth, *, seed, leaves=None):
    """Grow one tree; parameters and result are those of `grower.grow`."""
    d, n = columns.values.shape
    numbers = statistics.products is not None
    weights = targets.weights if len(targets.weights) else np.ones(n)
    fill_places(columns)
    ground = Ground(
        columns.places,
        columns.orders,
        columns.ranks,
        np.empty(0, np.int32) if numbers else statistics.counts,
        statistics.products if numbers else np.empty(0),
        weights,
        np.arange(n, dtype=np.int32),
        np.zeros(-(-n // 64), np.uint64),
        np.zeros(-(-n // 4096), np.uint64),
    )
    members = np.flatnonzero(weights).astype(np.int32)
    rules = Plain(
        random=growth.splitter == "random",
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
    ints = np.zeros(5, np.int64)
    ints[STATE] = seed
    memory = Memory(
        np.arange(d),
        np.zeros(d, np.int64),
        np.empty(n, np.int32),
        np.zeros((2, targets.n_classes), np.int64),
        np.zeros(2),
        ints,
    )
    local = empty_ground(d, SMALL, numbers=numbers)
    y = np.ascontiguousarray(targets.y[:, 0]) if numbers else np.empty(0)
    marked = np.empty(0, np.int64) if leaves is None else leaves
    if leaves is not None:
        leaves[:] = -1
    nodes, n_nodes = grow_rows((ground, local), columns.values, y, members, rules, memory, marked)
    return as_nodes(nodes, n_nodes)


def as_nodes(nodes, n_nodes):
    """Return a grown tree as Nodes."""
    ints, floats = nodes.ints[:n_nodes], nodes.floats[:n_nodes]
    return Nodes(
        children_left=ints[:, LEFT].copy(),
        children_right=ints[:, RIGHT].copy(),
        feature=ints[:, NODE_FEATURE].copy(),
        threshold=floats[:, NODE_THRESHOLD].copy(),
        missing_go_to_left=ints[:, MISSING].astype(np.uint8),
        value=floats[:, np.newaxis, 3:].copy(),
        impurity=floats[:, NODE_IMPURITY].copy(),
        n_node_samples=ints[:, ROWS].copy(),
        weighted_n_node_samples=floats[:, NODE_WEIGHT].copy(),
        category_set=np.full(n_nodes, -1, np.int64),
        set_start=np.zeros(1, np.int64),
        set_words=np.empty(0, np.uint64),
    )


def fill_places(columns):
    """Write where each row is in the order of each column, once for all trees."""
    with filling:
        if columns.ready[0] == 0:
            place_rows(columns.orders, columns.values, columns.places, columns.ranks)
            columns.ready[0] = 1


@kernel
def place_rows(orders, values, places, ranks):
    """Write the place of each row in the orders, and the rank of the value at each place."""
    for f in range(orders.shape[0]):
        rank = 0
        for p in range(orders.shape[1]):
            row = orders[f, p]
            if p > 0 and values[f, row] != values[f, orders[f, p - 1]]:
                rank += 1
            places[f, row], ranks[f, p] = p, rank
