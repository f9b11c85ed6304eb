"""First centres for large data: k-means||, k-means++ with many draws per pass over the rows.

Problem     As `seeding`: choose k rows so that the potential phi = sum_i w_i D_i is small,
            D_i = min_j |x_i - c_j|^2. k-means++ needs a pass over the rows for each centre.
Iteration   Begin with one row, drawn by its weight. In each of five rounds, row i becomes a
            candidate, on its own, with probability
                min(1, l w_i D_i / phi),    l = 2 k on average in a round                     (1)
            and then all D_i are brought up to date, in one pass.
Reduction   A candidate weighs as much as the rows that are nearer to it than to all others.
            Weighted k-means++ chooses k of the candidates.                                   (2)
Cost        Six passes over the rows, about 10 k distances per row, by matrix products.
Reference   B. Bahmani, B. Moseley, A. Vattani, R. Kumar, S. Vassilvitskii, Scalable k-means++,
            VLDB, 2012.

The number that decides (1) for row i is the i-th of a stream, whichever thread asks for it. Without
the weights in (2), the many candidates in a dense region would count as much as the few outliers
that (1) is so fond of.
"""

import numpy as np

from skcourse.cluster.dense import DenseRows
from skcourse.cluster.seeding import plus_plus, probabilities
from skcourse.core.kernel import kernel
from skcourse.core.random import seeds, uniform

ROUNDS = 5
OVERSAMPLING = 2  # l / k


@kernel
def pick(nearby, weights, share, seed, chosen):
    """Set chosen_i where the i-th number of the stream is below share w_i D_i, which is (1)."""
    for i in range(nearby.shape[0]):
        w = np.float64(weights[i]) if len(weights) else 1.0
        chosen[i] = uniform(seed, np.uint64(i)) < share * w * nearby[i]


class Candidates:
    """Rows that may become centres, and how near every row is to one of them.

    Parameters
    ----------
    rows : DenseRows, SparseRows or MissingRows
    first : int, the first candidate
    """

    def __init__(self, rows, first):
        n = rows.shape[0]
        self.rows, self.indices = rows, np.empty(0, np.int64)
        self.nearby = np.full(n, np.inf)  # D_i
        self.nearest = np.zeros(n, np.int32)  # which candidate is the nearest
        self.extend(np.array([first]))

    def extend(self, indices):
        """Add rows to the candidates and bring the distances up to date."""
        points = self.rows.take(indices)
        labels = self.rows.label(points)
        squares = self.rows.distances_to_own(points, labels)
        nearer = np.flatnonzero(squares < self.nearby)
        self.nearby[nearer] = squares[nearer]
        self.nearest[nearer] = labels[nearer] + len(self.indices)
        self.nearby[indices] = 0.0
        self.indices = np.append(self.indices, indices)

    def draw(self, expected, seed):
        """Return the rows that (1) picks, `expected` of them on average, or fewer."""
        w, nearby = self.rows.weights, self.nearby
        potential = np.sum(w * nearby if len(w) else nearby)
        chosen = np.zeros(len(nearby), np.bool_)
        if 0 < potential < np.inf:
            with np.errstate(over="ignore"):  # without JIT, numpy speaks of wrapping
                pick(nearby, w, expected / potential, seed, chosen)
        return np.flatnonzero(chosen)

    def weights(self):
        """Return the weight of the rows nearest to each candidate."""
        w = self.rows.weights
        return np.bincount(self.nearest, w if len(w) else None, minlength=len(self.indices))


def parallel(rows, n_clusters, rng):
    """Return the indices of the rows that k-means|| chooses, (n_clusters,)."""
    candidates = Candidates(rows, rng.choice(rows.shape[0], p=probabilities(rows)))
    for seed in seeds(rng, ROUNDS):
        drawn = candidates.draw(OVERSAMPLING * n_clusters, seed)
        if len(drawn):
            candidates.extend(drawn)
    indices = candidates.indices
    if len(indices) < n_clusters:  # hardly more places than clusters
        return plus_plus(rows, n_clusters, rng)
    weights = candidates.weights().astype(rows.dtype)
    return indices[plus_plus(DenseRows(rows.take(indices), weights), n_clusters, rng)]
