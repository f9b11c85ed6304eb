"""Out-of-bag predictions: each row is judged by the trees that have not seen it.

Problem     Estimate, from the training rows alone, how well a forest predicts new ones.
Estimate    A bootstrap sample leaves out about 1/e of the rows. Let O_i be the trees t whose sample
            leaves out row i, and f_t(x) their predictions; then the rows are scored by
                f(x_i) = mean of f_t(x_i) over t in O_i                               (1)
Curve       After each tree, the score of (1) over the rows that some tree has left out: where it
            levels off, more trees are of no use.
Cost        A walk through each tree for a third of the rows.
Reference   L. Breiman, Out-of-bag estimation, technical report, Berkeley, 1996.
"""

import numpy as np

from skcourse.core.chunks import reduce_blocks
from skcourse.core.history import History
from skcourse.tree.walk import add_values, pack

N_SCORES = 10  # of a score that the user brings: how often it is asked along the curve


class OutOfBag:
    """The sums of (1) as trees are added one by one.

    Parameters
    ----------
    y : array of shape (n, n_outputs), class numbers or targets
    n_values : int, per output: classes, or 1
    is_classes : bool
    scoring : callable or None
        None stands for the share of right answers, or R^2.
    n_trees : int, how many will be added
    """

    def __init__(self, y, n_values, *, is_classes, scoring=None, n_trees=1):
        self.y, self.is_classes, self.scoring = y, is_classes, scoring
        self.sums = np.zeros((len(y), y.shape[1] * n_values))
        self.counts = np.zeros(len(y), np.int64)
        self.answers = np.zeros(y.shape, y.dtype)  # of (1), or the class with the largest
        self.every = 1 if scoring is None else -(-n_trees // N_SCORES)
        self.n_added, self.n_trees, self.history = 0, n_trees, History()

    def add(self, rows, values):
        """Add the values of a tree, (len(rows), n_outputs * n_values), for rows it has not seen."""
        self.sums[rows] += values
        self.counts[rows] += 1
        self.n_added += 1
        self.answers[rows] = self.answer(rows)
        if self.n_added % self.every == 0 or self.n_added == self.n_trees:
            self.history.append(n_trees=self.n_added, oob_score=self.score())

    def answer(self, rows):
        """Return what (1) says of `rows`, (len(rows), n_outputs)."""
        sums = self.sums[rows].reshape(len(rows), self.y.shape[1], -1)
        if self.is_classes:
            return sums.argmax(axis=2)
        return sums[:, :, 0] / self.counts[rows][:, np.newaxis]

    def score(self):
        """Return the score so far, of the rows that have a prediction; NaN if there are none."""
        seen = self.counts > 0
        if not seen.any():
            return np.nan
        y, answers = self.y[seen], self.answers[seen]
        if self.scoring is not None:
            one = y.shape[1] == 1
            return self.scoring(y, answers[:, 0] if one else answers)
        return share_right(y, answers) if self.is_classes else explained(y, answers)

    def predictions(self):
        """Return (1), (n, n_values, n_outputs); 0 for rows that every tree has seen."""
        n_outputs = self.y.shape[1]
        means = self.sums / np.maximum(self.counts, 1)[:, np.newaxis]
        return means.reshape(len(means), n_outputs, -1).transpose(0, 2, 1)


def share_right(y, answers):
    """Return the share of rows of which all outputs are right."""
    return float(np.mean(np.all(y == answers, axis=1)))


def explained(y, answers):
    """Return R^2, the mean over the outputs; NaN for a single row."""
    if len(y) < 2:
        return np.nan
    left = np.sum((y - answers) ** 2, axis=0)
    total = np.sum((y - y.mean(axis=0)) ** 2, axis=0)
    constant = total == 0
    shares = 1 - left / np.where(constant, 1, total)
    return float(np.mean(np.where(constant, left == 0, shares)))


def out_of_bag(forest_sums, trees, X, sampling, *, n_jobs):
    """Add what each tree says of the rows that it has not seen; return `forest_sums`.

    Parameters
    ----------
    forest_sums : OutOfBag
    trees : list of (seed, Nodes)
    X : float32 array or sparse matrix of shape (n, d): the rows that the trees were grown on
    sampling : Sampling
    n_jobs : int or None
    """

    X = X if isinstance(X, np.ndarray) else X.tocsr()

    def part(tree):
        seed, nodes = tree
        rows = sampling.left_out(seed)
        values = np.zeros((len(rows), forest_sums.sums.shape[1]))
        add_values(pack([nodes]), X[rows], values, n_jobs=1)
        return [(rows, values)]

    def join(total, result):
        for rows, values in (total or []) + result:
            forest_sums.add(rows, values)
        return []

    join(reduce_blocks(part, trees, join, n_jobs=n_jobs), [])
    return forest_sums
