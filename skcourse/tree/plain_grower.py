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
from numba.core.config import DISABLE_JIT

from skcourse.core.chunks import reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.core.team import MASK, OVER
from skcourse.tree.columns import code_rows
from skcourse.tree.ground import CLASS_MASK, Ground, new_desk, place_rows, second_desk
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
from skcourse.tree.plain_scan import (
    FEATURE,
    LEFT_BEST,
    MERIT,
    N_CONSTANTS,
    N_INTS,
    NODE,
    PLACE,
    STATE,
    THRESHOLD,
    Best,
    find_threshold,
)
from skcourse.tree.plain_search import Drawer, Plain, help_out, look, new_crew
from skcourse.tree.statistics import CLASS_BITS

MAX_ROWS = 2**30  # whose places, and whether they tie, are uint32
SMALL = 100_000  # rows times features, for which no thread is woken
HANDS = 4_000  # rows times features of a node that is searched by all threads
EPSILON = np.finfo(float).eps  # what scikit-learn takes for no impurity, and for no improvement

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


@kernel(counted=False, inlined=True)
def sum_numbers(ground, members, span, sums):
    """Sum the numbers of some rows: W, sum w y^2, sum w y, S; and their variance."""
    first, pure = ground.y[members[span[0]]], True
    weight = squares = total = rounded = 0.0
    for i in range(span[0], span[1]):
        row = members[i]
        w, value = ground.weights[row], ground.y[row]
        weight += w
        squares += w * value * value
        total += w * value
        rounded += ground.products[row]
        pure &= value == first
    sums[WEIGHT], sums[SQUARES], sums[N_FLOATS], sums[TOTAL] = weight, squares, total, rounded
    sums[IMPURITY] = impurity_of(True, sums, pure)


@kernel(counted=False, inlined=True)
def sum_classes(ground, members, sums):
    """Sum the weights of the classes of all members."""
    for k in range(sums.shape[0]):
        sums[k] = 0.0
    for i in range(members.shape[0]):
        mark = ground.marks[members[i]]
        sums[N_FLOATS + (mark & CLASS_MASK)] += np.float64(mark >> CLASS_BITS)
    complete_classes(sums)


@kernel(counted=False, inlined=True)
def complete_classes(sums):
    """Finish the sums of classes: W, the sum of squares, and Gini's impurity."""
    weight = squares = 0.0
    for c in range(N_FLOATS, sums.shape[0]):
        weight += sums[c]
        squares += sums[c] * sums[c]
    sums[WEIGHT], sums[SQUARES] = weight, squares
    sums[IMPURITY] = impurity_of(False, sums, False)


@kernel(counted=False, inlined=True)
def divide(ground, members, span, spare, best):
    """Put the members on the left of the best cut first, in their order.

    Returns
    -------
    middle : int, where the right side begins
    """
    (start, end), f, place = span, best.ints[FEATURE], np.uint32(best.ints[PLACE])
    places, n_left, n_right = ground.places, start, 0
    for i in range(start, end):
        row = members[i]
        left = np.int64(places[row, f] <= place)
        members[n_left] = row
        spare[n_right] = row
        n_left += left
        n_right += 1 - left
    for i in range(n_right):
        members[n_left + i] = spare[i]
    return n_left


@kernel(counted=False, inlined=True)
def sum_sides(ground, members, task, middle, rules, best, frame):
    """Sum both sides of a node that was divided."""
    sums, sides, tally = frame.sums, frame.sides, best.tally
    if rules.numbers:
        sum_numbers(ground, members, (task[START], middle), sides[0])
        sum_numbers(ground, members, (middle, task[END]), sides[1])
        return
    for c in range(tally.shape[1]):
        sides[0, N_FLOATS + c] = np.float64(tally[LEFT_BEST, c])
        sides[1, N_FLOATS + c] = sums[N_FLOATS + c] - sides[0, N_FLOATS + c]
    complete_classes(sides[0])
    complete_classes(sides[1])


@kernel(counted=False, inlined=True)
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


@kernel(counted=False, inlined=True)
def split_node(ground, members, rules, drawer, desk, best, crew, frame):
    """Look for a cut and divide the members by it; return where the right side begins, or -1."""
    task, sums, tally = frame.task, frame.sums, best.tally
    if not rules.numbers:
        for c in range(tally.shape[1]):
            tally[NODE, c] = np.int64(sums[N_FLOATS + c])
    start, end = task[START], task[END]
    total = sums[TOTAL] if rules.numbers else sums[SQUARES]
    node = (start, end, task[KNOWN], sums[WEIGHT], total)
    look(ground, members, node, rules, drawer, desk, best, crew)
    if best.floats[MERIT] == -np.inf:
        return -1
    if not rules.random:
        find_threshold(ground, best)
    middle = divide(ground, members, (start, end), desk.spare, best)
    sum_sides(ground, members, task, middle, rules, best, frame)
    return middle if helps(rules, sums, frame.sides) else -1


@kernel(counted=False, inlined=True)
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


@kernel(counted=False, inlined=True)
def take_task(stack, height, frame):
    """Copy a task off the stack."""
    for k in range(frame.task.shape[0]):
        frame.task[k] = stack.ints[height, k]
    for k in range(frame.sums.shape[0]):
        frame.sums[k] = stack.floats[height, k]


@kernel(counted=False, inlined=True)
def mark(leaves, members, task, node):
    """Note the leaf of its members."""
    if leaves.shape[0]:
        for i in range(task[START], task[END]):
            leaves[members[i]] = node


@kernel
def grow_rows(ground, members, rules, drawer, desk, best, crew, leaves):
    """Grow a tree from the members.

    Parameters
    ----------
    ground : Ground
    members : int32 array, rows that are there; will be divided
    rules : Plain
    drawer : Drawer
    desk : Desk
    best : Best
    crew : Crew
    leaves : int64 (n,) or (0,), overwritten with the leaf of each member

    Returns
    -------
    nodes : Tasks
    n_nodes : int
    """
    n_sums, n_members = rules.n_classes, members.shape[0]
    nodes = Tasks(np.empty((64, 5), np.int64), np.empty((64, 3 + n_sums)))
    stack = Tasks(np.empty((64, 6), np.int64), np.empty((64, N_FLOATS + n_sums)))
    frame = Frame(
        np.empty(6, np.int64), np.empty(N_FLOATS + n_sums), np.empty((2, N_FLOATS + n_sums))
    )
    root, sums = stack.ints[0], stack.floats[0]
    if rules.numbers:
        sum_numbers(ground, members, (0, n_members), sums)
    else:
        sum_classes(ground, members, sums)
    root[START], root[END], root[DEPTH], root[PARENT], root[IS_LEFT] = 0, n_members, 0, -1, 0
    root[KNOWN], height, n_nodes = 0, 1, 0
    while height > 0:
        height -= 1
        take_task(stack, height, frame)
        if nodes.ints.shape[0] - n_nodes < 3:
            nodes = doubled(nodes, n_nodes)
        if stack.ints.shape[0] - height < 3:
            stack = doubled(stack, height)
        node, task, middle = n_nodes, frame.task, -1
        n_nodes += 1
        add_node(nodes, node, task, frame.sums, n_sums)
        if not stays_leaf(rules, task, frame.sums):
            middle = split_node(ground, members, rules, drawer, desk, best, crew, frame)
        if middle < 0:
            mark(leaves, members, task, node)
            continue
        nodes.ints[node, NODE_FEATURE] = best.ints[FEATURE]
        nodes.floats[node, NODE_THRESHOLD] = best.floats[THRESHOLD]
        nodes.ints[node, MISSING] = middle - task[START] > task[END] - middle
        open_children(stack, height, frame, middle, node, best.ints[N_CONSTANTS])
        height += 2
    return nodes, n_nodes


def is_plain(columns, targets, statistics, growth):
    """Tell whether a tree can be grown here."""
    criterion, n = CRITERIA[growth.criterion], columns.values.shape[1]
    free = growth.monotonic is None or not np.any(growth.monotonic)
    sums = statistics.counts if criterion == GINI else statistics.products
    return (
        criterion in (GINI, SQUARED)
        and sums is not None
        and growth.max_leaf_nodes < 0
        and free
        and growth.interaction is None
        and 0 < n <= MAX_ROWS
        and not columns.has_missing.any()
        and not columns.is_categorical.any()
    )


def grow_plain(columns, targets, statistics, growth, *, seed, leaves=None, n_threads=1):
    """Grow one tree; parameters and result are those of `grower.grow`."""
    d, n = columns.values.shape
    numbers = statistics.products is not None
    random = growth.splitter == "random"
    if random or growth.max_features < d or n * d < SMALL or d > MASK or DISABLE_JIT:
        n_threads = 1
    fill(columns, random)
    nothing = np.empty(0)
    ground = Ground(
        columns.codes if random else columns.places,
        columns.codes_of,
        columns.orders,
        flat(columns.values),
        np.empty(0, np.int32) if numbers else statistics.counts,
        statistics.products if numbers else nothing,
        np.ascontiguousarray(targets.y[:, 0]) if numbers else nothing,
        targets.weights if len(targets.weights) else np.ones(n),
    )
    members = np.flatnonzero(ground.weights).astype(np.int32)
    rules = Plain(
        random=random,
        numbers=numbers,
        max_depth=int(growth.max_depth),
        min_samples_split=int(growth.min_samples_split),
        min_samples_leaf=int(growth.min_samples_leaf),
        min_weight_leaf=float(growth.min_weight_leaf),
        max_features=int(growth.max_features),
        min_impurity_decrease=float(growth.min_impurity_decrease),
        total_weight=float(np.sum(ground.weights)),
        hands=float(HANDS) if n_threads > 1 else np.inf,
        n_features=d,
        n_classes=targets.n_classes,
    )
    best = Best(np.zeros(2), np.zeros(N_INTS, np.int64), np.zeros((3, targets.n_classes), np.int64))
    best.ints[STATE] = seed
    drawer = Drawer(np.arange(d), np.zeros(d, np.int64))
    desk = new_desk(n, len(members), random=random, numbers=numbers)
    marked = np.empty(0, np.int64) if leaves is None else leaves
    if leaves is not None:
        leaves[:] = -1
    crew = new_crew(d, targets.n_classes)
    everything = ground, members, rules, drawer

    def part(thread):
        if thread > 0:
            return help_out(*everything, second_desk(desk), crew)
        try:
            return grow_rows(*everything, desk, best, crew, marked)
        finally:
            crew.board[OVER] = 1  # whatever happened, nobody waits for the leader

    if n_threads == 1:
        return as_nodes(*part(0))
    return as_nodes(*reduce_blocks(part, range(n_threads), first_of, n_jobs=n_threads))


def first_of(tree, nothing):
    """Return the tree; those who helped have none."""
    return tree


def flat(values):
    """Return a matrix as a vector that cannot be written: X of a user is of that kind, or not."""
    view = np.asarray(values).reshape(-1).view(np.ndarray)
    view.flags.writeable = False
    return view


def fill(columns, random):
    """Write the places of the rows, or the keys of the values, once for all trees."""
    with filling:
        if columns.ready[int(random)]:
            return
        if random:
            bits = columns.values.view(np.uint32)
            code_rows(columns.values, bits, columns.codes, columns.codes_of)
        else:
            place_rows(columns.orders, columns.values, columns.places)
        columns.ready[int(random)] = 1
