"""Lloyd's iteration that looks at every row: where sizes are bounded, or values missing.

Problem     As `lloyd`, the least inertia J(c, z) = sum_i w_i |x_i - c_{z_i}|^2; perhaps only among
            labels z with
                size_min <= n_j <= size_max,    n_j rows of positive weight with z_i = j      (1)
Iteration   z minimises J for the centres, among all labels or those of (1): see
            `bounded_assignment`. Then c_j is the mean of its rows. Neither half raises J.
Cost        n k distances per iteration. Bounds that skip rows, as those of `lloyd`, would not tell
            of a row that has to leave its nearest centre because others are nearer to that; with
            (1), all n k distances are held in memory.
Reference   P. Bradley, K. Bennett, A. Demiriz, Constrained k-means clustering, Microsoft Research,
            2000.
"""

import numpy as np

from skcourse.cluster.bounded_assignment import bounded_assignment
from skcourse.cluster.lloyd import Lloyd


class ExhaustiveLloyd(Lloyd):
    """One run of the iteration; `run` is that of `Lloyd`.

    Parameters
    ----------
    rows : DenseRows, SparseRows or MissingRows
    origin, squares, seeds : see `Lloyd`
    sizes : tuple of int or None, the bounds of (1)
    """

    def __init__(self, rows, origin, squares, seeds, sizes=None):
        super().__init__(rows, origin, squares, seeds, n_bounds=0)
        self.with_gaps = False  # nobody asks how far centres are from each other
        self.sizes, self.prices = sizes, None
        self.present = np.flatnonzero(rows.weights > 0) if len(rows.weights) else slice(None)

    def assign(self):
        """Give each row its label; return how many moved, and the inertia."""
        centers = self.centers_now()
        labels = self.best_labels(centers)
        n_moved = np.count_nonzero(labels != self.state.labels)
        self.state.labels[:] = labels
        self.sum_anew()
        self.n_empty = np.count_nonzero(self.totals.counts == 0)
        return n_moved, self.rows.inertia(centers, labels)

    def best_labels(self, centers):
        """Return the labels of least inertia, int32 (n,); rows of weight 0 are where they like."""
        if self.sizes is None:
            return self.rows.label(centers)
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
        self.state.labels[:] = self.best_labels(centers)
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
