"""The iteration of gradient boosting: slopes, a tree per raw prediction, the steps of its leaves.

Draws are scikit-learn's: in each iteration first the rows of the sample, a uniform number each,
then a seed for each tree.
"""

import copy
from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.ensemble.boosting_losses import NOTHING, frozen
from skcourse.ensemble.gradient_boosting_leaves import keep_order, newton_steps
from skcourse.tree.base import MAX_SEED, adopt
from skcourse.tree.columns import Columns
from skcourse.tree.decision_tree import DecisionTreeRegressor
from skcourse.tree.grower import Growth, grow
from skcourse.tree.nodes import LEAF
from skcourse.tree.targets import number_targets


class Plan(NamedTuple):
    """How trees are grown, and how far their steps go."""

    growth: Growth
    tree: DecisionTreeRegressor  # with its parameters, not fitted; copied for each tree
    learning_rate: float
    subsample: float
    min_weight_fraction_leaf: float


class Losses(NamedTuple):
    """The mean losses after an iteration."""

    train: float  # of the rows that the trees were grown on
    out_of_bag: float  # of the others; NaN if there are none


@kernel
def draw_sample(numbers, n_drawn, drawn):
    """Choose `n_drawn` of n rows, all sets of them alike: row i where u_i (n - i) < those to come.

    Reference: C. Fan, M. Muller, I. Rezucha, J. American Statistical Association 57, 1962.

    Parameters
    ----------
    numbers : float64 array of shape (n,), u_i, uniform in [0, 1)
    n_drawn : int
    drawn : bool array of shape (n,), overwritten
    """
    n, left = len(numbers), n_drawn
    for i in range(n):
        drawn[i] = numbers[i] * (n - i) < left
        left -= drawn[i]


class Descent:
    """A fit on its way: raw predictions, and slopes of the loss there.

    Parameters
    ----------
    loss : BoostingLoss
    rows : Rows, to learn from
    columns : Columns, of the same rows
    plan : Plan
    raw : float64 array of shape (n_raw, n), where to begin; changed from now on
    rng : RandomState
    """

    def __init__(self, loss, rows, columns: Columns, plan, raw, rng):
        self.loss, self.rows, self.columns, self.plan = loss, rows, columns, plan
        self.raw, self.rng = raw, rng
        self.slopes = np.empty_like(raw)
        is_newton = loss.n_classes is not None
        self.curvatures = np.empty_like(raw) if is_newton else None
        self.in_bag = None  # all rows
        self.train_loss = self.take_slopes()

    def take_slopes(self):
        """Write the slopes at the raw predictions; return the mean loss there."""
        loss, rows = self.loss, self.rows
        loss.set_delta(rows.y, self.raw, rows.weights)
        return loss.gradients(
            rows.y, self.raw, rows.weights, self.slopes, self.curvatures, scaled=False
        )

    def draw(self):
        """Draw the rows of the next iteration, if it takes not all of them."""
        if self.plan.subsample < 1:
            n = self.raw.shape[1]
            self.in_bag = np.empty(n, np.bool_)
            n_drawn = max(1, int(self.plan.subsample * n))
            draw_sample(self.rng.uniform(size=n), n_drawn, self.in_bag)

    def step(self):
        """Grow a tree for each raw prediction and go where they lead; return the trees."""
        seeds = [self.rng.randint(0, MAX_SEED) for _ in self.raw]
        weights = self.weights_in(self.in_bag)
        total = self.raw.shape[1] if weights is None else weights.sum()
        growth = self.plan.growth._replace(
            min_weight_leaf=float(self.plan.min_weight_fraction_leaf * total)
        )

        def part(k):
            return [self.grow(k, seeds[k], growth, weights)]

        return reduce_blocks(part, range(len(seeds)), n_jobs=-1, combine=list.__add__)

    def weights_in(self, drawn):
        """Return the weights of some rows, 0 elsewhere; None if all are there and weigh 1."""
        weights = self.rows.weights
        if drawn is None:
            return weights
        return drawn.astype(np.float64) if weights is None else weights * drawn

    def grow(self, k, seed, growth, weights):
        """Grow a tree for raw prediction k, set its leaves, and add them to the predictions."""
        leaves = np.empty(self.raw.shape[1], np.int64)
        nodes = grow(
            self.columns,
            number_targets(-self.slopes[k]),
            growth,
            seed=seed,
            weights=weights,
            leaves=leaves,
            n_jobs=-1,
        )
        tree = adopt(copy.copy(self.plan.tree), nodes, n_features=self.rows.X.shape[1])
        counted, leaves = self.locate(tree.tree_, leaves)
        self.set_leaves(tree.tree_.nodes, k, counted, weights)
        self.raw[k] += self.plan.learning_rate * tree.tree_.nodes.value[leaves, 0, 0]
        return tree

    def locate(self, tree, leaves):
        """Return the leaf of each row twice: -1 for those the tree has not seen, and of all rows.

        `leaves` is what growing says; pruning numbers the nodes anew.
        """
        missing = np.flatnonzero(leaves < 0)
        if self.plan.tree.ccp_alpha > 0:
            found = tree.apply(self.rows.X)
            return np.where(leaves < 0, -1, found), found
        if not len(missing):
            return leaves, leaves
        found = leaves.copy()
        found[missing] = tree.apply(self.rows.X[missing])
        return leaves, found

    def set_leaves(self, nodes, k, leaves, weights):
        """Give the leaves of a tree the best steps for the rows in them."""
        loss, n_nodes, y = self.loss, len(nodes.feature), self.rows.y
        if loss.kinked:
            steps = loss.leaf_values(leaves, n_nodes, y, self.raw, weights)
        elif loss.n_classes is not None:
            c = 1.0 if loss.n_raw == 1 else (loss.n_raw - 1) / loss.n_raw
            w = frozen(NOTHING if weights is None else weights)
            steps = newton_steps(leaves, n_nodes, self.slopes[k], self.curvatures[k], w, c)
        else:
            return
        if self.plan.growth.monotonic is not None:
            keep_order(nodes, steps, self.plan.growth.monotonic)
        is_leaf = nodes.children_left == LEAF
        nodes.value[is_leaf, 0, 0] = steps[is_leaf]

    def losses(self):
        """Return the losses after a step; the slopes for the next one are taken along."""
        if self.in_bag is None and self.loss.name != "huber":
            self.train_loss = self.take_slopes()
            return Losses(self.train_loss, np.nan)
        out = None if self.in_bag is None else ~self.in_bag
        train, out_of_bag = self.value(self.in_bag), np.nan if out is None else self.value(out)
        self.take_slopes()
        return Losses(train, out_of_bag)

    def value(self, drawn):
        """Return the mean loss of some rows, all if None; NaN if they have no weight."""
        return self.loss.value(self.rows.y, self.raw, self.weights_in(drawn))
