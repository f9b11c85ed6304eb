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

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import count_threads, reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.tree.absolute_error import (
    divide_ranked,
    rank_rows,
)
from skcourse.tree.category_sets import (
    is_full,
    pack_sets,
    sets_with_room,
    start_sets,
)
from skcourse.tree.columns import dense_columns, with_orders
from skcourse.tree.frontier import copy_task, pop, push
from skcourse.tree.impurity import ABSOLUTE, CRITERIA, SQUARED
from skcourse.tree.node_cut import arrange, is_leaf, judge, start_node
from skcourse.tree.node_search import search, view_of
from skcourse.tree.partition import choose_sides, split_stably
from skcourse.tree.plain_grower import grow_plain, is_plain
from skcourse.tree.sparse_columns import SparseColumns
from skcourse.tree.sparse_grower import grow_sparse
from skcourse.tree.statistics import pack
from skcourse.tree.targets import brought_near
from skcourse.tree.workspace import (
    N_CANDIDATES,
    N_FLOATS,
    N_FRONTIER,
    N_NODES,
    N_OPEN,
    N_SPLIT,
    NODE_MISSING,
    PHASE,
    TASK_CONSTANTS,
    TASK_DEPTH,
    TASK_END,
    TASK_FEATURE,
    TASK_GROUPS,
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
    as_features,
    as_nodes,
    mark_leaves,
    read_rules,
    start_table,
    start_tasks,
    start_work,
    with_room,
)

OPEN, SEARCH, JUDGE, SPLIT, FULL, DONE = range(6)  # phases; the last two only end a run
HANDS = 300_000  # rows times features of a node: its search and its split go to threads


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


@kernel
def open_children(rules, table, work, stack, current):
    """Put the children of the node at work on the stack, the left one on top.

    Returns
    -------
    any_inner : bool, False if both are known to be leaves
    """
    task, numbers = current.ints[0], current.floats[0]
    node, any_inner = task[TASK_NODE], False
    start, end = task[TASK_START], task[TASK_END]
    cut = start + task[TASK_N_LEFT]
    sign = rules.monotonic[task[TASK_FEATURE]] if rules.monotonic.shape[0] else 0
    for left in range(2):
        top = work.counts[N_OPEN]
        work.counts[N_OPEN] += 1
        child, bounds = stack.ints[top], stack.floats[top]
        child[TASK_START], child[TASK_END] = (start, cut) if left else (cut, end)
        child[TASK_DEPTH] = task[TASK_DEPTH] + 1
        child[TASK_PARENT], child[TASK_LEFT] = node, left
        for w in range(rules.groups.shape[1]):
            child[TASK_GROUPS + w] = task[TASK_GROUPS + w] & rules.groups[task[TASK_FEATURE], w]
        child[TASK_CONSTANTS] = task[TASK_CONSTANTS] if rules.max_leaf_nodes < 0 else 0
        bounds[TASK_IMPURITY] = numbers[TASK_IMPURITY_LEFT if left else TASK_IMPURITY_RIGHT]
        bounds[TASK_LOWER], bounds[TASK_UPPER] = numbers[TASK_LOWER], numbers[TASK_UPPER]
        if (sign > 0 and left) or (sign < 0 and not left):
            bounds[TASK_UPPER] = numbers[TASK_MIDDLE]
        elif sign != 0:
            bounds[TASK_LOWER] = numbers[TASK_MIDDLE]
        width = work.total.shape[1]
        for k in range(width):
            own = numbers[N_FLOATS + (0 if left else width) + k]
            bounds[N_FLOATS + k] = own
        any_inner |= not is_leaf(
            rules,
            child[TASK_DEPTH],
            child[TASK_END] - child[TASK_START],
            bounds[N_FLOATS + width + WEIGHT],
            bounds[TASK_IMPURITY],
        )
    return any_inner


@kernel
def divide_rows(columns, rules, table, work, current):
    """Mark the sides of the rows of the node at work, and divide them."""
    task = current.ints[0]
    start, end = task[TASK_START], task[TASK_END]
    order = view_of(columns, work, task).orders[task[TASK_FEATURE], start:end]
    if arrange(columns, rules, table, work, task):
        order = work.spare[: end - start]
    missing_left = table.ints[task[TASK_NODE], NODE_MISSING] > 0
    choose_sides(order, task[TASK_N_LEFT], task[TASK_MISSING], missing_left, work.sides)
    rows = work.rows[start:end]
    split_stably(rows, rows, work.sides, work.spare, True)
    divide_ranked(work.ranked, work.sides, work.spare, start, end)


@kernel
def divide_orders(columns, work, current, first, stop):
    """Divide the orders of the node by the features at `first` to `stop` of `work.features`."""
    task = current.ints[0]
    start, end = task[TASK_START], task[TASK_END]
    view = view_of(columns, work, task)
    source, target, sides, spare = view.orders, work.orders, work.sides, work.spare
    for j in range(first, stop):
        f = work.features[j]
        n_left, n_right = start, 0
        for i in range(start, end):
            row = source[f, i]
            left = np.int64(sides[row])
            target[f, n_left] = row
            spare[n_right] = row
            n_left += left
            n_right += 1 - left
        for i in range(n_right):
            target[f, n_left + i] = spare[i]


@kernel(counted=False)
def advance(columns, targets, statistics, rules, table, work, queues, part):
    """Grow until the tree is complete, an array is full, or several threads can help.

    Parameters
    ----------
    columns, targets, statistics, rules, table, work, queues : what `grow` puts together
    part : (phase, first, stop)
        OPEN: grow. What a thread does as its part: SEARCH these candidates, SPLIT these orders.

    Returns
    -------
    phase : DONE; FULL; SEARCH, of the candidates of the node at work; or SPLIT, of its orders
    """
    stack, frontier, current = queues
    if part[0] != OPEN:
        if part[0] == SEARCH:
            search(columns, targets, statistics, rules, work, current, (part[1], part[2]))
        else:
            divide_orders(columns, work, current, part[1], part[2])
        return part[0]
    task, counts = current.ints[0], work.counts
    best_first, ordered = rules.max_leaf_nodes >= 0, work.orders.shape[1] > 0
    while True:
        if counts[PHASE] == OPEN:
            if (
                table.ints.shape[0] - counts[N_NODES] < 3
                or stack.ints.shape[0] - counts[N_OPEN] < 3
                or frontier.ints.shape[0] - counts[N_FRONTIER] < 3
                or is_full(work.sets)
            ):
                return FULL
            if counts[N_OPEN]:
                counts[N_OPEN] -= 1
                copy_task(stack, counts[N_OPEN], current, np.int64(0))
                n_candidates = start_node(columns, targets, statistics, rules, table, work, current)
                counts[N_CANDIDATES] = n_candidates
                if n_candidates == 0:
                    continue
                counts[PHASE] = SEARCH
                if (task[TASK_END] - task[TASK_START]) * n_candidates >= rules.hands:
                    return SEARCH
            elif counts[N_FRONTIER] and counts[N_SPLIT] < rules.max_leaf_nodes - 1:
                pop(frontier, counts, current)
                counts[N_SPLIT] += 1
                counts[PHASE] = SPLIT
            else:
                return DONE
        if counts[PHASE] == SEARCH:
            block = (np.int64(0), counts[N_CANDIDATES])
            search(columns, targets, statistics, rules, work, current, block)
            counts[PHASE] = JUDGE
        if counts[PHASE] == JUDGE:
            counts[PHASE] = OPEN
            if not judge(columns, targets, statistics, rules, table, work, current):
                continue
            if best_first:
                push(frontier, counts, current)
                continue
        counts[PHASE] = OPEN
        divide_rows(columns, rules, table, work, current)
        inner = open_children(rules, table, work, stack, current)
        if inner and ordered:
            first = 0 if best_first else task[TASK_CONSTANTS]
            d = work.features.shape[0]
            if (task[TASK_END] - task[TASK_START]) * (d - first) >= rules.hands:
                return SPLIT
            divide_orders(columns, work, current, first, d)


def grow(columns, targets, growth, *, seed, weights=None, leaves=None, n_jobs=None):
    """Grow one tree.

    Parameters
    ----------
    columns : Columns or SparseColumns, see `rank_columns`
    targets : Targets, see `class_targets` and `number_targets`
    growth : Growth
    seed : int, the state of scikit-learn's generator
    weights : float64 array of shape (n,) or None
        Of this tree, instead of those of `targets`; 0: the row is not there.
    leaves : int64 array of shape (n,) or None
        Overwritten with the number of the leaf of each row, -1 where it is not there.
    n_jobs : int or None, default=None
        Threads that share the work on large nodes.

    Returns
    -------
    nodes : Nodes

    Raises
    ------
    ValueError
        No row has a weight.
    """
    if weights is not None:
        targets = targets._replace(weights=np.ascontiguousarray(weights, np.float64))
    if len(targets.weights) and not targets.weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    options = {"seed": seed, "leaves": leaves, "n_threads": count_threads(n_jobs)}
    if CRITERIA[growth.criterion] != SQUARED:
        return grow_near(columns, targets, growth, **options)
    targets, unit = brought_near(targets)
    least = growth.min_impurity_decrease / unit / unit
    nodes = grow_near(columns, targets, growth._replace(min_impurity_decrease=least), **options)
    with np.errstate(over="ignore"):  # the variance of numbers beyond 1e154 is infinite
        impurity = nodes.impurity * unit * unit
    value = nodes.value * unit + targets.shift[:, np.newaxis]
    return nodes._replace(value=value, impurity=impurity)


def grow_near(columns, targets, growth, *, seed, leaves, n_threads):
    """Do as `grow` where the squares of the targets can be summed."""
    n = columns.shape[1]
    statistics = pack(CRITERIA[growth.criterion], targets)
    plain = is_plain(columns, targets, statistics, growth)
    if isinstance(columns, SparseColumns):
        if plain:
            return grow_sparse(columns, targets, statistics, growth, seed=seed, leaves=leaves)
        columns = dense_columns(columns)
    if plain:
        columns = columns if growth.splitter == "random" else with_orders(columns)
        return grow_plain(
            columns, targets, statistics, growth, seed=seed, leaves=leaves, n_threads=n_threads
        )
    total = np.sum(targets.weights) if len(targets.weights) else n
    hands = HANDS if n_threads > 1 else np.inf
    rules = read_rules(growth, statistics, total, hands, len(columns.values))
    columns = as_features(columns if rules.random else with_orders(columns))
    absent = len(targets.weights) and not targets.weights.all()
    ordered = growth.splitter == "best" and (rules.max_depth > 1 or absent)
    work = start_work(columns, targets, seed, orders=ordered)
    ranked = rank_rows(targets, work.rows) if rules.criterion == ABSOLUTE else None
    work = work._replace(sets=start_sets(columns), ranked=ranked)
    n_sums = targets.n_outputs * targets.n_classes
    table, queues = start_table(n_sums), start_tasks(n_sums, len(work.rows), rules.groups.shape[1])
    while True:
        given = columns, targets, statistics, rules, table
        phase = advance(*given, work, queues, (OPEN, 0, 0))
        if phase == DONE:
            break
        if phase == FULL:
            table = with_room(table, work.counts[N_NODES])
            work = work._replace(sets=sets_with_room(work.sets))
            stack, frontier, current = queues
            stack = with_room(stack, work.counts[N_OPEN])
            queues = stack, with_room(frontier, work.counts[N_FRONTIER]), current
        elif phase == SEARCH:
            search_on_threads(given, work, queues, n_threads)
            work.counts[PHASE] = JUDGE
        else:
            divide_on_threads(given, work, queues, n_threads)
    if leaves is not None:
        leaves[:] = -1
        mark_leaves(work.rows, table, leaves)
    nodes = as_nodes(table, work.counts[N_NODES], targets)
    category_set, set_start, set_words = pack_sets(work.sets, nodes.category_set, nodes.feature)
    return nodes._replace(category_set=category_set, set_start=set_start, set_words=set_words)


def search_on_threads(given, work, queues, n_threads):
    """Search the candidates of the node at work, a few on each thread at a time."""

    def part(block):
        mine = work._replace(total=work.total.copy(), tally=work.tally.copy())
        advance(*given, mine, queues, (SEARCH, *block))

    run_blocks(part, 0, int(work.counts[N_CANDIDATES]), n_threads)


def divide_on_threads(given, work, queues, n_threads):
    """Divide the orders of the node at work, a few features on each thread at a time."""

    def part(block):
        mine = work._replace(spare=np.empty_like(work.spare))
        advance(*given, mine, queues, (SPLIT, *block))

    rules, current = given[3], queues[2]
    first = 0 if rules.max_leaf_nodes >= 0 else int(current.ints[0, TASK_CONSTANTS])
    run_blocks(part, first, len(work.features), n_threads)


def run_blocks(part, first, stop, n_threads):
    """Call part((i, j)) for blocks of first:stop, two per thread."""
    n_blocks = min(2 * n_threads, stop - first)
    edges = [first + (stop - first) * i // n_blocks for i in range(n_blocks + 1)]
    blocks = list(pairwise(edges))
    reduce_blocks(part, blocks, lambda total, part: None, n_jobs=n_threads)
