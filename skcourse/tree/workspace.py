"""The memory of one tree while it grows: its rules, its nodes so far, and who is where.

All rows of a node lie side by side, in `rows`, and by each feature in `orders`: a node is a slice
start:end of them, and a split only moves rows within it.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.impurity import CRITERIA
from skcourse.tree.nodes import LEAF, UNDEFINED, Nodes
from skcourse.tree.partition import split_stably
from skcourse.tree.search_ordered import N_FOUND


class Rules(NamedTuple):
    """Growth as the kernels take it."""

    criterion: int
    random: bool | None  # True, or None: then no kernel compiles how thresholds are drawn
    by_targets: bool | None  # the same, of the search that Statistics of the rows make needless
    max_depth: int
    min_samples_split: int
    min_samples_leaf: int
    min_weight_leaf: float
    max_features: int
    max_leaf_nodes: int
    min_impurity_decrease: float
    monotonic: np.ndarray  # int8 (d,), or (0,)
    total_weight: float
    groups: np.ndarray  # int64 (d, n_words): a bit is 1 if the feature is in that interaction group
    hands: float  # a node of that many rows times features is worth several threads


class Features(NamedTuple):
    """The fields of Columns that this loop reads."""

    values: np.ndarray
    orders: np.ndarray
    has_missing: np.ndarray
    is_categorical: np.ndarray


class Table(NamedTuple):
    """The nodes so far, a row each."""

    ints: np.ndarray  # int64 (capacity, 6)
    floats: np.ndarray  # float64 (capacity, 3)
    values: np.ndarray  # float64 (capacity, n_outputs * n_classes)


NODE_LEFT, NODE_RIGHT, NODE_FEATURE, NODE_ROWS, NODE_MISSING, NODE_SET = range(6)
NODE_THRESHOLD, NODE_IMPURITY, NODE_WEIGHT = range(3)


class Tasks(NamedTuple):
    """Nodes to open (a stack), to split (a heap), or at work (one): a row each."""

    ints: np.ndarray  # int64 (capacity, 10 + n_words)
    floats: (
        np.ndarray
    )  # float64 (capacity, 7 + 2 (n_sums + 3)): sums of the node, or of its two sides, last


TASK_START, TASK_END, TASK_DEPTH, TASK_PARENT, TASK_LEFT, TASK_CONSTANTS = range(6)
TASK_NODE, TASK_FEATURE, TASK_N_LEFT, TASK_MISSING = 6, 7, 8, 9  # of nodes to split
TASK_GROUPS = 10  # and on: bits of the interaction groups that all splits above belong to
TASK_IMPURITY, TASK_LOWER, TASK_UPPER = range(3)
TASK_IMPURITY_LEFT, TASK_IMPURITY_RIGHT, TASK_MIDDLE, TASK_GAIN = 3, 4, 5, 6
N_INTS, N_FLOATS = 10, 7
WORD = 62  # groups in an int64


class Work(NamedTuple):
    """What changes from node to node."""

    rows: np.ndarray  # int32 (m,), the rows of each node side by side
    orders: np.ndarray  # int32 (d, m), the same by each feature; (d, 0) if nobody asks for it
    sides: np.ndarray  # uint8 (n,), 1 where a row goes left
    spare: np.ndarray  # int32 (m,)
    features: np.ndarray  # int64 (d,), a permutation: the constant ones first
    constants: np.ndarray  # int64 (d,), the constant ones so far on the way from the root
    candidates: np.ndarray  # int64 (d, 2): feature drawn, its number of missing values
    found: np.ndarray  # float64 (d, N_FOUND), the best cut of each candidate
    total: np.ndarray  # float64 (3, n_sums + 3): sums of the node; of two sides
    tally: np.ndarray  # int64 (2, n_sums + 1): counts of a side, of the node
    counts: np.ndarray  # int64 (7,)
    sets: tuple | None = None  # Sets, where columns are of categories
    ranked: tuple | None = None  # Ranked, for the absolute error


N_NODES, N_OPEN, N_FRONTIER, N_SPLIT, PHASE, N_CANDIDATES, STATE = range(7)
# the last columns of total: weight, Q, and S as the search rounds it
WEIGHT, SQUARES, ROUNDED = -3, -2, -1


def read_rules(growth, statistics, total_weight, hands, n_features):
    """Return `growth` as the kernels take it."""
    fields = growth._asdict() | {"total_weight": float(total_weight), "hands": float(hands)}
    fields["criterion"] = CRITERIA[growth.criterion]
    fields["random"] = True if growth.splitter == "random" else None
    needless = fields["random"] or any(rows is not None for rows in statistics)
    fields["by_targets"] = None if needless else True
    monotonic = growth.monotonic if growth.monotonic is not None else np.empty(0)
    fields["monotonic"] = np.array(monotonic, np.int8)
    fields["groups"] = group_bits(growth.interaction, n_features)
    for name in ("min_weight_leaf", "min_impurity_decrease"):
        fields[name] = float(fields[name])
    for name in ("max_depth", "min_samples_split", "min_samples_leaf"):
        fields[name] = int(fields[name])
    for name in ("max_features", "max_leaf_nodes"):
        fields[name] = int(fields[name])
    return Rules(**{name: fields[name] for name in Rules._fields})


def as_features(columns):
    """Return Columns as the kernels take them."""
    return Features(*(getattr(columns, name) for name in Features._fields))


def group_bits(interaction, n_features):
    """Return, per feature, the interaction groups it is in, as bits: int64 (d, n_words)."""
    groups = interaction or []
    bits = np.zeros((n_features, -(-len(groups) // WORD)), np.int64)
    for g, group in enumerate(groups):
        bits[list(group), g // WORD] |= 1 << g % WORD
    return bits


def start_work(columns, targets, seed, *, orders):
    """Return the memory for a tree, with the rows that are there in it."""
    d, n = columns.values.shape
    n_sums = targets.n_outputs * targets.n_classes
    weights = targets.weights
    present = (weights != 0).view(np.uint8) if len(weights) else np.ones(n, np.uint8)
    rows = np.flatnonzero(present).astype(np.int32)
    counts = np.zeros(7, np.int64)
    counts[STATE], counts[N_OPEN] = seed, 1
    work = Work(
        rows,
        np.empty((d, len(rows) if orders else 0), np.int32),
        present,
        np.empty(n, np.int32),
        np.arange(d),
        np.zeros(d, np.int64),
        np.zeros((d, 2), np.int64),
        np.zeros((d, N_FOUND)),
        np.zeros((3, n_sums + 3)),
        np.zeros((2, n_sums + 1), np.int64),
        counts,
    )
    if orders and len(rows) < n:
        keep_present(columns.orders, work.orders, present, work.spare)
    return work


@kernel
def keep_present(source, target, present, spare):
    """Copy the orders of the rows that are there."""
    for f in range(source.shape[0]):
        split_stably(source[f], target[f], present, spare, False)


def start_tasks(n_sums, n_rows, n_words):
    """Return an empty stack with the root on it, an empty heap, and the task at work."""
    width = N_FLOATS + 2 * (n_sums + 3)
    stack, frontier = (
        Tasks(np.zeros((size, N_INTS + n_words), np.int64), np.zeros((size, width)))
        for size in (64, 64)
    )
    stack.ints[0, :6] = 0, n_rows, 0, -1, 0, 0
    stack.ints[0, TASK_GROUPS:] = -1
    stack.floats[0, :3] = np.inf, -np.inf, np.inf
    current = Tasks(np.zeros((1, N_INTS + n_words), np.int64), np.zeros((1, width)))
    return stack, frontier, current


def start_table(n_sums):
    """Return an empty table of nodes."""
    return Table(np.empty((1024, 6), np.int64), np.empty((1024, 3)), np.empty((1024, n_sums)))


def with_room(arrays, n_used):
    """Return a tuple of arrays with room for twice as many rows, if they are nearly full."""
    if len(arrays[0]) - n_used >= 3:
        return arrays
    return type(arrays)(*(np.concatenate([array, np.empty_like(array)]) for array in arrays))


@kernel
def mark_leaves(rows, table, leaves):
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


def as_nodes(table, n_nodes, targets):
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
        category_set=np.where(unsplit, -1, ints[:, NODE_SET]),
        set_start=np.zeros(1, np.int64),
        set_words=np.empty(0, np.uint64),
    )
