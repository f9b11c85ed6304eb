"""From the root to the leaf, for many rows through many trees: all prediction of trees is here.

Problem     A tree sends x from node a to one of two children; f(x) is the value of its leaf, and an
            ensemble adds up
                F(x) = sum_t f_t(x)                                                           (1)
Method      The children of a node lie side by side, so that a step is an addition:
                a <- left(a) + [x_f > threshold(a)]                                           (2)
            and a leaf is a node that leads to itself (left(a) = a, threshold infinite). Nothing in
            (2) depends on a branch that a processor could guess wrong. What is left is the wait for
            memory, so many walks, which do not wait for each other, take two steps each in turn,
            until they are at their leaves: rows through one tree, or, of a few rows, one row
            through many trees. Whoever has arrived is not asked again.
            What a step asks of a node lies together, 12 bytes of it for float32 rows, and nodes are
            numbered level by level: the first levels, through which every row comes, are neighbours
            in cache. A threshold t meets a float32 x as the largest float32 up to t, which asks
            the same of x.
Order       (1) is added in the order of the trees for each row alone: the same bits for one row or
            many, and for any number of threads.
Cost        Per row and tree its depth; some 1.5 ns a level while a tree stays in cache.
Reference   N. Asadi, J. Lin, A. de Vries, Runtime optimizations for tree-based machine learning
            models, IEEE Trans. Knowledge and Data Engineering, 2014.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import reduce_blocks
from skcourse.core.dense_chunks import DenseChunks
from skcourse.core.kernel import kernel
from skcourse.tree.sparse_walk import narrowed

LANES = 256  # rows that go through a tree together
ENDS = 3  # their last column: see `descend`
FEW = 2**12  # walks that one thread takes sooner than a second one wakes up
FEW_ROWS = 8  # or less go one by one, each through many trees at a time
BLOCK_ROWS = 2**15  # which go through one tree before the next tree is fetched
BLOCK_BYTES = 2**22
FEW_VALUES = 8  # of a leaf, which are added one after the other to all rows


def split_of(dtype):
    """Return what a step asks of a node, for rows that are no finer than `dtype`."""
    return np.dtype(
        [
            ("threshold", dtype),  # infinite at leaves and where categories split
            ("left", np.uint32),  # the left child, before the right one; a leaf itself
            ("feature", np.uint32),  # 0 at leaves
        ]
    )


class Walk(NamedTuple):
    """Many trees as one table. The nodes of a tree follow each other, its root first."""

    splits: np.ndarray  # of dtype `split_of`, (n_nodes,)
    missing_right: np.ndarray  # uint8 (n_nodes,), 1 where a missing value goes right
    category_set: np.ndarray  # int64 (n_nodes,), as in `Nodes`
    set_start: np.ndarray  # int64 (n_sets + 1,), as in `Nodes`
    set_words: np.ndarray  # uint64
    roots: np.ndarray  # int64 (n_trees + 1,), where each tree begins; then n_nodes
    numbers: np.ndarray  # uint32 (n_nodes,), the number of the node in its own tree
    leaf: np.ndarray  # uint32 (n_nodes,), the row of `values` of a leaf; 0 at inner nodes
    values: np.ndarray  # float64 (n_leaves, n_values)
    columns: np.ndarray  # int64 (n_trees,), the column of the result where the tree's values begin
    cover: np.ndarray  # float64 (n_nodes,), the weight that came to each node in the fit


@kernel
def breadth_first(left, right, order, first_child):
    """Number the nodes level by level, brothers side by side: `order` holds the old numbers.

    `first_child` is the new number of the left child, or at a leaf that of the leaf itself.
    """
    order[0], n_seen = 0, 1
    for i in range(len(order)):
        node = order[i]
        first_child[i] = i
        if left[node] >= 0:
            first_child[i] = n_seen
            order[n_seen], order[n_seen + 1] = left[node], right[node]
            n_seen += 2


def pack(trees, *, values=None, scale=1.0, columns=None, dtype=np.float32):
    """Return many trees as one table.

    Parameters
    ----------
    trees : list of Nodes, at least one
    values : list of array of shape (n_nodes, n_values), default=None
        What the leaves of each tree give; None means `Nodes.value`, outputs side by side.
    scale : float or array of shape (n_trees,), default=1.0
        What the values of each tree are multiplied with, once and for all.
    columns : array of shape (n_trees,), default=None
        The column of the result to which a tree adds (a tree per class); None means the first.
    dtype : dtype, default=np.float32
        The finest dtype of the rows that will come: thresholds of float64 meet all of them.

    Returns
    -------
    walk : Walk
    """
    values = [tree.value for tree in trees] if values is None else values
    scale = np.broadcast_to(np.asarray(scale, np.float64), len(trees))
    columns = np.zeros(len(trees)) if columns is None else columns
    roots = start_of([len(tree.feature) for tree in trees])
    n_sets = start_of([len(tree.set_start) - 1 for tree in trees])
    tables = [pack_tree(*given) for given in zip(trees, roots[:-1], n_sets[:-1], strict=True)]
    left, feature, threshold, missing_right, sets, numbers, cover = map(
        np.concatenate, zip(*tables, strict=True)
    )
    splits = np.empty(len(left), split_of(dtype))
    splits["left"], splits["feature"] = left, feature
    splits["threshold"] = threshold if dtype == np.float64 else rounded_down(threshold)
    is_leaf = left == np.arange(len(left))
    leaf = np.where(is_leaf, np.cumsum(is_leaf) - 1, 0).astype(np.uint32)
    at_leaves = []
    for t, (value, factor) in enumerate(zip(values, scale, strict=True)):
        own = slice(roots[t], roots[t + 1])
        at_leaves.append(value.reshape(len(value), -1)[numbers[own][is_leaf[own]]] * factor)
    walk = Walk(
        splits, missing_right, sets, *joined_sets(trees), roots, numbers, leaf,
        np.concatenate(at_leaves, dtype=np.float64), np.asarray(columns, np.int64), cover,
    )  # fmt: skip
    return Walk(*map(read_only, walk))


def pack_tree(tree, base, first_set):
    """Return the columns of one tree whose root is number `base`."""
    n = len(tree.feature)
    order, child = np.empty(n, np.int64), np.empty(n, np.int64)
    left, right = (np.asarray(side, np.int64) for side in (tree.children_left, tree.children_right))
    breadth_first(read_only(left), read_only(right), order, child)
    leaf, sets = left[order] < 0, tree.category_set[order]
    splits_sets = ~leaf & (sets >= 0)
    return (
        (base + child).astype(np.uint32),
        np.where(leaf, 0, tree.feature[order]).astype(np.uint32),
        np.where(leaf | splits_sets, np.inf, tree.threshold[order]),
        (~leaf & (tree.missing_go_to_left[order] == 0)).astype(np.uint8),
        np.where(splits_sets, sets + first_set, -1),
        order.astype(np.uint32),
        np.asarray(tree.weighted_n_node_samples, np.float64)[order],
    )


def rounded_down(threshold):
    """Return the largest float32 up to each threshold: x > t is the same for a float32 x."""
    with np.errstate(over="ignore"):
        narrow = threshold.astype(np.float32)
        below = np.nextafter(narrow, np.float32(-np.inf))
    return np.where(narrow > threshold, below, narrow)


def joined_sets(trees):
    """Return the sets of categories of all trees, one after the other: starts and words."""
    sizes = [np.diff(tree.set_start) for tree in trees if len(tree.set_start) > 1]
    words = [tree.set_words for tree in trees if len(tree.set_start) > 1]
    if not sizes:
        return np.zeros(1, np.int64), np.zeros(0, np.uint64)
    return start_of(np.concatenate(sizes)), np.concatenate(words, dtype=np.uint64)


def start_of(sizes):
    """Return where each of the pieces begins, and the end: int64 (n + 1,)."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def read_only(array):
    """Return a view that cannot be written: kernels then compile for one kind of array only."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


@kernel
def goes_right(walk, node, right, x):
    """Return 1 or 0: whether x goes right, where `right` says what its size alone means."""
    s = walk.category_set[node]
    if s >= 0:
        start = walk.set_start[s]
        if x >= 0 and x < 64 * (walk.set_start[s + 1] - start):
            c = np.int64(x)
            word = walk.set_words[start + (c >> 6)] >> np.uint64(c & 63)
            return np.uint32(1) - np.uint32(word & np.uint64(1))
        return np.uint32(walk.missing_right[node])  # NaN, or a category that was not there
    return right | (np.uint32(x != x) & np.uint32(walk.missing_right[node]))


@kernel(inlined=True)
def step(walk, rows, start, node):
    """Return the node after `node` by (2), for the row from rows[start] on; see `descend`."""
    split = walk.splits[node]
    right = rows[np.uint64(start) + np.uint64(split["feature"])] > split["threshold"]
    return np.uint32(split["left"] + np.uint32(right))


@kernel(inlined=True)
def careful_step(walk, rows, start, node):
    """Return it where values may be missing, or stand for categories."""
    x = rows[np.uint64(start) + np.uint64(walk.splits[node]["feature"])]
    right = np.uint32(x > walk.splits[node]["threshold"])
    return np.uint32(walk.splits[node]["left"] + goes_right(walk, node, right, x))


@kernel(counted=False)
def descend(walk, X, i, t, n, across, lanes, plain):
    """Send n lanes to their leaves: j is row i + j in tree t, or if `across` row i in tree t + j.

    Parameters
    ----------
    walk : Walk
    X : array of shape (n_rows, d)
    i, t, n : int
    across : int
        1 or 0.
    lanes : uint32 array of shape (4, n) or wider, overwritten
        Of each lane, where its row begins in X; of those that are moving, where they are and which
        they are; of each, the leaf.
    plain : bool
        Whether there is neither a missing value nor a category.
    """
    starts, at, moving, ends = lanes[0], lanes[1], lanes[2], lanes[ENDS]
    rows, d, n_moving = X.reshape(-1), X.shape[1], np.uint64(n)
    for j in range(n):
        moving[j] = j
        starts[j] = (i + j * (1 - across)) * d
        at[j] = walk.roots[t + j * across]
    while n_moving > 0:
        n_left = np.uint64(0)
        if plain:
            for m in range(n_moving):
                j = moving[m]
                before = step(walk, rows, starts[j], at[m])
                node = step(walk, rows, starts[j], before)
                ends[j] = node
                at[n_left], moving[n_left] = node, j
                n_left += np.uint64(node != before)
        else:
            for m in range(n_moving):
                j = moving[m]
                before = at[m]
                node = careful_step(walk, rows, starts[j], before)
                ends[j] = node
                at[n_left], moving[n_left] = node, j
                n_left += np.uint64(node != before)
        n_moving = n_left


@kernel
def is_plain(walk, rows):
    """Return whether there is neither a missing value nor a category: see `descend`."""
    if len(walk.set_start) > 1:
        return False
    n_missing = 0
    for i in range(len(rows)):
        n_missing += rows[i] != rows[i]
    return n_missing == 0


@kernel(counted=False)
def add_leaves(walk, t, across, ends, out):
    """Add the values of the leaves `ends` to the rows of `out`: trees and rows as in `descend`."""
    n_values, column = walk.values.shape[1], walk.columns[t]
    if n_values < FEW_VALUES and not across:
        for k in range(n_values):
            for j in range(len(ends)):
                out[j, column + k] += walk.values[walk.leaf[ends[j]], k]
    else:
        for j in range(len(ends)):
            leaf, column = walk.leaf[ends[j]], walk.columns[t + j * across]
            for k in range(n_values):
                out[j * (1 - across), column + k] += walk.values[leaf, k]


@kernel
def add_rows(walk, trees, X, lanes, out):
    """Add (1), over the trees trees[0] .. trees[1], to the rows of `out`."""
    n, n_trees, across = len(X), trees[1] - trees[0], 1 if len(X) <= FEW_ROWS else 0
    plain = is_plain(walk, X.reshape(-1))
    rows_at_a_time, trees_at_a_time = (1, n_trees) if across else (LANES, 1)
    for t in range(trees[0], trees[1], trees_at_a_time):
        for i in range(0, n, rows_at_a_time):
            n_lanes = n_trees if across else min(LANES, n - i)
            descend(walk, X, i, t, n_lanes, across, lanes, plain)
            add_leaves(walk, t, across, lanes[ENDS, :n_lanes], out[i:])


@kernel
def find_leaves(walk, X, lanes, ends):
    """Write where each row ends in each tree, as rows of the table: uint32 (n_trees, n)."""
    n_trees, n = ends.shape
    plain, across = is_plain(walk, X.reshape(-1)), 1 if len(X) < 0 else 0
    for t in range(n_trees):
        for i in range(0, n, LANES):
            n_rows = min(LANES, n - i)
            descend(walk, X, i, t, n_rows, across, lanes, plain)
            for j in range(n_rows):
                ends[t, i + j] = lanes[ENDS, j]


def new_lanes(n):
    """Return n lanes that nobody takes yet: see `descend`."""
    return np.empty((4, n), np.uint32)


def add_values(walk, X, out, *, trees=None, n_jobs=-1):
    """Add (1) to `out`: the values of the leaves in which the rows end, over all trees.

    Parameters
    ----------
    walk : Walk
    X : {array, sparse matrix} of shape (n, d), float32 or float64
        NaN is missing; of a feature of categories so is a code that was not there.
    out : float64 array of shape (n, width), C-contiguous, is added to
    trees : (int, int), default=None
        The first tree, and the one after the last; None means all.
    n_jobs : int or None, default=-1
        Changes no bit.

    Returns
    -------
    out : the same array
    """
    check_dtype(walk, X)
    walk, X = narrowed(walk, X)
    first, last = (0, len(walk.columns)) if trees is None else trees

    def part(block, rows):
        size = last - first if len(block) <= FEW_ROWS else LANES
        add_rows(walk, (first, last), block, new_lanes(size), out[rows])

    over_blocks(part, X, last - first, n_jobs)
    return out


def mean_values(walk, X, *, width=None, n_jobs=-1):
    """Return the mean over the trees of what they give: float64 (n, width).

    `width` is needed only where trees add to different columns.
    """
    width = walk.values.shape[1] if width is None else width
    out = add_values(walk, X, np.zeros((X.shape[0], width)), n_jobs=n_jobs)
    out /= len(walk.columns)
    return out


def leaves(walk, X, *, n_jobs=-1):
    """Return the number of the leaf in which each row ends, in each tree: int64 (n, n_trees)."""
    check_dtype(walk, X)
    walk, X = narrowed(walk, X)
    numbers = np.empty((X.shape[0], len(walk.columns)), np.int64)

    def part(block, rows):
        numbers[rows] = walk.numbers[ends_of(walk, block)].T

    over_blocks(part, X, len(walk.columns), n_jobs)
    return numbers


def ends_of(walk, block):
    """Return where the rows of a dense block end, as rows of the table: uint32 (n_trees, n)."""
    ends = np.empty((len(walk.columns), len(block)), np.uint32)
    find_leaves(walk, block, new_lanes(LANES), ends)
    return ends


def check_dtype(walk, X):
    """Raise TypeError if the rows are finer than the thresholds they would meet."""
    if X.dtype.itemsize > walk.splits.dtype["threshold"].itemsize:
        raise TypeError(f"The trees were packed for float32 rows; these are {X.dtype}.")


def over_blocks(part, X, work, n_jobs, *, n_rows=None):
    """Call `part(block, rows)` for blocks of the rows of X, dense, in C order, read-only.

    `work` is what a row costs, in walks; `n_rows` how many a block has, if that is not left to us.
    """
    n, row_bytes = X.shape[0], X.dtype.itemsize * X.shape[1]
    if isinstance(X, np.ndarray) and n * work <= FEW:
        if n:
            part(read_only(X), slice(0, n))
        return
    X = X if isinstance(X, np.ndarray) else DenseChunks(X.tocsr())
    n_rows = n_rows or max(min(BLOCK_ROWS, BLOCK_BYTES // row_bytes, -(-n // 4)), 256)
    blocks = [slice(i, min(i + n_rows, n)) for i in range(0, n, n_rows)]

    def whole(rows):
        part(read_only(X[rows]), rows)

    reduce_blocks(whole, blocks, lambda total, part: None, n_jobs=n_jobs)
