"""The one loop that grows a tree, depth first or best first.

Problem     Divide the rows by questions about single features: what falls together be alike.
Iteration   Take an open node; draw the features to look at; find the best cut of each; if the best
            of all is worth it, divide the rows of the node, and open its two children.
            Depth first: the left child is next. Best first: the node is next whose cut helps most,
                W / W_all (impurity - W_l / W impurity_l - W_r / W impurity_r),             (1)
            until there are `max_leaf_nodes` leaves.
Cost        O(n d) per level of the tree, once the columns are sorted.
Reference   L. Breiman, J. Friedman, R. Olshen, C. Stone, Classification and regression trees, 1984.

With the same seed, the nodes, their numbers and the features drawn are those of scikit-learn.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.draws import below, between, next_state
from skcourse.tree.impurity import CRITERIA, POISSON, impurity
from skcourse.tree.nodes import LEAF, UNDEFINED, Nodes
from skcourse.tree.partition import choose_sides, split_stably
from skcourse.tree.search_ordered import (
    MERIT,
    MISSING_LEFT,
    N_FOUND,
    N_LEFT,
    THRESHOLD,
    Limits,
    add_row,
    search_ordered,
)
from skcourse.tree.search_random import search_random

EPSILON = np.finfo(float).eps  # what scikit-learn takes for no impurity, and for no improvement


class Growth(NamedTuple):
    """How to grow a tree: scikit-learn's parameters, as plain numbers."""

    criterion: str  # a key of impurity.CRITERIA
    splitter: str = "best"  # or "random"
    max_depth: int = 2**31 - 1
    min_samples_split: int = 2
    min_samples_leaf: int = 1
    min_weight_leaf: float = 0.0
    max_features: int = 2**31 - 1
    max_leaf_nodes: int = -1  # -1: any number, depth first
    min_impurity_decrease: float = 0.0
    monotonic: np.ndarray | None = None  # int8 (d,); of the share of class 0 in classification
    interaction: list | None = None  # sets of features that may act together


class Rules(NamedTuple):
    """Growth as the kernels take it."""

    criterion: int
    random: bool
    max_depth: int
    min_samples_split: int
    min_samples_leaf: int
    min_weight_leaf: float
    max_features: int
    max_leaf_nodes: int
    min_impurity_decrease: float
    monotonic: np.ndarray  # int8 (d,), or (0,)


class Table(NamedTuple):
    """The nodes so far, a row each."""

    ints: np.ndarray  # int64 (capacity, 6)
    floats: np.ndarray  # float64 (capacity, 3)
    values: np.ndarray  # float64 (capacity, n_outputs * n_classes)


NODE_LEFT, NODE_RIGHT, NODE_FEATURE, NODE_ROWS, NODE_MISSING, NODE_SET = range(6)
NODE_THRESHOLD, NODE_IMPURITY, NODE_WEIGHT = range(3)


class Tasks(NamedTuple):
    """Nodes to open (a stack) or to split (a heap): a row each."""

    ints: np.ndarray  # int64 (capacity, 9)
    floats: np.ndarray  # float64 (capacity, 7)


TASK_START, TASK_END, TASK_DEPTH, TASK_PARENT, TASK_LEFT, TASK_CONSTANTS = range(6)
TASK_NODE, TASK_N_LEFT, TASK_FEATURE = 6, 7, 8  # of nodes to split
TASK_IMPURITY, TASK_LOWER, TASK_UPPER = range(3)
TASK_IMPURITY_LEFT, TASK_IMPURITY_RIGHT, TASK_MIDDLE, TASK_GAIN = 3, 4, 5, 6


class Work(NamedTuple):
    """The memory of one tree while it grows."""

    rows: np.ndarray  # int32 (m,), the rows of each node side by side
    orders: np.ndarray  # int32 (d, m), the same by each feature
    sides: np.ndarray  # uint8 (n,), 1 where a row goes left
    spare: np.ndarray  # int32 (m,)
    features: np.ndarray  # int64 (d,), a permutation: the constant ones first
    constants: np.ndarray  # int64 (d,), the constant ones so far on the way from the root
    candidates: np.ndarray  # int64 (d, 2): feature drawn, its number of missing values
    found: np.ndarray  # float64 (d, N_FOUND), the best cut of each candidate
    total: np.ndarray  # float64 (3, n_sums + 1): sums and weight of the node; of two sides
    squares: np.ndarray  # float64 (3,): Q of the node; of two sides
    seed: np.ndarray  # int64 (1,), the state of the generator
    counts: np.ndarray  # int64 (4,): N_NODES, N_OPEN, N_FRONTIER, N_SPLIT


N_NODES, N_OPEN, N_FRONTIER, N_SPLIT = range(4)


@kernel
def add_rows(criterion, rows, targets, total, which, squares):
    """Sum what `impurity` asks for over `rows`, at total[which] and squares[which].

    Returns
    -------
    is_pure : bool, all targets are equal
    """
    n_sums = total.shape[1] - 1
    sums = total[which, :n_sums]
    sums[:] = 0.0
    weight = q = 0.0
    is_pure = True
    for i in range(rows.shape[0]):
        row = rows[i]
        w = add_row(sums, row, 1.0, targets)
        weight += w
        for k in range(targets.y.shape[1]):
            y = targets.y[row, k]
            is_pure &= y == targets.y[rows[0], k]
            if criterion == POISSON:
                q += w * y * np.log(y) if y > 0 else 0.0
            else:
                q += w * y * y
        for k in range(targets.codes.shape[1]):
            is_pure &= targets.codes[row, k] == targets.codes[rows[0], k]
    total[which, n_sums], squares[which] = weight, q
    return is_pure


@kernel
def count_missing(order, column):
    """Return how many rows, at the end of `order`, miss the value."""
    n_missing = 0
    while n_missing < order.shape[0] and np.isnan(column[order[order.shape[0] - 1 - n_missing]]):
        n_missing += 1
    return n_missing


@kernel
def draw_candidates(columns, rules, work, task):
    """Draw the features to look at; return how many there are, and how many are constant.

    The first `n_known` of work.features are constant in the parent, those up to `n_constant` turned
    out to be here; those from `n_left` on were drawn.
    """
    start, end, n_known = task[TASK_START], task[TASK_END], task[TASK_CONSTANTS]
    features, state = work.features, work.seed[0]
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
        order, column = work.orders[f, start:end], columns.values[f]
        n_missing = count_missing(order, column) if columns.has_missing[f] else 0
        n_present = end - start - n_missing
        low, high = column[order[0]], column[order[max(n_present - 1, 0)]]
        if n_present == 0 or (n_missing == 0 and low == high):
            features[j], features[n_constant] = features[n_constant], f
            n_constant += 1
            continue
        n_left -= 1
        features[n_left], features[j] = f, features[n_left]
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
    work.seed[0] = state
    return n_candidates, n_constant


@kernel
def search(columns, targets, rules, work, task, bounds, first, stop):
    """Find the best cut of the candidates `first` to `stop`."""
    start, end = task[TASK_START], task[TASK_END]
    for j in range(first, stop):
        f, n_missing = work.candidates[j]
        sign = np.int64(rules.monotonic[f]) if rules.monotonic.shape[0] else 0
        limits = Limits(
            rules.min_samples_leaf,
            rules.min_weight_leaf,
            sign,
            bounds[TASK_LOWER],
            bounds[TASK_UPPER],
        )
        order, column, found = work.orders[f, start:end], columns.values[f], work.found[j]
        if rules.random:
            search_random(
                rules.criterion, order, column, n_missing, targets, work.total, limits, found
            )
        else:
            search_ordered(
                rules.criterion, order, column, n_missing, targets, work.total, limits, found
            )


@kernel
def divide(columns, work, task, n_missing, missing_left):
    """Divide the rows of a node, and their orders by each feature, between its children."""
    start, end = task[TASK_START], task[TASK_END]
    order = work.orders[task[TASK_FEATURE], start:end]
    choose_sides(order, task[TASK_N_LEFT], n_missing, missing_left, work.sides)
    split_stably(work.rows[start:end], work.rows[start:end], work.sides, work.spare)
    for f in range(work.orders.shape[0]):
        split_stably(work.orders[f, start:end], work.orders[f, start:end], work.sides, work.spare)


@kernel
def open_node(columns, targets, rules, table, work, task, numbers):
    """Add the node of `task` to the table and look for its best cut.

    Parameters
    ----------
    task, numbers : int64 and float64 rows of Tasks; what is found about the cut is written to them

    Returns
    -------
    is_split : bool, whether there is a cut worth making
    """
    start, end = task[TASK_START], task[TASK_END]
    m, n_sums = end - start, work.total.shape[1] - 1
    is_pure = add_rows(rules.criterion, work.rows[start:end], targets, work.total, 0, work.squares)
    weight = work.total[0, n_sums]
    if task[TASK_PARENT] < 0 or is_pure:
        numbers[TASK_IMPURITY] = (
            0.0
            if is_pure
            else impurity(
                rules.criterion, work.total[0, :n_sums], work.squares[0], weight, targets.n_outputs
            )
        )
    add_node(targets, rules, table, work, task, numbers)
    if (
        task[TASK_DEPTH] >= rules.max_depth
        or m < rules.min_samples_split
        or m < 2 * rules.min_samples_leaf
        or weight < 2 * rules.min_weight_leaf
        or numbers[TASK_IMPURITY] <= EPSILON
    ):
        return False
    n_candidates, task[TASK_CONSTANTS] = draw_candidates(columns, rules, work, task)
    search(columns, targets, rules, work, task, numbers, 0, n_candidates)
    best, merit = -1, -np.inf
    for j in range(n_candidates):
        if work.found[j, MERIT] > merit:
            best, merit = j, work.found[j, MERIT]
    if best < 0:
        return False
    return judge_cut(columns, targets, rules, table, work, task, numbers, best)


@kernel
def judge_cut(columns, targets, rules, table, work, task, numbers, best):
    """Tell whether candidate `best` is worth a split; if so, write it to the node."""
    start, end, n_sums = task[TASK_START], task[TASK_END], work.total.shape[1] - 1
    found = work.found[best]
    f, n_missing = work.candidates[best]
    n_left, missing_left = np.int64(found[N_LEFT]), found[MISSING_LEFT] > 0
    order = work.orders[f, start:end]
    choose_sides(order, n_left, n_missing, missing_left, work.sides)
    for which in range(1, 3):
        n_side = 0
        for i in range(start, end):
            if work.sides[work.rows[i]] == 2 - which:
                work.spare[n_side] = work.rows[i]
                n_side += 1
        is_pure = add_rows(
            rules.criterion, work.spare[:n_side], targets, work.total, which, work.squares
        )
        numbers[TASK_IMPURITY + 2 + which] = (
            0.0
            if is_pure
            else impurity(
                rules.criterion,
                work.total[which, :n_sums],
                work.squares[which],
                work.total[which, n_sums],
                targets.n_outputs,
            )
        )
    w, w_left, w_right = work.total[0, n_sums], work.total[1, n_sums], work.total[2, n_sums]
    gain = improvement(numbers, w, w_left, w_right, work.squares[3])
    numbers[TASK_GAIN] = gain
    if gain + EPSILON < rules.min_impurity_decrease:
        return False
    numbers[TASK_MIDDLE] = work.total[1, 0] / (2 * w_left) + work.total[2, 0] / (2 * w_right)
    task[TASK_N_LEFT], task[TASK_FEATURE] = n_left, f
    node = task[TASK_NODE]
    table.ints[node, NODE_FEATURE], table.ints[node, NODE_MISSING] = f, missing_left
    table.floats[node, NODE_THRESHOLD] = found[THRESHOLD]
    return True


@kernel(exact=True)
def improvement(numbers, w, w_left, w_right, w_all):
    """Return (1)."""
    return (w / w_all) * (
        numbers[TASK_IMPURITY]
        - (w_right / w * numbers[TASK_IMPURITY_RIGHT])
        - (w_left / w * numbers[TASK_IMPURITY_LEFT])
    )


@kernel
def add_node(targets, rules, table, work, task, numbers):
    """Write the node of `task` to the table, as a leaf so far; return its number."""
    node, n_sums = work.counts[N_NODES], work.total.shape[1] - 1
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
    weight = work.total[0, n_sums]
    table.floats[node, NODE_WEIGHT] = weight
    value = table.values[node]
    for c in range(n_sums):
        value[c] = work.total[0, c] / weight
    if rules.monotonic.shape[0]:
        value[0] = min(max(value[0], numbers[TASK_LOWER]), numbers[TASK_UPPER])
        if targets.n_classes == 2:
            value[1] = 1 - value[0]
    return node


@kernel
def open_children(columns, rules, table, work, stack, task, numbers):
    """Divide the node of `task` and put its children on the stack, the left one on top."""
    node, f = task[TASK_NODE], task[TASK_FEATURE]
    start, end = task[TASK_START], task[TASK_END]
    n_missing = 0
    if columns.has_missing[f]:
        n_missing = count_missing(work.orders[f, start:end], columns.values[f])
    divide(columns, work, task, n_missing, table.ints[node, NODE_MISSING] > 0)
    sign = rules.monotonic[f] if rules.monotonic.shape[0] else 0
    for left in range(2):
        top = work.counts[N_OPEN]
        work.counts[N_OPEN] += 1
        child, bounds = stack.ints[top], stack.floats[top]
        cut = start + task[TASK_N_LEFT]
        child[TASK_START], child[TASK_END] = (start, cut) if left else (cut, end)
        child[TASK_DEPTH] = task[TASK_DEPTH] + 1
        child[TASK_PARENT], child[TASK_LEFT] = node, left
        child[TASK_CONSTANTS] = task[TASK_CONSTANTS] if rules.max_leaf_nodes < 0 else 0
        bounds[TASK_IMPURITY] = numbers[TASK_IMPURITY_LEFT if left else TASK_IMPURITY_RIGHT]
        bounds[TASK_LOWER], bounds[TASK_UPPER] = numbers[TASK_LOWER], numbers[TASK_UPPER]
        if (sign > 0 and left) or (sign < 0 and not left):
            bounds[TASK_UPPER] = numbers[TASK_MIDDLE]
        elif sign != 0:
            bounds[TASK_LOWER] = numbers[TASK_MIDDLE]


@kernel
def push(frontier, work, task, numbers):
    """Add a node to the heap of nodes to split."""
    hole = work.counts[N_FRONTIER]
    work.counts[N_FRONTIER] += 1
    sift_up(frontier, hole, task, numbers)


@kernel
def sift_up(frontier, hole, task, numbers):
    """Move the hole up to where (`task`, `numbers`) belongs, and fill it."""
    while hole > 0:
        above = (hole - 1) // 2
        if not frontier.floats[above, TASK_GAIN] < numbers[TASK_GAIN]:
            break
        frontier.ints[hole], frontier.floats[hole] = frontier.ints[above], frontier.floats[above]
        hole = above
    frontier.ints[hole], frontier.floats[hole] = task, numbers


@kernel
def pop(frontier, work, task, numbers):
    """Take the node with the largest gain from the heap; ties as in the C++ library."""
    task[:], numbers[:] = frontier.ints[0], frontier.floats[0]
    work.counts[N_FRONTIER] -= 1
    n, hole = work.counts[N_FRONTIER], 0
    gains = frontier.floats[:, TASK_GAIN]
    while 2 * hole + 1 < n:
        below = 2 * hole + 2
        if below >= n or gains[below] < gains[below - 1]:
            below -= 1
        frontier.ints[hole], frontier.floats[hole] = frontier.ints[below], frontier.floats[below]
        hole = below
    if n:
        sift_up(frontier, hole, frontier.ints[n].copy(), frontier.floats[n].copy())


@kernel
def advance(columns, targets, rules, table, work, stack, frontier):
    """Grow until the tree is complete (return True) or an array is full (return False)."""
    task, numbers = np.empty(9, np.int64), np.empty(7)
    best_first = rules.max_leaf_nodes >= 0
    while True:
        room = table.ints.shape[0] - work.counts[N_NODES]
        if room < 3 or stack.ints.shape[0] - work.counts[N_OPEN] < 3:
            return False
        if best_first and frontier.ints.shape[0] - work.counts[N_FRONTIER] < 3:
            return False
        if work.counts[N_OPEN]:
            work.counts[N_OPEN] -= 1
            top = work.counts[N_OPEN]
            task[:], numbers[:] = stack.ints[top], stack.floats[top]
            if not open_node(columns, targets, rules, table, work, task, numbers):
                continue
            if best_first:
                push(frontier, work, task, numbers)
                continue
        elif work.counts[N_FRONTIER] and work.counts[N_SPLIT] < rules.max_leaf_nodes - 1:
            pop(frontier, work, task, numbers)
            work.counts[N_SPLIT] += 1
        else:
            return True
        open_children(columns, rules, table, work, stack, task, numbers)


@kernel
def mark_leaves(rows, table, leaves, n_nodes):
    """Write to `leaves` the node that each row ends in: the leaves lie side by side in `rows`."""
    stack, place = [0], 0
    while stack:
        node = stack.pop()
        if table.ints[node, NODE_LEFT] == LEAF:
            for _ in range(table.ints[node, NODE_ROWS]):
                leaves[rows[place]] = node
                place += 1
        else:
            stack.append(table.ints[node, NODE_RIGHT])
            stack.append(table.ints[node, NODE_LEFT])


def grow(columns, targets, growth, *, seed, weights=None, leaves=None, n_jobs=None):
    """Grow one tree.

    Parameters
    ----------
    columns : Columns, see `rank_columns`
    targets : Targets, see `class_targets` and `number_targets`
    growth : Growth
    seed : int, the state of scikit-learn's generator
    weights : float64 array of shape (n,) or None
        Of this tree, instead of those of `targets`; 0: the row is not there.
    leaves : int64 array of shape (n,) or None
        Overwritten with the number of the leaf of each row, -1 where it is not there.
    n_jobs : int or None, default=None

    Returns
    -------
    nodes : Nodes
    """
    if weights is not None:
        targets = targets._replace(weights=np.ascontiguousarray(weights, np.float64))
    rules = as_rules(growth)
    work = start_work(columns, targets, seed)
    n_sums = targets.n_outputs * targets.n_classes
    table = Table(np.empty((1024, 6), np.int64), np.empty((1024, 3)), np.empty((1024, n_sums)))
    stack = Tasks(np.zeros((64, 9), np.int64), np.zeros((64, 7)))
    frontier = Tasks(np.zeros((64, 9), np.int64), np.zeros((64, 7)))
    stack.ints[0, :6] = 0, len(work.rows), 0, -1, 0, 0
    stack.floats[0, :3] = np.inf, -np.inf, np.inf
    work.counts[N_OPEN] = 1
    while not advance(columns, targets, rules, table, work, stack, frontier):
        table = grown(table, work.counts[N_NODES])
        stack = grown(stack, work.counts[N_OPEN])
        frontier = grown(frontier, work.counts[N_FRONTIER])
    if leaves is not None:
        leaves[:] = -1
        mark_leaves(work.rows, table, leaves, work.counts[N_NODES])
    return finished(table, work.counts[N_NODES], targets)


def grown(arrays, n_used):
    """Return a tuple of arrays with room for twice as many rows, if they are nearly full."""
    if len(arrays[0]) - n_used >= 3:
        return arrays
    return type(arrays)(*(np.concatenate([array, np.empty_like(array)]) for array in arrays))


def as_rules(growth):
    """Return `growth` as the kernels take it."""
    fields = growth._asdict()
    fields["criterion"] = CRITERIA[growth.criterion]
    fields["random"] = growth.splitter == "random"
    monotonic = growth.monotonic if growth.monotonic is not None else np.empty(0)
    fields["monotonic"] = np.array(monotonic, np.int8)
    for name in ("min_weight_leaf", "min_impurity_decrease"):
        fields[name] = float(fields[name])
    for name in ("max_depth", "min_samples_split", "min_samples_leaf"):
        fields[name] = int(fields[name])
    for name in ("max_features", "max_leaf_nodes"):
        fields[name] = int(fields[name])
    return Rules(**{name: fields[name] for name in Rules._fields})


def start_work(columns, targets, seed):
    """Return the memory for a tree, with the rows that are there in it."""
    d, n = columns.values.shape
    n_sums = targets.n_outputs * targets.n_classes
    weights = targets.weights
    present = weights != 0 if len(weights) else np.ones(n, bool)
    m = int(np.count_nonzero(present))
    sides = present.astype(np.uint8)
    orders, spare = np.empty((d, m), np.int32), np.empty(n, np.int32)
    for f in range(d):
        if m == n:
            orders[f] = columns.orders[f]
        else:
            orders[f] = columns.orders[f][present[columns.orders[f]]]
    squares = np.zeros(4)
    squares[3] = np.sum(weights) if len(weights) else n
    return Work(
        np.flatnonzero(present).astype(np.int32),
        orders,
        sides,
        spare,
        np.arange(d),
        np.zeros(d, np.int64),
        np.zeros((d, 2), np.int64),
        np.zeros((d, N_FOUND)),
        np.zeros((3, n_sums + 1)),
        squares,
        np.array([seed], np.int64),
        np.zeros(4, np.int64),
    )


def finished(table, n_nodes, targets):
    """Return the table as Nodes."""
    ints, floats = table.ints[:n_nodes], table.floats[:n_nodes]
    unsplit = ints[:, NODE_LEFT] == LEAF  # those left on the frontier too
    ints[unsplit, NODE_FEATURE], ints[unsplit, NODE_MISSING] = UNDEFINED, 0
    floats[unsplit, NODE_THRESHOLD] = UNDEFINED
    return Nodes(
        children_left=ints[:, NODE_LEFT].copy(),
        children_right=ints[:, NODE_RIGHT].copy(),
        feature=ints[:, NODE_FEATURE].copy(),
        threshold=floats[:, NODE_THRESHOLD].copy(),
        missing_go_to_left=ints[:, NODE_MISSING].astype(np.uint8),
        value=table.values[:n_nodes].reshape(n_nodes, targets.n_outputs, -1).copy(),
        impurity=floats[:, NODE_IMPURITY].copy(),
        n_node_samples=ints[:, NODE_ROWS].copy(),
        weighted_n_node_samples=floats[:, NODE_WEIGHT].copy(),
        category_set=ints[:, NODE_SET].copy(),
        set_start=np.zeros(1, np.int64),
        set_words=np.empty(0, np.uint64),
    )
