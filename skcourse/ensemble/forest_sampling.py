"""Which rows each tree of a forest learns from: a bootstrap sample, drawn from the tree's own seed.

Of n rows with weights w_i, m are drawn with replacement, row i with the chance

    p_i = w_i / sum_j w_j,                                                            (1)

and the tree is grown on all rows, each with the number of times that it was drawn for a weight.
Without the bootstrap, w_i itself is the weight. Draws are never kept: the seed repeats them, and
they are scikit-learn's, one by one.

Reference   L. Breiman, Random forests, Machine Learning, 2001.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state, compute_sample_weight

MAX_SEED = np.iinfo(np.int32).max


class Sampling(NamedTuple):
    """How the rows of every tree are drawn."""

    n_samples: int
    n_drawn: int | None  # m; None: no bootstrap
    weights: np.ndarray | None  # w_i, float64 (n_samples,); None: 1 for each
    balanced: np.ndarray | None = None  # y, where its classes are to weigh the same in each sample

    def rows(self, seed):
        """Return the rows drawn for the tree of `seed`, as often as they are."""
        if self.n_drawn is None:
            return np.arange(self.n_samples, dtype=np.int32)
        rng = check_random_state(seed)
        if self.weights is None:
            return rng.randint(0, self.n_samples, self.n_drawn).astype(np.int32)
        chances = self.weights / np.sum(self.weights)  # (1)
        return rng.choice(self.n_samples, self.n_drawn, p=chances).astype(np.int32)

    def counts(self, seed):
        """Return how often each row is drawn for the tree of `seed`."""
        return np.bincount(self.rows(seed), minlength=self.n_samples)

    def left_out(self, seed):
        """Return the rows that the tree of `seed` has not seen."""
        return np.flatnonzero(self.counts(seed) == 0)

    def tree_weights(self, seed):
        """Return the weights that the tree of `seed` is grown with; None for 1 each."""
        if self.n_drawn is None:
            return self.weights
        rows = self.rows(seed)
        counts = np.bincount(rows, minlength=self.n_samples).astype(np.float64)
        if self.balanced is not None:
            counts *= compute_sample_weight("balanced", self.balanced, indices=rows)
        return counts


def draw_seeds(random_state, n_before, n_more):
    """Return the seeds of `n_more` trees, as if `n_before` had been drawn in the same fit."""
    rng = check_random_state(random_state)
    if n_before:
        rng.randint(MAX_SEED, size=n_before)
    return [rng.randint(MAX_SEED) for _ in range(n_more)]


def splitter_seed(seed):
    """Return the state that the generator of a tree's splits starts from."""
    return check_random_state(seed).randint(0, MAX_SEED)
