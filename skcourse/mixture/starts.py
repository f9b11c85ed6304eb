"""Where EM begins: which rows are whose, and what that says of means and covariances.

Start       "kmeans"            the clusters of k-means, each row wholly in one
            "k-means++"         k rows spread by the draws of greedy k-means++
            "random_from_data"  k rows at random
            "random"            shares r_ik at random, every row in every component
From k rows as means, covariances are reg_covar alone, and all components weigh the same.

The draws are those of scikit-learn: one `random_state` makes one start. Where numbers are missing,
the means of their columns stand in for them, here only.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skcourse.cluster import KMeans, kmeans_plusplus
from skcourse.core.chunks import sum_over_chunks
from skcourse.mixture.expectation import Statistics, moments, new_sums

INIT_PARAMS = ("kmeans", "k-means++", "random", "random_from_data")


def start(rows, n_components, covariance_type, init_params, rng):
    """Return the sums of a start, and the points that they are about.

    Parameters
    ----------
    rows : Rows
    n_components : int
    covariance_type : {"full", "tied", "diag", "spherical"}
    init_params : one of INIT_PARAMS
    rng : RandomState

    Returns
    -------
    statistics : Statistics
    about : array of shape (k, d)
    """
    X, weights = rows.filled(), rows.weights
    n = len(X)
    if init_params == "kmeans":
        kmeans = KMeans(n_components, n_init=1, random_state=rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # EM says it in its own words
            labels = kmeans.fit(X, sample_weight=weights).labels_
        return of_shares(
            X, weights, lambda some: one_hot(labels[some], n_components), covariance_type
        )
    if init_params == "random":
        shares = rng.uniform(size=(n, n_components))
        shares /= shares.sum(axis=1, keepdims=True)
        return of_shares(X, weights, shares.__getitem__, covariance_type)
    if init_params == "k-means++":
        _, indices = kmeans_plusplus(X, n_components, sample_weight=weights, random_state=rng)
    else:
        p = None if weights is None else weights / weights.sum()
        indices = rng.choice(n, size=n_components, replace=False, p=p)
    about = X[indices].astype(np.float64)
    sums = new_sums(about, covariance_type)
    ones = np.ones(n_components)
    return Statistics(0.0, ones, *sums, 0.0, float(n_components)), about


def one_hot(labels, k):
    """Return shares (n, k) that are 1 for the label of a row."""
    return (labels[:, np.newaxis] == np.arange(k)).astype(np.float64)


def of_shares(X, weights, shares_of, covariance_type):
    """Return the sums for given shares, `shares_of(rows)` (n, k), about the means they make."""

    def sums_about(about, kind):
        def part(rows):
            shares = shares_of(rows)
            if weights is not None:
                shares = shares * weights[rows, np.newaxis]
            return moments(X[rows], shares, about, kind)

        return sum_over_chunks(part, len(X), row_bytes=8 * X.shape[1])

    k = shares_of(slice(0, 1)).shape[1]
    about = np.repeat(X.mean(axis=0, dtype=np.float64, keepdims=True), k, axis=0)
    n, first, _ = sums_about(about, "diag")
    about = about + first / (n + 10 * np.finfo(np.float64).eps)[:, np.newaxis]
    n, first, second = sums_about(about, covariance_type)
    return Statistics(0.0, n, first, second, 0.0, float(n.sum())), about
