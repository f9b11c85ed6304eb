"""What an iteration of k-means sums over the rows of each cluster.

Only rows that change their cluster change the sums, so that an iteration adds and subtracts those alone. In float64
that is harmless unless what left a cluster was far larger than what stays: `is_stale` notices.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel

TURNOVER = 1e5  # what may come and go, relative to what is there, before a sum is made anew


class Stats(NamedTuple):
    """Sums over the rows of each cluster, relative to the origin; or changes of these sums."""

    sums: np.ndarray  # sum w_i (x_i - origin), float64, (k, d)
    weights: np.ndarray  # sum w_i, float64, (k,)
    counts: np.ndarray  # how many w_i > 0, int64, (k,)
    turnover: np.ndarray  # sum w_i (|x_i - origin| + scale) over all that came or went, (k,)
    n_moved: int

    @classmethod
    def zeros(cls, n_clusters, n_features):
        """Return the sums over no rows."""
        return cls(
            np.zeros((n_clusters, n_features)),
            np.zeros(n_clusters),
            np.zeros(n_clusters, np.int64),
            np.zeros(n_clusters),
            0,
        )

    def is_stale(self, scale):
        """Tell whether so much came and went that rounding might show in a mean."""
        return bool(np.any(self.turnover > TURNOVER * scale * self.weights))


@kernel
def count_row(stats, z, weight, sign, size):
    """Note that a row joins cluster z (sign 1) or leaves it (-1); `size` is |x| + scale."""
    stats.weights[z] += sign * weight
    stats.counts[z] += int(sign) if weight > 0 else 0
    stats.turnover[z] += weight * size
