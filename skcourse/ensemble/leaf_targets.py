"""The targets in the leaves of a forest, and the distribution that they make of y given x.

Problem     A forest predicts a mean; how is y spread around it?
Weights     In tree t, x falls into a leaf with the training rows j, of weights v_tj. Row j weighs
                w_j(x) = 1/T sum_t v_tj / (sum of the v_t in the leaf of x),             (1)
            if it is in that leaf, so that the mean of the forest is sum_j w_j(x) y_j.
Estimate    F(y | x) = sum_j w_j(x) 1[y_j <= y],                                         (2)
            Q(a | x) = inf {y : F(y | x) >= a}.                                          (3)
Iteration   Targets are numbered in their order. The weights (1) are added up by number, and by
            block of about sqrt(n) numbers: (3) goes through the sums of the blocks, and then
            through one of them. Nothing is sorted.
Cost        Per row, the targets in its T leaves, and 2 sqrt(n) for each quantile.
Reference   N. Meinshausen, Quantile regression forests, J. Machine Learning Research, 2006.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.tree.walk import leaves, pack

ROUNDING = 2.0**-40  # of the total weight: sums of (2) that are nearer to a than this are equal
ROWS = 1024  # per task: they share one array of sums by number
TINY = np.finfo(float).tiny


class LeafTargets(NamedTuple):
    """The training rows in each leaf. Leaves are numbered through all trees, by their nodes."""

    offsets: np.ndarray  # int64 (n_trees + 1,), where the nodes of each tree begin
    start: np.ndarray  # int64 (n_nodes + 1,), where the rows of each node begin
    shares: np.ndarray  # float64 (n_entries,), v_tj over the sum of its leaf
    numbers: np.ndarray  # int32 (n_outputs, n_entries), the place of y_j among all targets
    ordered: np.ndarray  # float64 (n_outputs, n), the targets in their order
    shift: int  # a block is 2^shift numbers


class Sums(NamedTuple):
    """The sums of weights of one row of x; 0 between two rows."""

    numbers: np.ndarray  # float64 (n,)
    blocks: np.ndarray  # float64 (n >> shift + 1,)


def gather(trees, X, y, sampling, *, n_jobs):
    """Return the targets in the leaves of all trees.

    Parameters
    ----------
    trees : list of (seed, Nodes)
    X : float32 array or sparse matrix of shape (n, d), the rows that the trees were grown on
    y : float64 array of shape (n, n_outputs)
    sampling : Sampling
    n_jobs : int or None
    """
    X = X if isinstance(X, np.ndarray) else X.tocsr()
    ordered = np.sort(y.T, axis=1)
    places = [np.searchsorted(ordered[k], y[:, k]).astype(np.int32) for k in range(y.shape[1])]

    def part(tree):
        seed, nodes = tree
        return [rows_of_leaves(nodes, X, sampling.tree_weights(seed), n_jobs=1)]

    def join(found, more):
        found.extend(more)
        return found

    found = reduce_blocks(part, trees, join, n_jobs=n_jobs)
    counts = np.concatenate([counts for counts, _, _ in found])
    rows = np.concatenate([rows for _, rows, _ in found])
    return LeafTargets(
        offsets=np.cumsum([0, *(len(counts) for counts, _, _ in found)]),
        start=np.concatenate([[0], np.cumsum(counts)]),
        shares=np.concatenate([shares for _, _, shares in found]),
        numbers=np.stack([place[rows] for place in places]),
        ordered=ordered,
        shift=len(y).bit_length() // 2,
    )


def rows_of_leaves(nodes, X, weights, *, n_jobs):
    """Return how many rows each node of a tree holds as a leaf, the rows, and their shares."""
    rows = np.arange(X.shape[0]) if weights is None else np.flatnonzero(weights)
    weights = np.ones(len(rows)) if weights is None else weights[rows]
    ends = leaves(pack([nodes]), X[rows], n_jobs=n_jobs)[:, 0]
    order = np.argsort(ends, kind="stable")
    n_nodes = len(nodes.feature)
    shares = weights / np.bincount(ends, weights, minlength=n_nodes)[ends]
    return np.bincount(ends, minlength=n_nodes), rows[order], shares[order]


@kernel
def spread(table, output, ends, sums):
    """Add (1), times T, to the sums of one row of x.

    Parameters
    ----------
    table : LeafTargets
    output : int
    ends : int64 array of shape (n_trees,), the leaf in each tree; -1: that tree has no say
    sums : Sums

    Returns
    -------
    n_trees : int, that have a say
    """
    n_trees = 0
    for t in range(len(ends)):
        if ends[t] >= 0:
            n_trees += 1
            for e in range(table.start[ends[t]], table.start[ends[t] + 1]):
                number = table.numbers[output, e]
                sums.numbers[number] += table.shares[e]
                sums.blocks[number >> table.shift] += table.shares[e]
    return n_trees


@kernel
def clear(table, output, ends, sums):
    """Set to 0 what `spread` added to."""
    for t in range(len(ends)):
        if ends[t] >= 0:
            for e in range(table.start[ends[t]], table.start[ends[t] + 1]):
                number = table.numbers[output, e]
                sums.numbers[number] = 0.0
                sums.blocks[number >> table.shift] = 0.0


@kernel
def quantile_number(sums, shift, goal):
    """Return the number of (3): the first whose sum up to there reaches `goal`, above 0."""
    below = 0.0
    block, last = 0, len(sums.blocks) - 1
    while block < last and below + sums.blocks[block] < goal:
        below += sums.blocks[block]
        block += 1
    found = block << shift
    for number in range(found, min((block + 1) << shift, len(sums.numbers))):
        if sums.numbers[number] > 0.0:
            found = number
            below += sums.numbers[number]
            if below >= goal:
                break
    return found


@kernel
def find_quantiles(table, ends, levels, out):
    """Overwrite `out` with (3), NaN for rows of which no tree has a say.

    Parameters
    ----------
    table : LeafTargets
    ends : int64 array of shape (n, n_trees)
    levels : float64 array of shape (n_levels,), the a of (3)
    out : float64 array of shape (n, n_outputs, n_levels)
    """
    n = table.ordered.shape[1]
    sums = Sums(np.zeros(n), np.zeros((n >> table.shift) + 1))
    for output in range(out.shape[1]):
        for i in range(out.shape[0]):
            total = spread(table, output, ends[i], sums)
            for k in range(len(levels)):
                if total == 0:
                    out[i, output, k] = np.nan
                else:
                    goal = max(total * (levels[k] - ROUNDING), TINY)
                    number = quantile_number(sums, table.shift, goal)
                    out[i, output, k] = table.ordered[output, number]
            clear(table, output, ends[i], sums)


def quantiles_of(table, ends, levels, *, n_jobs):
    """Return the quantiles (3), float64 (n, n_outputs, n_levels), found on threads."""
    out = np.empty((len(ends), len(table.ordered), len(levels)))

    def part(rows):
        find_quantiles(table, ends[rows], levels, out[rows])

    blocks = [slice(i, i + ROWS) for i in range(0, len(ends), ROWS)]
    reduce_blocks(part, blocks, lambda total, part: None, n_jobs=n_jobs)
    return out
