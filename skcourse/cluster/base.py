"""What models made of centres share: how they read rows, choose first centres, and answer.

Problem     Of centres c_1 .. c_k, the answers for a row x are
                predict      argmin_j |x - c_j|^2, the lowest j of equals
                transform    |x - c_1|, .., |x - c_k|
                score        minus the inertia, sum_i w_i min_j |x_i - c_j|^2
Cost        n k d products for n rows.
"""

import warnings
from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skcourse.cluster.dense import DenseRows
from skcourse.cluster.missing_rows import MissingRows, has_missing
from skcourse.cluster.scalable_seeding import parallel
from skcourse.cluster.seeding import at_random, plus_plus
from skcourse.cluster.sparse import SparseRows
from skcourse.core.missing import check_columns_seen
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_finite_sums,
    check_weights,
    read_X,
)

CHOICES = {"k-means++": plus_plus, "k-means||": parallel, "random": at_random}  # of first centres


class CentreModel(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    BaseEstimator,
):
    """Base of KMeans, MiniBatchKMeans and BisectingKMeans; a fit sets `cluster_centers_`."""

    _parameter_constraints: dict = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "random"}), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }
    _takes_nan = False  # whether NaN stands for a missing value

    def _read(self, X, sample_weight, *, reset=True):
        """Return the rows of X to fit, and the mean and the variance of each column."""
        X = read_X(
            self, X, reset=reset, finite=False, accept_sparse="csr", accept_large_sparse=False
        )
        if reset and X.shape[0] < self.n_clusters:
            raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={self.n_clusters}.")
        weights = check_weights(sample_weight, X, dtype=X.dtype)
        rows = rows_of(X, weights)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, variance = rows.moments()
            if self._takes_nan and np.isnan(mean).any() and has_missing(X, self):
                rows = MissingRows(X, weights)
                mean, variance = rows.moments()
                if not rows.seen.all():
                    check_columns_seen(X if weights is None else X[weights > 0], self)
            else:
                check_finite_sums(mean + variance, X, estimator=self)
            if not variance.sum(dtype=np.float64) < np.finfo(X.dtype).max:
                raise ValueError(
                    f"Squared distances overflow {X.dtype}: the numbers in X are too large for "
                    f"{type(self).__name__}. Scale them down."
                )
        return rows, mean, variance

    def _count_runs(self, default):
        """Return the number of starts; "auto" means `default` if they are at random."""
        if not is_array_like(self.init):
            careful = isinstance(self.init, str) and self.init != "random"
            return (1 if careful else default) if self.n_init == "auto" else self.n_init
        if self.n_init not in ("auto", 1):
            warnings.warn(
                "Explicit initial center position passed: performing only one init in "
                f"{type(self).__name__} instead of n_init={self.n_init}.",
                RuntimeWarning,
                stacklevel=5,
            )
        return 1

    def _seeds(self, rows, n_clusters, init, rng, origin):
        """Return first centres relative to `origin`, float64.

        A callable `init` gets the rows less the origin, and answers in the same coordinates.
        """
        if callable(init):
            seeds = init(rows.centred(origin), n_clusters, random_state=rng)
            return check_init(seeds, n_clusters, rows).astype(np.float64)
        if isinstance(init, str):
            init = rows.take(CHOICES[init](rows, n_clusters, rng))
        return init - origin.astype(np.float64)

    def _read_again(self, X):
        """Return new data, once there are centres to compare them with."""
        if not hasattr(self, "cluster_centers_"):
            check_is_fitted(self)
        finite = not self._takes_nan
        return read_X(self, X, finite=finite, accept_sparse="csr", accept_large_sparse=False)

    def _rows(self, X, weights=None):
        """Return new data, as `_read_again` gives them, as rows of a k-means problem."""
        missing = self._takes_nan and has_missing(X, self)
        return MissingRows(X, weights) if missing else rows_of(X, weights)

    def fit_predict(self, X, y=None, sample_weight=None):
        """Find the centres and return `labels_`; see `fit`."""
        return self.fit(X, y, sample_weight=sample_weight).labels_

    def predict(self, X):
        """Return the index of the nearest centre of each sample, int32 (n_samples,)."""
        return self._rows(self._read_again(X)).label(self.cluster_centers_)

    def transform(self, X):
        """Return the distances of the samples to the centres, (n_samples, n_clusters)."""
        return self._rows(self._read_again(X)).distances(self.cluster_centers_)

    def fit_transform(self, X, y=None, sample_weight=None):
        """Find the centres and return the distances to them; see `fit` and `transform`."""
        self.fit(X, y, sample_weight=sample_weight)
        return self._rows(self._read_again(X)).distances(self.cluster_centers_)

    def score(self, X, y=None, sample_weight=None):
        """Return minus the inertia of X, each sample with its nearest centre.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
        """
        X = self._read_again(X)
        rows = self._rows(X, check_weights(sample_weight, X, dtype=X.dtype))
        centers = self.cluster_centers_
        return -rows.inertia(centers, rows.label(centers))

    def __sklearn_tags__(self):
        """Sparse X is taken as it is."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self._takes_nan
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def is_array_like(init):
    """Tell whether `init` holds first centres."""
    return not isinstance(init, str) and not callable(init)


def check_init(init, n_clusters, rows):
    """Return the user's first centres as an array of the dtype of the rows, (n_clusters, d)."""
    init = check_array(init, dtype=rows.dtype, order="C")
    for axis, what in (
        (0, f"the number of clusters {n_clusters}"),
        (1, f"the number of features of the data {rows.shape[1]}"),
    ):
        if init.shape[axis] != (n_clusters, rows.shape[1])[axis]:
            raise ValueError(
                f"The shape of the initial centers {init.shape} does not match {what}."
            )
    return init


def rows_of(X, weights=None):
    """Return X as rows of a k-means problem."""
    return SparseRows(X, weights) if sp.issparse(X) else DenseRows(X, weights)
