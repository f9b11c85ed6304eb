"""The mean of weighted rows and their squared distance from it, in one pass.

Problem     m = sum w_i x_i / W,   T = sum w_i |x_i - m|^2,   W = sum w_i
Iteration   A chunk is read twice, in cache, for its own m and T; two sets of rows make one:
                d = m_b - m_a,   T = T_a + T_b + |d|^2 W_a W_b / W                    (1)
Cost        2 n p, at the speed of memory.
Reference   T. Chan, G. Golub, R. LeVeque, Algorithms for computing the sample variance,
            The American Statistician, 1983.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis

from skcourse.core.chunks import chunk_slices, reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.core.moments import quiet, weighted_sums


class Dispersion(NamedTuple):
    """Of rows x; float64."""

    weight: float  # W
    mean: np.ndarray  # m, (p,)
    total: float  # T


@kernel
def squared_distances(X, mean, weights, sums):
    """Return sum w_i |x_i - m|^2; add w_i (x_i - m) to `sums`, (p,): 0 but for rounding of m.

    An array of length 0 means weights of 1.
    """
    total = 0.0
    for i in range(X.shape[0]):
        w = weights[i] if len(weights) else 1.0
        distance = 0.0
        for f in range(X.shape[1]):
            d = X[i, f] - mean[f]
            distance += d * d
            sums[f] += w * d
        total += w * distance
    return total


@quiet
def dispersion_of(X, weights):
    """Return the dispersion of one chunk."""
    mean, rest = np.zeros((2, X.shape[1]))
    weight = weighted_sums(X, weights, mean)
    share = 1.0 / weight if weight > 0 else 0.0
    mean *= share
    total = squared_distances(X, mean, weights, rest)
    return Dispersion(weight, mean + share * rest, total - share * (rest @ rest))


@quiet
def merge(a, b):
    """Return the dispersion of the rows of `a` and of `b` together, by (1)."""
    weight = a.weight + b.weight
    if weight == 0:
        return a
    d = b.mean - a.mean
    step = b.weight / weight
    return Dispersion(weight, a.mean + d * step, a.total + b.total + d @ d * a.weight * step)


def dispersion(X, weights=None):
    """Return the dispersion of the rows of X.

    Parameters
    ----------
    X : {array, sparse matrix} of shape (n, p), float32 or float64
    weights : array of shape (n,) or None

    Returns
    -------
    dispersion : Dispersion
    """
    if sparse.issparse(X):
        X = X.astype(np.float64, copy=False)
        mean, variance, weight = mean_variance_axis(X, 0, weights, return_sum_weights=True)
        weight = float(weight[0])
        return Dispersion(weight, mean, float(variance.sum() * weight))
    none = np.empty(0)

    def part(rows):
        return dispersion_of(np.asarray(X[rows]), none if weights is None else weights[rows])

    return reduce_blocks(part, chunk_slices(len(X), 8 * X.shape[1]), merge)
