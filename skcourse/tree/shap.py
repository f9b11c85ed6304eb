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
from skcourse.tree.walk import goes_right, over_blocks, read_only, thresholds_for

TINY = 1e-30  # stands for a share of 0, by which (3) would divide
BLOCK = 64  # rows that are explained by one tree after the other


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


class Work(NamedTuple):
    """What is known at each level of the path to the edge at hand; level 0 is the root."""

    product: np.ndarray  # prod_j p_j(t_q), times w_q; (n_levels, n_points)
    inverse: np.ndarray  # 1 / p(t_q) of the feature at this level
    below: np.ndarray  # G_q, (n_levels, n_values, n_points)
    gap: np.ndarray  # o - z, (n_levels,)
    feature: np.ndarray  # int64 (n_levels,)


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
        left = np.int64(walk.left[node])
        if left != node:
            for child in (left + 1, left):
                waiting[0, n_waiting], waiting[1, n_waiting] = child, node
                waiting[2, n_waiting] = level + 1
                n_waiting += 1
        if n_waiting == 0:
            return depth, most
        n_waiting -= 1
        node, parent, level = waiting[0, n_waiting], waiting[1, n_waiting], waiting[2, n_waiting]
        feature = np.int64(walk.feature[parent])
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
def close(level, before, work, out):
    """Add (3) for the edge at `level` to a row of the result, and hand what is below it upwards."""
    n_values, n_points = work.below.shape[1:]
    a, b = work.gap[level], work.gap[before]
    for k in range(n_values):
        s = 0.0
        for q in range(n_points):
            below = work.below[level, k, q]
            s += below * (a * work.inverse[level, q] - b * work.inverse[before, q])
            work.below[level - 1, k, q] += below
        out[work.feature[level], k] += s


@kernel
def enter(walk, node, level, before, share, agrees, points, work):
    """Take the edge into `node`: write what (3) asks for at its level."""
    n_values, n_points = work.below.shape[1:]
    o = agrees if before == 0 or work.gap[before] > 0.0 else 0.0
    work.gap[level] = o - share
    leaf = walk.left[node] == node
    row = walk.leaf[node]
    for q in range(n_points):
        p = points[q] * o + (1.0 - points[q]) * share
        work.inverse[level, q] = 1.0 / p
        work.product[level, q] = work.product[level - 1, q] * p * work.inverse[before, q]
    for k in range(n_values):
        value = walk.values[row, k] if leaf else 0.0
        for q in range(n_points):
            work.below[level, k, q] = value * work.product[level, q]


@kernel
def explain_rows(walk, thresholds, edges, t, X, points, work, out):
    """Add the Shapley values under tree t of the rows of X to `out`, (n, d, n_values)."""
    parents, befores = np.zeros(len(work.gap), np.uint32), np.zeros(len(work.gap), np.int64)
    parents[0] = walk.roots[t]
    for i in range(X.shape[0]):
        level = 0
        for e in range(edges.start[t], edges.start[t + 1]):
            while level >= edges.level[e]:
                close(level, befores[level], work, out[i])
                level -= 1
            level += 1
            node, parent = edges.node[e], parents[level - 1]
            x = X[i, walk.feature[parent]]
            right = goes_right(walk, parent, np.uint32(x > thresholds[parent]), x)
            agrees = 1.0 if node == walk.left[parent] + right else 0.0
            parents[level], befores[level] = node, edges.before[e]
            work.feature[level] = walk.feature[parent]
            enter(walk, node, level, befores[level], edges.share[e], agrees, points, work)
        while level > 0:
            close(level, befores[level], work, out[i])
            level -= 1


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
    """Return scratch for paths of up to `depth` edges; level 0 holds an edge that asks nothing."""
    n_levels, n_points = depth + 1, len(weights)
    work = Work(
        np.empty((n_levels, n_points)), np.empty((n_levels, n_points)),
        np.zeros((n_levels, n_values, n_points)), np.zeros(n_levels), np.zeros(n_levels, np.int64),
    )  # fmt: skip
    work.product[0], work.inverse[0] = weights, 1.0
    return work


def expected_values(walk, width):
    """Return E f of (1): the mean of the leaves, each by the training weight that came to it."""
    expected = np.zeros(width)
    for t, column in enumerate(walk.columns):
        own = slice(walk.roots[t], walk.roots[t + 1])
        is_leaf = walk.left[own] == np.arange(own.start, own.stop)
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
    n_values = walk.values.shape[1]
    width = n_values if width is None else width
    edges, depth, most = edges_of(walk)
    points, weights = np.polynomial.legendre.leggauss(max(1, -(-most // 2)))
    points, weights = read_only((points + 1) / 2), weights / 2
    values = np.zeros((*X.shape, width))

    def part(block, rows):
        work = new_work(depth, n_values, weights)
        thresholds = thresholds_for(walk, block)
        for t, column in enumerate(walk.columns):
            out = values[rows, :, column : column + n_values]
            explain_rows(walk, thresholds, edges, t, block, points, work, out)

    over_blocks(part, X, len(edges.node), n_jobs, n_rows=max(1, min(BLOCK, X.shape[0] // 4)))
    return Explanation(values, expected_values(walk, width))
