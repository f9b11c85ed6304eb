"""The plain tree: no gaps, no categories, no constraints, one output, depth first.

It is the tree of `grower`, node by node, for what most trees are: classes with integer weights by
Gini's impurity, or numbers by the squared error, thresholds best or random. The loop is the same;
a node sorts its rows by the features that it draws, and no others (`ground`).

Cost        O(m k) for a node of m rows that draws k features.
Reference   L. Breiman, Random forests, Machine Learning 45, 2001.
"""

import os
import threading

import numpy as np
from numba.core.config import DISABLE_JIT

from skcourse.core.chunks import reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.core.team import MASK, OVER
from skcourse.tree.columns import code_rows
from skcourse.tree.ground import Classes, Ground, Numbers, new_desk, place_rows, second_desk
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
    add_node,
    as_nodes,
    new_tree,
)
from skcourse.tree.plain_scan import (
    FEATURE,
    LEFT_BEST,
    N_CONSTANTS,
    N_INTS,
    NODE,
    PLACE,
    STATE,
    THRESHOLD,
)
from skcourse.tree.plain_search import MANY, Plain, look, new_crew, work_together
from skcourse.tree.search_classes import CLASS_MASK
from skcourse.tree.statistics import CLASS_BITS

MAX_ROWS = 2**30  # whose places, and whether they tie, are uint32
SMALL = 100_000  # rows times features, for which no thread is woken
HANDS = 4_000  # rows times features of a node that is searched by all threads
EPSILON = np.finfo(float).eps  # what scikit-learn takes for no impurity, and for no improvement

filling = threading.Lock()


def start_afresh():
    """Forget, in a child that was forked, the lock that a thread of the parent may hold."""
    global filling
    filling = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=start_afresh)


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
def sum_numbers(members, numbers, span, sums):
    """Sum the numbers of some rows: W, sum w y^2, sum w y, S; and their variance."""
    first, pure = numbers.y[members[span[0]]], True
    weight = squares = total = rounded = 0.0
    for i in range(span[0], span[1]):
        row = members[np.uintp(i)]
        w, value = numbers.weights[row], numbers.y[row]
        weight += w
        squares += w * value * value
        total += w * value
        rounded += numbers.products[row]
        pure &= value == first
    sums[WEIGHT], sums[SQUARES], sums[N_FLOATS], sums[TOTAL] = weight, squares, total, rounded
    sums[IMPURITY] = impurity_of(True, sums, pure)


@kernel(counted=False)
def complete_classes(sums):
    """Finish the sums of classes: W, the sum of squares, and Gini's impurity."""
    weight = squares = 0.0
    for c in range(N_FLOATS, sums.shape[0]):
        weight += sums[c]
        squares += sums[c] * sums[c]
    sums[WEIGHT], sums[SQUARES] = weight, squares
    sums[IMPURITY] = impurity_of(False, sums, False)


@kernel(counted=False, inlined=True)
def divide(ground, span, desk, codes):
    """Put the members on the left of the best cut first, in their order.

    Returns
    -------
    middle : int, where the right side begins
    """
    (start, end), f, place = span, desk.ints[FEATURE], np.uint32(desk.ints[PLACE])
    places, members, spare, n_left, n_right = ground.places, ground.members, desk.spare, start, 0
    key, by_columns = np.uint32(0), end - start > MANY
    for i in range(start, end):
        row = members[np.uintp(i)]
        if codes is None:
            key = places[row, f]
        else:
            key = codes[f, row] if by_columns else places[row, f]
        left = np.int64(key <= place)
        members[np.uintp(n_left)] = row
        spare[np.uintp(n_right)] = row
        n_left += left
        n_right += 1 - left
    for i in range(n_right):
        members[n_left + i] = spare[i]
    return n_left


@kernel(counted=False, inlined=True)
def sum_sides(members, numbers, classes, middle, tree):
    """Sum both sides of the node at work, which was divided."""
    task, sums, sides = tree.task, tree.sums, tree.sides
    if numbers is not None:
        sum_numbers(members, numbers, (task[START], middle), sides[0])
        sum_numbers(members, numbers, (middle, task[END]), sides[1])
    if classes is not None:
        for c in range(classes.tally.shape[1]):
            sides[0, N_FLOATS + c] = np.float64(classes.tally[LEFT_BEST, c])
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


@kernel(counted=False, inlined=True)
def describe(tree, classes):
    """Return what a search needs to know of the node at work, see `look`."""
    task, sums = tree.task, tree.sums
    total = sums[TOTAL]
    if classes is not None:
        total = sums[SQUARES]
        for c in range(classes.tally.shape[1]):
            classes.tally[NODE, c] = np.int64(sums[N_FLOATS + c])
    return task[START], task[END], task[KNOWN], sums[WEIGHT], total


@kernel(counted=False, inlined=True)
def open_children(tree, height, middle, node, n_known):
    """Put the children of the node at work on the stack, the left one on top."""
    task, sides, stack = tree.task, tree.sides, tree.stack
    for left in range(2):
        child, sums = stack.ints[height + left], stack.floats[height + left]
        child[START] = task[START] if left else middle
        child[END] = middle if left else task[END]
        child[DEPTH], child[PARENT], child[IS_LEFT] = task[DEPTH] + 1, node, left
        child[KNOWN] = n_known
        for k in range(sums.shape[0]):
            sums[k] = sides[1 - left, k]


@kernel(counted=False, inlined=True)
def take_top(tree, height):
    """Copy a task off the stack."""
    for k in range(tree.task.shape[0]):
        tree.task[k] = tree.stack.ints[height, k]
    for k in range(tree.sums.shape[0]):
        tree.sums[k] = tree.stack.floats[height, k]


@kernel(counted=False, inlined=True)
def mark(leaves, members, task, node):
    """Note the leaf of its members."""
    if leaves.shape[0]:
        for i in range(task[START], task[END]):
            leaves[members[i]] = node


@kernel(counted=False)
def grow_rows(ground, numbers, classes, rules, desk, crew, codes, tree):
    """Grow a tree from the members; or help to, where the rules say so.

    Parameters
    ----------
    ground : Ground
    numbers : Numbers or None
    classes : Classes or None
    rules : Plain
    desk : Desk
    crew : Crew; or None, where thresholds are random
    codes : uint32 array of shape (d, n), keys of the values; or None, where thresholds are best
    tree : Growing; at the bottom of its stack are the weights of the classes

    Returns
    -------
    n_nodes : int
    """
    if crew is not None:  # noqa: SIM102 - the compiler drops what stands below such a question only
        if not rules.leads:
            work_together(ground, numbers, classes, rules, desk, crew)
            return 0
    root, task, nodes, members = tree.stack.ints[0], tree.task, tree.nodes, ground.members
    root[START], root[END], root[DEPTH] = 0, members.shape[0], 0
    root[PARENT], root[IS_LEFT], root[KNOWN] = -1, 0, 0
    height, n_nodes = np.int64(1), np.int64(0)  # a literal would be a type, and a compilation, more
    if numbers is not None:
        sum_numbers(members, numbers, (0, members.shape[0]), tree.stack.floats[0])
    if classes is not None:
        complete_classes(tree.stack.floats[0])
    while height > 0:
        height -= 1
        take_top(tree, height)
        node, middle = n_nodes, -1
        n_nodes += 1
        add_node(nodes, node, task, tree.sums)
        if not stays_leaf(rules, task, tree.sums) and look(
            ground, numbers, classes, describe(tree, classes), rules, desk, crew, codes
        ):
            middle = divide(ground, (task[START], task[END]), desk, codes)
            sum_sides(members, numbers, classes, middle, tree)
        if middle < 0 or not helps(rules, tree.sums, tree.sides):
            mark(tree.leaves, members, task, node)
            continue
        nodes.ints[node, NODE_FEATURE] = desk.ints[FEATURE]
        nodes.floats[node, NODE_THRESHOLD] = desk.floats[THRESHOLD]
        nodes.ints[node, MISSING] = middle - task[START] > task[END] - middle
        open_children(tree, height, middle, node, desk.ints[N_CONSTANTS])
        height += 2
    return n_nodes


def count_root(members, classes, sums):
    """Write the weights of the classes, if there are any, to the sums of the root."""
    if classes is not None:
        marks = classes.marks[members]
        counts = np.bincount(marks & CLASS_MASK, marks >> CLASS_BITS, len(sums) - N_FLOATS)
        sums[N_FLOATS:] = counts


def is_plain(columns, targets, statistics, growth):
    """Tell whether a tree can be grown here."""
    criterion, n = CRITERIA[growth.criterion], columns.shape[1]
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


def who_is_there(targets, n):
    """Return the weights of `n` rows, and the rows that have one."""
    weights = targets.weights if len(targets.weights) else np.ones(n)
    return weights, np.flatnonzero(weights).astype(np.uint32)


def what_is_summed(targets, statistics, weights):
    """Return Numbers and Classes, one of which is None."""
    if statistics.products is None:
        return None, Classes(statistics.counts, np.zeros((3, targets.n_classes), np.int64))
    return Numbers(statistics.products, np.ascontiguousarray(targets.y[:, 0]), weights), None


def read_rules(growth, total_weight):
    """Return the rules of growth as numbers."""
    return Plain(
        leads=True,
        max_depth=int(growth.max_depth),
        min_samples_split=int(growth.min_samples_split),
        min_samples_leaf=int(growth.min_samples_leaf),
        min_weight_leaf=float(growth.min_weight_leaf),
        max_features=int(growth.max_features),
        min_impurity_decrease=float(growth.min_impurity_decrease),
        total_weight=float(total_weight),
    )


def grow_plain(columns, targets, statistics, growth, *, seed, leaves=None, n_threads=1):
    """Grow one tree; parameters and result are those of `grower.grow`."""
    d, n = columns.shape
    random = growth.splitter == "random"
    if random or growth.max_features < d or n * d < SMALL or d > MASK or DISABLE_JIT:
        n_threads = 1
    fill(columns, random)
    weights, members = who_is_there(targets, n)
    ground = Ground(
        columns.codes if random else columns.places,
        columns.orders,
        flat(columns.values),
        members,
    )
    numbers, classes = what_is_summed(targets, statistics, weights)
    crew = None if random else new_crew(d, targets.n_classes, HANDS if n_threads > 1 else np.inf)
    rules = read_rules(growth, np.sum(weights))
    codes = columns.codes_of if random else None
    desk = new_desk(n, len(members), d, N_INTS, random=random, numbers=numbers is not None)
    desk.ints[STATE] = seed
    marked = np.empty(0, np.int64) if leaves is None else leaves
    if leaves is not None:
        leaves[:] = -1
    tree = new_tree(len(members), growth, targets.n_classes, marked)
    count_root(members, classes, tree.stack.floats[0])

    def part(thread):
        leads = thread == 0
        mine = desk if leads else second_desk(desk)
        told = rules._replace(leads=leads)
        try:
            return grow_rows(ground, numbers, classes, told, mine, crew, codes, tree)
        finally:
            if leads and crew is not None:
                crew.board[OVER] = 1  # whatever happened, nobody waits for the leader

    if n_threads == 1:
        return as_nodes(tree.nodes, part(0))
    return as_nodes(tree.nodes, reduce_blocks(part, range(n_threads), first_of, n_jobs=n_threads))


def first_of(n_nodes, nothing):
    """Return what the leader returned; those who helped have nothing."""
    return n_nodes


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
