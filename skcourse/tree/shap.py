"""What each feature adds to a prediction: exact Shapley values of trees, by a quadrature.

Problem     Let f_S(x) be what a tree says when it knows only the features S of x: at a split of
            another feature both sides are taken, by their shares of the training weight. The
            Shapley value of feature i among d,
                phi_i = sum over S without i of |S|! (d - |S| - 1)! / d! (f_S+i - f_S)        (1)
            is fair: sum_i phi_i = f(x) - E f, E f being the mean of the leaves by weight.
Integral    The weights in (1) are integrals, so that i joins a crowd in which everybody else is
            present with probability t (Owen's multilinear extension). For one leaf of value v,
            whose path asks of feature j an o_j in {0, 1}, whether x agrees, and lets the share
            z_j pass, with p_j(t) = t o_j + (1 - t) z_j:
                phi_i = v (o_i - z_i) int_0^1 prod_j p_j(t) / p_i(t) dt                       (2)
            The integrand is a polynomial, of degree m - 1 for m features on the path: Gauss's
            rule with m / 2 points gives it without error.
Method      At the points t_q, the product runs down the tree and sums of v prod_j p_j run up:
                phi_i += sum_q w_q G_q (o_i - z_i) / p_i(t_q),   G_q summed below the edge    (3)
            A feature split a second time on a path replaces its first p: an edge takes back
            what the earlier edge of its feature will add for the leaves that both share.
Cost        Nodes times m / 2 per row: one factor of depth, and one half, below algorithm 2 of
            Lundberg et al.; no recursion, and all terms of a product positive.
Reference   S. Lundberg et al., From local explanations to global understanding with explainable AI
            for trees, Nature Machine Intelligence, 2020. G. Owen, Multilinear extensions of games,
            Management Science, 1972. P. Yu et al., Linear TreeShap, NeurIPS 2022.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.walk import check_dtype, goes_right, over_blocks, read_only

AGREES, INVERSE, RATIO, PRODUCT, BELOW = range(5)  # what `work` holds: see `new_work`
TINY = 1e-30  # stands for a share of 0, by which (3) would divide
LANES = 8  # rows that are explained together
BLOCK = 64  # rows a thread takes at a time


class Explanation(NamedTuple):
    """The Shapley values of some rows."""

    values: np.ndarray  # phi, (n, d, width)
    expected: np.ndarray  # E f, (width,)


class Edges(NamedTuple):
    """The edges of all trees in depth-first order, each named after the node at its lower end."""

    node: np.ndarray  # uint32 (n_edges,)
    level: np.ndarray  # int64 (n_edges,), 1 below the root
    before: np.ndarray  # int64 (n_edges,), level of the last edge above of the same feature, or 0
    share: np.ndarray  # float64 (n_edges,), z of all edges of its feature down to this one
    start: np.ndarray  # int64 (n_trees + 1,), where the edges of a tree begin


@kernel
def depth_first(walk, t, path, waiting, edges):
    """Write the edges of tree t; return its depth, and the most features that a path asks.

    `path` and `waiting` are int64 (3, n_nodes + 1), scratch: of each level of the path the feature,
    the edge, and the number of features so far; of what is to visit node, parent and level.
    """
    at, root, depth, most = edges.start[t], np.int64(walk.roots[t]), 0, 0
    path[2, 0], n_waiting = 0, 0
    node, level = root, 0
    while True:
        left = np.int64(walk.splits[node]["left"])
        if left != node:
            for child in (left + 1, left):
                waiting[0, n_waiting], waiting[1, n_waiting] = child, node
                waiting[2, n_waiting] = level + 1
                n_waiting += 1
        if n_waiting == 0:
            return depth, most
        n_waiting -= 1
        node, parent, level = waiting[0, n_waiting], waiting[1, n_waiting], waiting[2, n_waiting]
        feature = np.int64(walk.splits[parent]["feature"])
        before = level - 1
        while before > 0 and path[0, before] != feature:
            before -= 1
        share = walk.cover[node] / max(walk.cover[parent], TINY)
        if before > 0:
            share *= edges.share[path[1, before]]
        edges.node[at], edges.level[at] = node, level
        edges.before[at], edges.share[at] = before, max(share, TINY)
        path[0, level], path[1, level] = feature, at
        path[2, level] = path[2, level - 1] + (before == 0)
        depth, most = max(depth, level), max(most, path[2, level])
        at += 1


@kernel
def enter(work, level, before, share, points):
    """Write what (3) asks for at `level`; AGREES is so far what this edge alone says."""
    for z in range(len(points)):
        o = work[level, AGREES, z] * work[before, AGREES, z]
        p = points[z] * o + (1.0 - points[z]) * share
        work[level, AGREES, z] = o
        work[level, INVERSE, z] = 1.0 / p
        work[level, RATIO, z] = (o - share) / p
        work[level, PRODUCT, z] = work[level - 1, PRODUCT, z] * (p * work[before, INVERSE, z])


@kernel
def end(work, level, values):
    """Write what a leaf gives to (3)."""
    for k in range(len(values)):
        for z in range(work.shape[2]):
            work[level, BELOW + k, z] = values[k] * work[level, PRODUCT, z]


@kernel
def leave(work, level, before, total):
    """Add (3) for the edge at `level` to `total`, (n_values, n_cells); hand it upwards."""
    for k in range(total.shape[0]):
        for z in range(total.shape[1]):
            below = work[level, BELOW + k, z]
            total[k, z] += below * (work[level, RATIO, z] - work[before, RATIO, z])
            work[level - 1, BELOW + k, z] += below
            work[level, BELOW + k, z] = 0.0


@kernel
def explain_tree(walk, edges, t, lanes, points, work, total):
    """Add the Shapley values under tree t of the rows that are columns of `lanes` to `total`."""
    path = np.zeros((3, work.shape[0]), np.int64)  # node, before and feature at each level
    nodes, before, feature = path[0], path[1], path[2]
    nodes[0], level = walk.roots[t], 0
    for e in range(edges.start[t], edges.start[t + 1]):
        while level >= edges.level[e]:
            leave(work, level, before[level], total[feature[level]])
            level -= 1
        parent, node, level = np.uint32(nodes[level]), edges.node[e], level + 1
        asked, agrees = walk.splits[parent]["feature"], work[level, AGREES]
        nodes[level], before[level], feature[level] = node, edges.before[e], asked
        for i in range(LANES):
            x = lanes[asked, i]
            right = goes_right(walk, parent, np.uint32(x > walk.splits[parent]["threshold"]), x)
            agrees[i] = np.float64(node == walk.splits[parent]["left"] + right)
        for z in range(LANES, len(agrees)):
            agrees[z] = agrees[z - LANES]
        enter(work, level, before[level], edges.share[e], points)
        if walk.splits[node]["left"] == node:
            end(work, level, walk.values[walk.leaf[node]])
    while level > 0:
        leave(work, level, before[level], total[feature[level]])
        level -= 1


@kernel
def explain_rows(walk, edges, trees, X, points, work, out):
    """Add the Shapley values of the rows of X under some trees to `out`, (n, d, n_values)."""
    d, n_values = out.shape[1:]
    lanes, total = np.empty((d, LANES), X.dtype), np.empty((d, n_values, len(points)))
    for first in range(0, X.shape[0], LANES):
        total[:] = 0.0
        for f in range(d):
            for i in range(LANES):
                lanes[f, i] = X[min(first + i, X.shape[0] - 1), f]
        for t in trees:
            explain_tree(walk, edges, t, lanes, points, work, total)
        for i in range(min(LANES, X.shape[0] - first)):
            for f in range(d):
                for k in range(n_values):
                    for z in range(i, len(points), LANES):
                        out[first + i, f, k] += total[f, k, z]


def edges_of(walk):
    """Return the edges of all trees, the largest depth, and the most features on a path."""
    sizes = np.diff(walk.roots) - 1
    start = np.concatenate([[0], np.cumsum(sizes)])
    n = start[-1]
    edges = Edges(
        np.empty(n, np.uint32), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n), start
    )
    path, waiting = (np.zeros((3, sizes.max() + 3), np.int64) for _ in range(2))
    shapes = [depth_first(walk, t, path, waiting, edges) for t in range(len(sizes))]
    return Edges(*map(read_only, edges)), *(max(column) for column in zip(*shapes, strict=True))


def new_work(depth, n_values, weights):
    """Return what is kept of each level of a path, float64 (depth + 1, BELOW + n_values, n_cells).

    A cell is a point t_q and one of `LANES` rows; it holds o, 1 / p, (o - z) / p, w_q prod_j p_j
    and, for each value, w_q G_q. Level 0 is the root, an edge that asks nothing.
    """
    work = np.zeros((depth + 1, BELOW + n_values, len(weights)))
    work[0, AGREES], work[0, INVERSE], work[0, PRODUCT] = 1.0, 1.0, weights
    return work


def expected_values(walk, width):
    """Return E f of (1): the mean of the leaves, each by the training weight that came to it."""
    expected = np.zeros(width)
    for t, column in enumerate(walk.columns):
        own = slice(walk.roots[t], walk.roots[t + 1])
        is_leaf = walk.splits["left"][own] == np.arange(own.start, own.stop)
        cover = walk.cover[own][is_leaf]
        means = cover @ walk.values[walk.leaf[own][is_leaf]] / max(cover.sum(), TINY)
        expected[column : column + len(means)] += means
    return expected


def tree_shap(walk, X, *, width=None, n_jobs=-1):
    """Return the Shapley values of what `add_values` adds up, by (3).

    Parameters
    ----------
    walk : Walk
    X : {array, sparse matrix} of shape (n, d), float32 or float64
    width : int, default=None
        The number of columns of the result, where trees add to different ones.
    n_jobs : int or None, default=-1
        Changes no bit.

    Returns
    -------
    explanation : Explanation
        `values` (n, d, width) and `expected` (width,): their sum over d, and `expected`, is F(x).
    """
    check_dtype(walk, X)
    n_values = walk.values.shape[1]
    width = n_values if width is None else width
    edges, depth, most = edges_of(walk)
    points, weights = np.polynomial.legendre.leggauss(max(1, -(-most // 2)))
    points, weights = (np.repeat(row / 2, LANES) for row in (points + 1, weights))
    points, values = read_only(points), np.zeros((*X.shape, width))

    def part(block, rows):
        work = new_work(depth, n_values, weights)
        for column in np.unique(walk.columns):
            trees = np.flatnonzero(walk.columns == column)
            out = values[rows, :, column : column + n_values]
            explain_rows(walk, edges, trees, block, points, work, out)

    n_rows = LANES * max(1, min(BLOCK, X.shape[0] // 4) // LANES)
    over_blocks(part, X, len(edges.node), n_jobs, n_rows=n_rows)
    return Explanation(values, expected_values(walk, width))
