"""Where EM begins: which rows are whose, and what that says of means and covariances.

Start       "kmeans"            the clusters of k-means, each row wholly in one
            "k-means++"         k rows spread by the draws of greedy k-means++
            "random_from_data"  k rows at random
            "random"            shares r_ik at random, every row in every component
From k rows as means, covariances are reg_covar alone, and all components weigh the same. Without
reg_covar, a tied one is the covariance of all rows.

The draws are those of scikit-learn: one `random_state` makes one start. Where numbers are missing,
the means of their columns stand in for them, here only.
"""

import warnings
from copy import deepcopy

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skcourse.cluster import KMeans, kmeans_plusplus
from skcourse.core.chunks import chunk_slices, reduce_blocks
from skcourse.core.moments import moments as moments_of_all
from skcourse.mixture.covariances import not_zero
from skcourse.mixture.expectation import Statistics, moments, new_sums

INIT_PARAMS = ("kmeans", "k-means++", "random", "random_from_data")


def start(rows, n_components, covariance_type, init_params, rng, reg_covar=1.0):
    """Return the sums of a start, and the points that they are about.

    Parameters
    ----------
    rows : Rows
    n_components : int
    covariance_type : {"full", "tied", "diag", "spherical"}
    init_params : one of INIT_PARAMS
    rng : RandomState
    reg_covar : float, default=1.0
        Will be added to the covariances.

    Returns
    -------
    statistics : Statistics
    about : array of shape (k, d)
    """
    X, weights = rows.filled(), rows.weights
    n, slices = len(X), chunk_slices(len(X), 8 * max(X.shape[1], n_components))
    if init_params == "kmeans":
        kmeans = KMeans(n_components, n_init=1, random_state=rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # EM says it in its own words
            labels = kmeans.fit(X, sample_weight=weights).labels_
        passes = [
            ((some, one_hot(labels[some], n_components)) for some in slices) for _ in range(2)
        ]
        return of_shares(X, weights, passes, n_components, covariance_type)
    if init_params == "random":
        passes = [draw(slices, n_components, twin) for twin in (deepcopy(rng), rng)]
        return of_shares(X, weights, passes, n_components, covariance_type)
    if init_params == "k-means++":
        _, indices = kmeans_plusplus(X, n_components, sample_weight=weights, random_state=rng)
    else:
        equal = weights is None or np.all(weights == weights[0])
        p = None if equal else weights / weights.sum()
        indices = rng.choice(n, size=n_components, replace=False, p=p)
    about = X[indices].astype(np.float64)
    first, second = new_sums(about, covariance_type)
    if covariance_type == "tied" and reg_covar == 0:
        seen = moments_of_all(X, weights=weights)
        second = seen.scatter * (n_components / seen.weight)
    ones = np.ones(n_components)
    return Statistics(0.0, ones, first, second, 0.0, float(n_components)), about


def one_hot(labels, k):
    """Return shares (n, k) that are 1 for the label of a row."""
    return (labels[:, np.newaxis] == np.arange(k)).astype(np.float64)


def draw(slices, k, rng):
    """Draw, for some rows after the other, the numbers of rng.uniform(size=(n, k)), as shares."""
    for rows in slices:
        shares = rng.uniform(size=(rows.stop - rows.start, k))
        shares /= shares.sum(axis=1, keepdims=True)
        yield rows, shares


def of_shares(X, weights, passes, k, covariance_type):
    """Return the sums for given shares, about the means they make.

    `passes` are two iterables of slices of rows, with shares (n, k) for these rows.
    """

    def sums_about(about, kind, blocks):
        def part(block):
            rows, shares = block
            if weights is not None:
                shares = shares * weights[rows, np.newaxis]
            return moments(X[rows], shares, about, kind)

        return reduce_blocks(part, blocks)

    about = np.repeat(moments_of_all(X, weights=weights, diagonal=True).mean[np.newaxis], k, axis=0)
    n, first, _ = sums_about(about, "diag", passes[0])
    about = about + first / not_zero(n, n.sum())[:, np.newaxis]
    n, first, second = sums_about(about, covariance_type, passes[1])
    return Statistics(0.0, n, first, second, 0.0, float(n.sum())), about
