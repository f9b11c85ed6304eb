"""How a member of AdaBoost is fitted: by its own `fit`, or, a tree of ours, on columns sorted once.

A learner holds the rows. It fits a member and returns what the member says of all of them, which
a tree knows without being asked: each row's leaf is where it ended up while the tree grew.
"""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from skcourse.ensemble.tree_members import prepare
from skcourse.tree.walk import leaves, pack


class AnyLearner:
    """Fits members of any kind."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def learn(self, member, weights):
        """Fit `member` with weights; return its predictions."""
        member.fit(self.X, self.y, sample_weight=weights)
        return member.predict(self.X)

    def learn_rows(self, member, rows):
        """Fit `member` on a sample of the rows; return its predictions for all of them."""
        member.fit(self.X[rows], self.y[rows])
        return member.predict(self.X)


class TreeLearner:
    """Grows trees of ours. Classes are told apart by their numbers."""

    def __init__(self, template, X, y, encoder):
        self.ground = prepare(template, X, y, encoder, n_jobs=-1)
        self.y = self.ground.y[:, 0]
        self.X = X.tocsr() if issparse(X) else np.ascontiguousarray(X)

    def learn(self, member, weights):
        """Grow `member` with weights; return its predictions, for rows with weight at least."""
        ends = np.empty(len(self.y), np.int64)
        self.ground.grow(member, weights, leaves=ends, n_jobs=-1)
        if member.ccp_alpha > 0:
            ends = leaves(pack([member.tree_.nodes]), self.X)[:, 0]
        return self._answers(member)[ends]

    def learn_rows(self, member, rows):
        """Grow `member` on a sample of the rows; return its predictions for all of them.

        A row that is drawn twice has weight 2. Where leaves must hold some number of rows, weights
        are counted, and the nodes tell of rows as they were drawn.
        """
        growth = self.ground.growth(member, len(rows), self.ground.columns.shape[0])
        least = max(growth.min_weight_leaf, growth.min_samples_leaf)
        growth = growth._replace(min_samples_leaf=1, min_samples_split=2, min_weight_leaf=least)
        counts = np.bincount(rows, minlength=len(self.y)).astype(np.float64)
        self.ground.grow(member, counts, growth=growth, n_jobs=-1)
        tree = member.tree_
        tree.nodes = tree.nodes._replace(
            n_node_samples=tree.weighted_n_node_samples.astype(np.int64)
        )
        return self._answers(member)[leaves(pack([tree.nodes]), self.X)[:, 0]]

    def _answers(self, member):
        """Return what each node predicts: the number of a class, or a mean."""
        values = member.tree_.nodes.value[:, 0]
        return values[:, 0] if self.ground.classes is None else np.argmax(values, axis=1)


def grown_as_drawn(template):
    """Tell whether weights can stand for repeated rows as `template` grows.

    A node of fewer than 2 `min_samples_leaf` rows is not split, which weights see to; a larger
    `min_samples_split` counts rows.
    """
    split, leaf = template.min_samples_split, template.min_samples_leaf
    least = 2 * leaf if isinstance(leaf, Integral) else 2
    return isinstance(split, Integral) and split <= max(2, least)
