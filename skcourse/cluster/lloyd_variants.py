"""Lloyd's iteration where the sizes of clusters are bounded, or values missing.

Problem     As `lloyd`, the least inertia J(c, z) = sum_i w_i |x_i - c_{z_i}|^2, over the features
            that row i has; perhaps only among labels z with
                size_min <= n_j <= size_max,    n_j rows of positive weight with z_i = j      (1)
Iteration   z minimises J for the centres, among all labels or among those of (1): see
            `missing_rows` and `bounded_assignment`. Then c_j is the mean of its rows. Neither half
            raises J.
Cost        With (1), n k distances per iteration, held in memory: where a row goes depends
            on the others, so that no bound tells of one that it stays. Without (1), the distances
            that the bounds of `lloyd` leave open. The sums of the clusters are made anew.
Reference   P. Bradley, K. Bennett, A. Demiriz, Constrained k-means clustering, Microsoft Research,
            2000.
"""

import numpy as np

from skcourse.cluster.bounded_assignment import bounded_assignment
from skcourse.cluster.lloyd import Lloyd


class LloydVariant(Lloyd):
    """One run of the iteration; `run` is that of `Lloyd`.

    Parameters
    ----------
    rows : DenseRows or SparseRows, if there are bounds, or MissingRows
    origin, squares, seeds : see `Lloyd`
    sizes : tuple of int or None, the bounds of (1)
    """

    def __init__(self, rows, origin, squares, seeds, sizes=None):
        super().__init__(rows, origin, squares, seeds, n_bounds=0)
        self.with_gaps = False  # nobody asks how far centres are from each other
        if sizes is None:
            self.motion = self.motion._replace(margin=rows.margin())
        self.sizes, self.prices = sizes, None
        self.present = np.flatnonzero(rows.weights > 0) if len(rows.weights) else slice(None)

    def assign(self):
        """Give each row its label; return how many moved, and the inertia."""
        centers, state = self.centers_now(), self.state
        if self.sizes is None:
            n_moved = self.rows.assign(self.centers, self.motion, state)
        else:
            labels = self.cheapest(centers)
            n_moved = np.count_nonzero(labels != state.labels)
            state.labels[:] = labels
        self.sum_anew()
        self.n_empty = np.count_nonzero(self.totals.counts == 0)
        return n_moved, self.rows.inertia(centers, state.labels)

    def cheapest(self, centers):
        """Return the labels of least inertia in (1), int32 (n,).

        Rows of weight 0 are where they like.
        """
        costs = self.rows.squared_distances(centers)
        labels = np.argmin(costs, axis=1).astype(np.int32)
        if len(self.rows.weights):
            costs *= self.rows.weights[:, np.newaxis]
        costs = costs[self.present]
        labels[self.present], self.prices = bounded_assignment(costs, *self.sizes, self.prices)
        return labels

    def relocated(self):
        """Return the statistics after the rows at the farthest places went to the empty clusters.

        There are such clusters only if size_min is 0, so that none becomes too small.
        """
        labels = self.state.labels.copy()
        empty = np.flatnonzero(self.totals.counts == 0)
        for new, members in zip(empty, self.far_places(), strict=False):
            labels[members] = new
        return self.rows.sums(labels, len(self.totals.weights), self.origin)

    def finish(self):
        """Return the centres in the units of X; the labels are the best ones for them."""
        centers = self.centers_now()
        best = self.rows.label if self.sizes is None else self.cheapest
        self.state.labels[:] = best(centers)
        return centers


def check_sizes(size_min, size_max, n_clusters, weights, n_rows):
    """Return the bounds as a tuple of int, or None if there are none.

    Raises
    ------
    ValueError
        If no labels can obey them.
    """
    if size_min is None and size_max is None:
        return None
    n, of_weight = n_rows, ""
    if len(weights) and not np.all(weights):
        n, of_weight = np.count_nonzero(weights), " of positive weight"
    low, high = size_min or 0, n if size_max is None else min(size_max, n)
    if size_max is not None and low > size_max:
        raise ValueError(f"size_min={size_min} should be <= size_max={size_max}.")
    if low * n_clusters > n:
        raise ValueError(
            f"n_clusters={n_clusters} clusters of at least size_min={size_min} samples take "
            f"{low * n_clusters} samples, but n_samples={n}{of_weight}."
        )
    if high * n_clusters < n:
        raise ValueError(
            f"n_clusters={n_clusters} clusters of at most size_max={size_max} samples hold "
            f"{high * n_clusters} samples, but n_samples={n}{of_weight}."
        )
    return low, high
