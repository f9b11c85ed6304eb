"""What an iteration of k-means sums over the rows of each cluster.

Only rows that change their cluster change the sums, so an iteration adds and subtracts those alone.
In float64 that is harmless unless what left a cluster was far larger than what stays there:
`measure` notices.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel

TURNOVER = 1e5  # what may come and go, relative to what is there, before a sum is made anew


class Stats(NamedTuple):
    """Sums over the rows of each cluster, relative to the origin; or changes of these sums."""

    sums: np.ndarray  # S_j = sum w_i (x_i - origin), float64, (k, d)
    weights: np.ndarray  # W_j = sum w_i, float64, (k,)
    counts: np.ndarray  # how many w_i > 0, int64, (k,)
    turnover: np.ndarray  # sum w_i (|x_i - origin| + scale) over all that came or went, (k,)

    @classmethod
    def zeros(cls, n_clusters, n_features):
        """Return the sums over no rows."""
        return cls(
            np.zeros((n_clusters, n_features)),
            np.zeros(n_clusters),
            np.zeros(n_clusters, np.int64),
            np.zeros(n_clusters),
        )

    def copy(self):
        """Return sums that can be changed without changing these."""
        return Stats(*(array.copy() for array in self))


@kernel
def count_row(stats, z, weight, sign, size):
    """Note that a row joins cluster z (sign 1) or leaves it (-1); `size` is |x| + scale."""
    stats.weights[z] += sign * weight
    stats.counts[z] += int(sign) if weight > 0 else 0
    stats.turnover[z] += weight * size


@kernel
def measure(stats, centers, scale):
    """Look at the sums with the centres that their labels were found with; clear empty clusters.

    Returns
    -------
    change : float, sum_j (W_j |c_j|^2 - 2 <c_j, S_j>)
    n_empty : int, clusters without weight
    stale : bool, whether so much came and went that rounding might show in a mean
    """
    change, n_empty, stale = 0.0, 0, False
    for j in range(stats.sums.shape[0]):
        if stats.counts[j] == 0:
            n_empty += 1
            stats.weights[j] = 0.0
            stats.turnover[j] = 0.0
            for f in range(stats.sums.shape[1]):
                stats.sums[j, f] = 0.0
        weight = stats.weights[j]
        stale |= stats.turnover[j] > TURNOVER * scale * weight
        for f in range(stats.sums.shape[1]):
            c = np.float64(centers.points[j, f])
            change += c * (weight * c - 2.0 * stats.sums[j, f])
    return change, n_empty, stale
