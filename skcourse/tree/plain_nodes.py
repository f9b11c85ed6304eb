"""The nodes of a growing plain tree, and those still to be looked at: rows of two tables each."""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.nodes import LEAF, UNDEFINED, Nodes

# a task: ints and floats, then the sums of classes
START, END, DEPTH, PARENT, IS_LEFT, KNOWN = range(6)
IMPURITY, WEIGHT, SQUARES, TOTAL = range(4)  # Q, and S of the rounded products
N_FLOATS = 4
# a node
LEFT, RIGHT, NODE_FEATURE, ROWS, MISSING = range(5)
NODE_THRESHOLD, NODE_IMPURITY, NODE_WEIGHT = range(3)


class Tasks(NamedTuple):
    """Nodes that are still to be looked at, or nodes of the tree."""

    ints: np.ndarray  # int64 (n, 6) of tasks, (n, 5) of nodes
    floats: np.ndarray  # float64 (n, N_FLOATS + n_sums) of tasks, (n, 3 + n_sums) of nodes


class Growing(NamedTuple):
    """A tree as it grows, and the node at work."""

    nodes: Tasks
    stack: Tasks
    task: np.ndarray  # int64 (6,)
    sums: np.ndarray  # float64 (N_FLOATS + n_sums,)
    sides: np.ndarray  # the same of its two sides, (2, ...)
    leaves: np.ndarray  # int64 (n,), overwritten with the leaf of each row; or (0,)


def new_tree(m, growth, n_sums, leaves):
    """Return a tree that has no node yet, with room for any tree of `m` rows.

    Room that is not used costs nothing: no memory is taken before it is written.
    """
    depth = min(growth.max_depth, m)
    n_leaves = max(m // max(growth.min_samples_leaf, 1), 1)
    n_leaves = min(n_leaves, 2**depth) if depth < 31 else n_leaves
    width = N_FLOATS + n_sums
    nodes = Tasks(np.empty((2 * n_leaves, 5), np.int64), np.empty((2 * n_leaves, 3 + n_sums)))
    stack = Tasks(np.empty((depth + 3, 6), np.int64), np.empty((depth + 3, width)))
    return Growing(
        nodes, stack, np.empty(6, np.int64), np.empty(width), np.empty((2, width)), leaves
    )


@kernel(counted=False, inlined=True)
def add_node(nodes, n_nodes, task, sums):
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
    for k in range(sums.shape[0] - N_FLOATS):
        nodes.floats[n_nodes, 3 + k] = sums[N_FLOATS + k] / sums[WEIGHT]


def as_nodes(nodes, n_nodes):
    """Return a grown tree as Nodes, in numpy's own dtypes: those of a kernel pickle otherwise."""
    ints, floats = nodes.ints[:n_nodes], nodes.floats[:n_nodes]
    return Nodes(
        children_left=ints[:, LEFT].astype(np.int64),
        children_right=ints[:, RIGHT].astype(np.int64),
        feature=ints[:, NODE_FEATURE].astype(np.int64),
        threshold=floats[:, NODE_THRESHOLD].astype(np.float64),
        missing_go_to_left=ints[:, MISSING].astype(np.uint8),
        value=floats[:, np.newaxis, 3:].astype(np.float64, order="C"),
        impurity=floats[:, NODE_IMPURITY].astype(np.float64),
        n_node_samples=ints[:, ROWS].astype(np.int64),
        weighted_n_node_samples=floats[:, NODE_WEIGHT].astype(np.float64),
        category_set=np.full(n_nodes, -1, np.int64),
        set_start=np.zeros(1, np.int64),
        set_words=np.empty(0, np.uint64),
    )
