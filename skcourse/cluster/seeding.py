"""First centres for k-means: greedy k-means++, or rows at random.

Problem     Choose k rows of X as centres so that the potential sum_i w_i D_i is small, where
            D_i = min_j |x_i - c_j|^2 over the centres chosen so far.
Iteration   The first is row i with probability w_i / sum w. For each further one, draw a few
            candidates, row i with probability w_i D_i / sum w D, and keep the one that leaves the
            least potential.
Cost        One pass over the rows per centre, 2 + log k distances per row.
Reference   D. Arthur, S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA,
            2007.

The draws are those of scikit-learn, number by number: one `random_state` makes one clustering,
but for large float32 X. A draw is a random share of the potential, which scikit-learn adds up in
float32: from about 1e5 rows on, the rounding moves a draw to another row, and with it all that
follow. Here it is added up in float64.
"""

from numbers import Integral

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array, check_random_state

from skcourse.cluster.dense import DenseRows
from skcourse.cluster.sketch import (
    FEWEST_CLUSTERS,
    FEWEST_ROWS,
    SketchedPotential,
    box_of,
)
from skcourse.cluster.sparse import SparseRows
from skcourse.core.kernel import kernel
from skcourse.core.validation import FLOATS, Interval, check_weights, validate_params


@kernel
def locate(values, weights, target):
    """Return the first i with w_0 v_0 + ... + w_i v_i >= target, or the last."""
    total = 0.0
    for i in range(values.shape[0]):
        total += values[i] * (np.float64(weights[i]) if len(weights) else 1.0)
        if total >= target:
            return i
    return values.shape[0] - 1


def draw(rows, nearby, sums, targets):
    """Return for each target the first row whose cumulated weight times `nearby` reaches it.

    `sums` are those of the chunks of rows.
    """
    ends, slices = np.cumsum(sums), rows.slices()
    found = []
    for target in targets:
        chunk = min(np.searchsorted(ends, target), len(ends) - 1)
        here, before = slices[chunk], ends[chunk] - sums[chunk]
        found.append(here.start + locate(nearby[here], rows.weights[here], target - before))
    return np.array(found)


class Potential:
    """D_i of the rows, and what it would be with one more centre.

    Parameters
    ----------
    rows : DenseRows or SparseRows
    n_trials : int, how many candidates compete
    """

    def __init__(self, rows, n_trials):
        self.rows = rows
        self.nearby = np.full((1 + n_trials, rows.shape[0]), np.inf, rows.dtype)
        self.current = 0

    @property
    def squares(self):
        """D_i, (n,), dtype of X."""
        return self.nearby[self.current]

    def offer(self, candidates):
        """Return the potential with each candidate, in each chunk, float64 (n_chunks, m)."""
        return self.rows.approach(candidates, self.nearby, self.current)

    def accept(self, best):
        """Make one of the candidates offered last a centre."""
        self.current = best if best < self.current else best + 1


def potential(rows, n_clusters, n_trials):
    """Return the potential of no centres yet: by sketches of the rows where these pay."""
    many = n_clusters >= FEWEST_CLUSTERS and rows.shape[0] >= FEWEST_ROWS
    if many and type(rows) is DenseRows and not isinstance(rows.X, np.memmap):
        low, high = box_of(rows)
        with np.errstate(over="ignore"):
            diagonal = np.sum((high - low) ** 2)
        if 0 < diagonal < np.inf:
            return SketchedPotential(rows, n_trials, (low, high))
    return Potential(rows, n_trials)


def plus_plus(rows, n_clusters, rng, n_local_trials=None):
    """Return the indices of the rows that greedy k-means++ chooses, (n_clusters,)."""
    n_trials = n_local_trials or 2 + int(np.log(n_clusters))
    indices = np.empty(n_clusters, np.int64)
    indices[0] = rng.choice(rows.shape[0], p=probabilities(rows))
    near = potential(rows, n_clusters, n_trials)
    sums = near.offer(rows.take(indices[:1]))[:, 0]
    near.accept(0)
    for j in range(1, n_clusters):
        targets = rng.uniform(size=n_trials) * sums.sum()
        candidates = draw(rows, near.squares, sums, targets)
        potentials = near.offer(rows.take(candidates))
        best = np.argmin(potentials.sum(axis=0))
        near.accept(best)
        sums, indices[j] = potentials[:, best], candidates[best]
    return indices


def at_random(rows, n_clusters, rng):
    """Return the indices of different rows, drawn by their weights, (n_clusters,)."""
    return rng.choice(rows.shape[0], size=n_clusters, replace=False, p=probabilities(rows))


def probabilities(rows):
    """Return w_i / sum w, in the precision that makes scikit-learn's draws."""
    weights = rows.weights if len(rows.weights) else np.ones(rows.shape[0], rows.dtype)
    return weights / weights.sum()


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "sample_weight": ["array-like", None],
        "x_squared_norms": ["array-like", None],
        "random_state": ["random_state"],
        "n_local_trials": [Interval(Integral, 1, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def kmeans_plusplus(
    X,
    n_clusters,
    *,
    sample_weight=None,
    x_squared_norms=None,
    random_state=None,
    n_local_trials=None,
):
    """Choose `n_clusters` rows as first centres, by greedy k-means++.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    n_clusters : int
        At most the number of samples.
    sample_weight : array-like of shape (n_samples,), default=None
        None means 1 for each sample.
    x_squared_norms : array-like of shape (n_samples,), default=None
        Checked, but not needed: distances are computed from differences.
    random_state : int, RandomState instance or None, default=None
    n_local_trials : int, default=None
        How many candidates compete for each centre but the first; None means 2 + log(n_clusters).

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), rows of X
    indices : ndarray of shape (n_clusters,), which rows

    Raises
    ------
    ValueError
        If there are fewer samples than clusters, or an array has the wrong length.

    Examples
    --------
    >>> from skcourse.cluster import kmeans_plusplus
    >>> ages = [[0.0], [1.0], [2.0], [50.0], [51.0], [90.0]]
    >>> centers, indices = kmeans_plusplus(ages, n_clusters=3, random_state=0)
    >>> centers
    array([[50.],
           [ 1.],
           [90.]])
    >>> indices
    array([3, 1, 5])
    """
    X = check_array(X, accept_sparse="csr", dtype=FLOATS, order="C", accept_large_sparse=False)
    weights = check_weights(sample_weight, X, dtype=X.dtype)
    if X.shape[0] < n_clusters:
        raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={n_clusters}.")
    if x_squared_norms is not None:
        norms = check_array(x_squared_norms, dtype=X.dtype, ensure_2d=False)
        if norms.shape[0] != X.shape[0]:
            raise ValueError(
                f"The length of x_squared_norms {norms.shape[0]} should be equal to the length "
                f"of n_samples {X.shape[0]}."
            )
    rows = SparseRows(X, weights) if sp.issparse(X) else DenseRows(X, weights)
    indices = plus_plus(rows, n_clusters, check_random_state(random_state), n_local_trials)
    return rows.take(indices), indices
