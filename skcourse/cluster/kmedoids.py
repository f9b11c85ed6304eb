"""The k-medoids estimator: which dissimilarities, from which rows. The swaps are in `fasterpam`."""

import functools
from numbers import Integral

import numpy as np
import scipy.sparse as sp
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skcourse.cluster.dissimilarity import (
    Stored,
    between_samples,
    dissimilarities,
    with_scale_of,
)
from skcourse.cluster.fasterpam import build, fasterpam, plus_plus, total_dissimilarities
from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_weights,
    fit_context,
    read_X,
)


class KMedoids(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    BaseEstimator,
):
    """Partition the samples around `n_clusters` of them, by any dissimilarity.

    Parameters
    ----------
    n_clusters : int, default=8
        At most the number of samples of positive weight.
    metric : str or callable, default="euclidean"
        A name that :func:`sklearn.metrics.pairwise_distances` knows; "precomputed", where X is a
        matrix of dissimilarities, (n_samples, n_samples), to the sample of the column; or a
        function of two rows. One that is compiled with `numba.njit` runs in a compiled loop, on
        all threads. Only "nan_euclidean" takes NaN.
    metric_params : dict, default=None
        Further arguments of the metric, by name. The variances of "seuclidean" and the inverse
        covariance of "mahalanobis" are those of the samples of the fit, unless they are given.
    init : {"build", "k-medoids++", "random"} or array-like of shape (n_clusters,), \
            default="build"
        The first medoids: one by one the samples that lower the inertia most; or drawn one by one,
        with probability proportional to the dissimilarity to those before; or samples at random; or
        their indices.
    n_init : int, default=1
        Number of runs, of which the one with the least inertia is kept; one where nothing is drawn.
    max_iter : int, default=300
        How often to go through all samples in search of a swap.
    random_state : int, RandomState instance or None, default=None
        Drives the choice of the first medoids.

    Attributes
    ----------
    medoid_indices_ : ndarray of shape (n_clusters,), int64
    cluster_centers_ : ndarray of shape (n_clusters, n_features), or None
        The medoids themselves; None if the dissimilarities were precomputed.
    labels_ : ndarray of shape (n_samples,), int32
        Index of the nearest medoid, the lowest of equals.
    inertia_ : float
        Weighted sum of the dissimilarities, not squared, of the samples to their medoids.
    n_iter_ : int
        Passes over the samples in the run that was kept.
    history_ : dict of str to ndarray of shape (n_iter_,)
        "inertia" after each pass.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    No exchange of one medoid for another sample lowers the inertia. The dissimilarities of all
    pairs are kept if they take no more than a gibibyte, as those of 11,585 samples in float64; of
    more samples they are computed anew in each pass, a block at a time.

    References
    ----------
    E. Schubert, P. Rousseeuw, Fast and eager k-medoids clustering: O(k) runtime improvement of the
    PAM, CLARA, and CLARANS algorithms, Information Systems, 2021.

    Examples
    --------
    >>> import numba
    >>> import numpy as np
    >>> from skcourse.cluster import KMedoids
    >>> hours = np.array([[23.0], [0.5], [1.0], [11.5], [12.0], [13.5]])
    >>> @numba.njit
    ... def around_the_clock(a, b):
    ...     apart = abs(a[0] - b[0])
    ...     return min(apart, 24.0 - apart)
    >>> model = KMedoids(2, metric=around_the_clock).fit(hours)
    >>> model.cluster_centers_
    array([[ 0.5],
           [12. ]])
    >>> model.labels_
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """

    _parameter_constraints: dict = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "metric": [str, callable],
        "metric_params": [dict, None],
        "init": [StrOptions({"k-medoids++", "build", "random"}), "array-like"],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        metric="euclidean",
        metric_params=None,
        init="build",
        n_init=1,
        max_iter=300,
        random_state=None,
    ):
        self.n_clusters = n_clusters
        self.metric = metric
        self.metric_params = metric_params
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the medoids.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            With metric="precomputed", dissimilarities, (n_samples, n_samples).
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            None means 1 for each sample. One of weight 0 is never a medoid.

        Returns
        -------
        self : KMedoids

        Raises
        ------
        ValueError
            If fewer samples have weight than there are clusters, or X or a dissimilarity or their
            sum is not finite, or one is negative, or a precomputed matrix is not square.

        Warns
        -----
        ConvergenceWarning
            If samples could still be exchanged after `max_iter` passes, or fewer distinct clusters
            than `n_clusters` are found.
        """
        X = read_X(self, X, reset=True, **self._accepted())
        weights = check_weights(sample_weight, X, dtype=np.float64)
        weights = np.ones(X.shape[0]) if weights is None else weights
        n_seen = np.count_nonzero(weights)
        if n_seen < self.n_clusters:
            raise ValueError(f"n_samples={n_seen} should be >= n_clusters={self.n_clusters}.")
        params = with_scale_of(X, self.metric, self.metric_params)
        D = self._between_samples(X, params)
        init = self._check_init(weights)
        sums = total_dissimilarities(D, weights)
        if not np.isfinite(sums[weights > 0]).all():
            raise ValueError("Sums of dissimilarities overflow: X or sample_weight is too large.")
        order = np.argsort(sums, kind="stable")
        rng = check_random_state(self.random_state)
        n_init = 1 if init is not None or self.init == "build" else self.n_init
        fit = fit_task(self, X, y, sample_weight, max_subtasks=n_init)
        fitted, best = functools.partial(self._fitted, X, params), None
        for _ in range(n_init):
            start = self._start(D, weights, sums, rng) if init is None else init
            task = fit.subtask("run", max_subtasks=self.max_iter)
            run = fasterpam(
                D, weights, start, order=order, max_iter=self.max_iter, task=task, fitted=fitted
            )
            best = run if best is None or run.inertia < best.inertia else best
            if task.end():
                break
        self._warn(best)
        for name, value in fitted(best.indices, best.labels, best.inertia).items():
            setattr(self, name, value)
        self.n_iter_, self.history_ = best.n_iter, best.history
        fit.end()
        return self

    def _fitted(self, X, params, indices, labels, inertia):
        """Return the attributes that follow from medoids."""
        medoids = None if self.metric == "precomputed" else X[indices]
        return {
            "medoid_indices_": indices,
            "labels_": labels,
            "inertia_": inertia,
            "cluster_centers_": medoids.toarray() if sp.issparse(medoids) else medoids,
            "_metric_params": params,
            "_n_features_out": len(indices),
        }

    def _accepted(self):
        """Return what X may be: sparse, or NaN, only where the metric knows what to do with it."""
        tags = self.__sklearn_tags__().input_tags
        return {
            "accept_sparse": "csr" if tags.sparse else False,
            "finite": "allow-nan" if tags.allow_nan else True,
        }

    def _between_samples(self, X, params):
        """Return the dissimilarities of all pairs."""
        if self.metric != "precomputed":
            return between_samples(X, self.metric, params)
        if X.shape[0] != X.shape[1]:
            raise ValueError(f"Precomputed metric requires a square matrix, X has shape {X.shape}.")
        if X.min() < 0:
            raise ValueError("Negative values in data: precomputed dissimilarities must not be.")
        return Stored(np.ascontiguousarray(X.T))

    def _check_init(self, weights):
        """Return the indices that the user gave as int64, or None."""
        if isinstance(self.init, str):
            return None
        init = check_array(self.init, ensure_2d=False, dtype=None)
        n = len(weights)
        if init.dtype.kind not in "iu" or init.shape != (self.n_clusters,):
            raise ValueError(
                f"init should be {self.n_clusters} indices of samples, got an array of "
                f"{init.dtype} of shape {init.shape}."
            )
        init = init.astype(np.int64)
        if init.min() < 0 or init.max() >= n or len(np.unique(init)) < len(init):
            raise ValueError(f"init should be different indices from 0 to {n - 1}, got {init}.")
        if not weights[init].all():
            raise ValueError("init names samples of weight 0.")
        return init

    def _start(self, D, weights, sums, rng):
        """Return the first medoids, int64 (k,)."""
        if self.init == "build":
            return build(D, weights, sums, self.n_clusters)
        if self.init == "random":
            seen = np.flatnonzero(weights)
            return rng.choice(seen, self.n_clusters, replace=False).astype(np.int64)
        return plus_plus(D, weights, self.n_clusters, rng)

    def _warn(self, best):
        """Say what is not as it should be."""
        if not best.done:
            warn_not_converged(
                f"KMedoids did not converge in max_iter={self.max_iter} passes: samples can still "
                "be exchanged for medoids to lower the inertia. Increase max_iter.",
            )
        n_found = len(np.unique(best.labels))
        if n_found < self.n_clusters:
            warn_not_converged(
                f"Number of distinct clusters ({n_found}) found smaller than n_clusters "
                f"({self.n_clusters}). Possibly due to duplicate points in X.",
            )

    def _to_medoids(self, X):
        """Return the dissimilarities of new samples to the medoids, (n, k)."""
        check_is_fitted(self)
        X = read_X(self, X, **self._accepted())
        if self.metric != "precomputed":
            return dissimilarities(X, self.cluster_centers_, self.metric, self._metric_params)
        if X.min() < 0:
            raise ValueError("Negative values in data: precomputed dissimilarities must not be.")
        return np.ascontiguousarray(X[:, self.medoid_indices_])

    def fit_predict(self, X, y=None, sample_weight=None):
        """Find the medoids and return `labels_`; see `fit`."""
        return self.fit(X, y, sample_weight=sample_weight).labels_

    def predict(self, X):
        """Return the index of the nearest medoid of each sample, int32 (n_samples,).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            With metric="precomputed", dissimilarities to the samples of the fit,
            (n_samples, n_samples_fit).
        """
        return np.argmin(self._to_medoids(X), axis=1).astype(np.int32)

    def transform(self, X):
        """Return the dissimilarities of the samples to the medoids, (n_samples, n_clusters)."""
        return self._to_medoids(X)

    def score(self, X, y=None, sample_weight=None):
        """Return minus the weighted sum of the dissimilarities to the nearest medoids.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
        """
        nearest = self._to_medoids(X).min(axis=1).astype(np.float64)
        weights = check_weights(sample_weight, nearest)
        return -float(nearest.sum() if weights is None else nearest @ weights)

    def __sklearn_tags__(self):
        """Precomputed X is square; a function takes dense rows only."""
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = tags.input_tags.positive_only = self.metric == "precomputed"
        tags.input_tags.sparse = isinstance(self.metric, str) and self.metric in SPARSE
        tags.input_tags.allow_nan = self.metric == "nan_euclidean"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


SPARSE = ("cityblock", "cosine", "euclidean", "l1", "l2", "manhattan")
