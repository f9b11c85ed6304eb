"""The rounds of boosting on histograms: from raw predictions to trees, and back.

A round takes slopes and curvatures at the raw predictions, grows a tree on them, or one for each of
several classes, and adds what its leaves say: to the rows that trees grow from, and to those that
only judge them.
"""

import numpy as np

from skcourse.tree.histogram_grower import Workspace, grow_binned
from skcourse.tree.walk import add_values, pack


class Rounds:
    """Raw predictions, and the trees that change them round by round.

    Parameters
    ----------
    loss : BoostingLoss
    rows : Rows, to grow from
    held_out : Rows or None, to be judged by
    bins : Bins, of `rows`
    binner : Binner
    growth : BinnedGrowth
    draws : numpy.random.Generator, of features
    raw_of : callable, from rows X to their raw predictions, (n, n_raw), where it begins

    Attributes
    ----------
    raw : float64 array of shape (n_raw, n), of `rows`
    raw_held_out : float64 array of shape (n_held_out, n_raw), or None
    train_loss, held_out_loss : float, the mean loss at `raw` and at `raw_held_out`
    """

    def __init__(self, loss, rows, held_out, bins, binner, growth, draws, raw_of):
        self.loss, self.rows, self.held_out = loss, rows, held_out
        self.bins, self.binner, self.growth, self.draws = bins, binner, growth, draws
        self.raw = np.ascontiguousarray(raw_of(rows.X).T)
        self.raw_held_out = None if held_out is None else raw_of(held_out.X)
        self.slopes = np.empty_like(self.raw)
        equal = loss.constant_hessian and rows.weights is None
        self.curvatures = np.ones((loss.n_raw, 1)) if equal else np.ones_like(self.raw)
        self.workspace = Workspace(bins, growth, equal)
        self.look()

    def look(self):
        """Write slopes and curvatures at the raw predictions, and note the losses there."""
        rows, held_out = self.rows, self.held_out
        self.train_loss = self.loss.gradients(
            rows.y, self.raw, rows.weights, self.slopes, self.curvatures
        )
        if held_out is not None:
            raw = np.ascontiguousarray(self.raw_held_out.T)
            self.held_out_loss = self.loss.value(held_out.y, raw, held_out.weights)

    def go(self):
        """Grow the trees of a round and go where they lead; return them."""
        trees = [self.grow(k) for k in range(self.loss.n_raw)]
        if self.held_out is not None:
            walk = pack(trees, columns=np.arange(len(trees)), dtype=np.float64)
            add_values(walk, self.held_out.X, self.raw_held_out)
        self.look()
        return trees

    def grow(self, k):
        """Grow a tree for one raw prediction and add what its leaves say."""
        tree, leaf = grow_binned(
            self.bins,
            self.slopes[k],
            self.curvatures[k],
            self.growth,
            seed=self.draws,
            binner=self.binner,
            workspace=self.workspace,
        )
        if self.loss.kinked and len(tree.feature) > 1:
            rows = self.rows
            best = self.loss.leaf_values(leaf, len(tree.feature), rows.y, self.raw, rows.weights)
            tree.value[:, 0, 0] = self.growth.shrinkage * best
        self.raw[k] += tree.value[leaf, 0, 0]
        return tree
