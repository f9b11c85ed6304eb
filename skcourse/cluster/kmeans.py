"""The k-means estimator: from which centres, how often. The iteration itself is in `lloyd`."""

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
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skcourse.cluster.dense import DenseRows
from skcourse.cluster.lloyd import Lloyd
from skcourse.cluster.seeding import at_random, plus_plus
from skcourse.cluster.sparse import SparseRows
from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_finite_sums,
    check_weights,
    fit_context,
    read_X,
    validate_params,
)


class KMeans(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    BaseEstimator,
):
    """Partition the samples around `n_clusters` centres.

    Parameters
    ----------
    n_clusters : int, default=8
        At most the number of samples.
    init : {"k-means++", "random"}, callable or array-like of shape (n_clusters, n_features), \
            default="k-means++"
        The first centres: greedy k-means++, samples at random, or what the callable returns for
        `(X, n_clusters, random_state=...)`. A callable gets a dense X with its mean subtracted, as
        scikit-learn's does, and answers in the same coordinates.
    n_init : "auto" or int, default="auto"
        Number of runs, of which the one with the least inertia is kept. "auto" means 10 for
        "random" and for a callable, else 1.
    max_iter : int, default=300
    tol : float, default=1e-4
        Bound on the squared shift of all centres in an iteration, over the mean variance of a
        feature.
    verbose : int, default=0
        Whether to print the inertia of each iteration.
    random_state : int, RandomState instance or None, default=None
        Drives the choice of the first centres, the only random part, by scikit-learn's draws. Of
        large float32 X, from about 100,000 samples on, they may pick other samples than there,
        where distances are added up in float32.
    copy_x : bool, default=True
        For compatibility: X is never changed, and not copied if it is C-contiguous and of floats.
    algorithm : {"lloyd", "elkan"}, default="lloyd"
        For compatibility: both names mean Lloyd's iteration with bounds that skip what cannot
        change. With few features these are two numbers per sample, as Hamerly's; from 128 features
        on, and at least twice as many as clusters, one per sample and cluster, as Elkan's.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), dtype of X
    labels_ : ndarray of shape (n_samples,), int32
        Index of the nearest centre, the lowest of equals: what `predict` says of X.
    inertia_ : float
        Weighted sum of squared distances to the nearest centre, in squared units of X.
    n_iter_ : int
        Iterations of the run that was kept.
    history_ : dict of str to ndarray of shape (n_iter_,)
        Of the run that was kept: "inertia" of the labels and the centres that they were found with,
        and "center_shift", the squared shift of all centres after that.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    An empty cluster takes the sample farthest from its centre. A fit uses all cores that the
    process may use (``OMP_NUM_THREADS`` is respected); its bits do not depend on their number.
    Beside X, it holds a few numbers per sample for labels, bounds and k-means++, and from 128
    features on a bound per sample and cluster, if these are at most half as many as the numbers
    in X.

    References
    ----------
    S. Lloyd, Least squares quantization in PCM, IEEE Trans. Information Theory, 1982.
    G. Hamerly, Making k-means even faster, SIAM Int. Conf. on Data Mining, 2010.

    Examples
    --------
    >>> from skcourse.cluster import KMeans
    >>> sightings = [[0.5, 1.0], [0.0, 2.5], [1.0, 1.0], [7.0, 8.0], [8.5, 7.5], [8.5, 8.5]]
    >>> model = KMeans(n_clusters=2, random_state=0).fit(sightings)
    >>> model.cluster_centers_
    array([[8. , 8. ],
           [0.5, 1.5]])
    >>> model.predict([[2, 2], [6, 9], [9, 6]])
    array([1, 0, 0], dtype=int32)
    >>> model.history_["inertia"]
    array([8.5, 4. ])
    """

    _parameter_constraints: dict = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "random"}), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "copy_x": ["boolean"],
        "algorithm": [StrOptions({"lloyd", "elkan"})],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        n_init="auto",
        max_iter=300,
        tol=1e-4,
        verbose=0,
        random_state=None,
        copy_x=True,
        algorithm="lloyd",
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the centres.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            None means 1 for each sample.

        Returns
        -------
        self : KMeans

        Raises
        ------
        ValueError
            If X has fewer samples than clusters, or is not finite, or `init` has the wrong shape.

        Warns
        -----
        ConvergenceWarning
            If fewer distinct clusters than `n_clusters` are found.
        """
        rows, mean, variance = self._read(X, sample_weight)
        tol = self.tol * variance.mean()
        n_init = self._n_init = self._count_runs()  # by this name scikit-learn's tests ask for it
        rng = check_random_state(self.random_state)
        init = self._check_init(rows) if is_array_like(self.init) else self.init
        origin = rows.origin_at(mean)
        squares = rows.squares(origin, mean, variance)
        fit = fit_task(self, X, y, sample_weight, max_subtasks=n_init)
        best = None
        for _ in range(n_init):
            seeds = self._seeds(rows, origin, init, rng)
            if self.verbose:
                print("Initialization complete")
            task = fit.subtask("run", max_subtasks=self.max_iter)
            run = Lloyd(rows, origin, squares, seeds).run(
                max_iter=self.max_iter, tol=tol, verbose=self.verbose, task=task
            )
            if best is None or (run.inertia < best.inertia and not same_partition(run, best)):
                best = run
            if task.end():
                break
        n_found = len(np.unique(best.labels))
        if n_found < self.n_clusters:
            warn_not_converged(
                f"Number of distinct clusters ({n_found}) found smaller than n_clusters "
                f"({self.n_clusters}). Possibly due to duplicate points in X.",
                stacklevel=5,
            )
        self.cluster_centers_, self.labels_, self.inertia_, self.n_iter_, self.history_ = best
        self._n_features_out = len(self.cluster_centers_)
        fit.end()
        return self

    def _read(self, X, sample_weight):
        """Return the rows of X, and the mean and the variance of each column."""
        X = read_X(
            self, X, reset=True, finite=False, accept_sparse="csr", accept_large_sparse=False
        )
        if X.shape[0] < self.n_clusters:
            raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={self.n_clusters}.")
        rows = rows_of(X, check_weights(sample_weight, X, dtype=X.dtype))
        with np.errstate(over="ignore", invalid="ignore"):
            mean, variance = rows.moments()
            check_finite_sums(mean + variance, X, estimator=self)
        return rows, mean, variance

    def _count_runs(self):
        """Return the number of runs; warn about parameters that do not fit together."""
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warnings.warn(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
                RuntimeWarning,
                stacklevel=5,
            )
        if not is_array_like(self.init):
            plus = isinstance(self.init, str) and self.init == "k-means++"
            return (1 if plus else 10) if self.n_init == "auto" else self.n_init
        if self.n_init not in ("auto", 1):
            warnings.warn(
                "Explicit initial center position passed: performing only one init in "
                f"{type(self).__name__} instead of n_init={self.n_init}.",
                RuntimeWarning,
                stacklevel=5,
            )
        return 1

    def _check_init(self, rows, init=None):
        """Return the user's first centres as an array of the dtype of X."""
        init = check_array(self.init if init is None else init, dtype=rows.dtype, order="C")
        for axis, what in (
            (0, f"the number of clusters {self.n_clusters}"),
            (1, f"the number of features of the data {rows.shape[1]}"),
        ):
            if init.shape[axis] != (self.n_clusters, rows.shape[1])[axis]:
                raise ValueError(
                    f"The shape of the initial centers {init.shape} does not match {what}."
                )
        return init

    def _seeds(self, rows, origin, init, rng):
        """Return first centres relative to `origin`, float64."""
        if callable(init):
            seeds = init(rows.centred(origin), self.n_clusters, random_state=rng)
            return self._check_init(rows, seeds).astype(np.float64)
        if isinstance(init, str):
            choose = plus_plus if init == "k-means++" else at_random
            init = rows.take(choose(rows, self.n_clusters, rng))
        return init - origin.astype(np.float64)

    def _read_again(self, X):
        """Return the rows of new data."""
        if not hasattr(self, "cluster_centers_"):
            check_is_fitted(self)
        return read_X(self, X, accept_sparse="csr", accept_large_sparse=False)

    def fit_predict(self, X, y=None, sample_weight=None):
        """Find the centres and return `labels_`; see `fit`."""
        return self.fit(X, y, sample_weight=sample_weight).labels_

    def predict(self, X):
        """Return the index of the nearest centre of each sample, int32 (n_samples,)."""
        return rows_of(self._read_again(X)).label(self.cluster_centers_)

    def transform(self, X):
        """Return the distances of the samples to the centres, (n_samples, n_clusters)."""
        return rows_of(self._read_again(X)).distances(self.cluster_centers_)

    def fit_transform(self, X, y=None, sample_weight=None):
        """Find the centres and return the distances to them; see `fit` and `transform`."""
        self.fit(X, y, sample_weight=sample_weight)
        return rows_of(self._read_again(X)).distances(self.cluster_centers_)

    def score(self, X, y=None, sample_weight=None):
        """Return minus the inertia of X, each sample with its nearest centre.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
        """
        X = self._read_again(X)
        rows = rows_of(X, check_weights(sample_weight, X, dtype=X.dtype))
        centers = self.cluster_centers_
        return -rows.inertia(centers, rows.label(centers))

    def __sklearn_tags__(self):
        """Sparse X is taken as it is."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def is_array_like(init):
    """Tell whether `init` holds first centres."""
    return not isinstance(init, str) and not callable(init)


def rows_of(X, weights=None):
    """Return X as rows of a k-means problem."""
    return SparseRows(X, weights) if sp.issparse(X) else DenseRows(X, weights)


def same_partition(a, b):
    """Tell whether two runs found the same clusters, whatever they call them."""
    pairs = np.unique(a.labels.astype(np.int64) * len(b.centers) + b.labels)
    return len(pairs) == len(np.unique(a.labels)) == len(np.unique(b.labels))


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "sample_weight": ["array-like", None],
        "return_n_iter": [bool],
    },
    prefer_skip_nested_validation=False,
)
def k_means(
    X,
    n_clusters,
    *,
    sample_weight=None,
    init="k-means++",
    n_init="auto",
    max_iter=300,
    verbose=False,
    tol=1e-4,
    random_state=None,
    copy_x=True,
    algorithm="lloyd",
    return_n_iter=False,
):
    """Run k-means as a function: the parameters are those of `KMeans` and of its `fit`.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    n_clusters : int
    sample_weight, init, n_init, max_iter, verbose, tol, random_state, copy_x, algorithm
        See `KMeans`.
    return_n_iter : bool, default=False

    Returns
    -------
    centroid : ndarray of shape (n_clusters, n_features)
    label : ndarray of shape (n_samples,), int32
    inertia : float
    best_n_iter : int, only if `return_n_iter`

    Examples
    --------
    >>> from skcourse.cluster import k_means
    >>> centroid, label, inertia = k_means([[0.0], [1.0], [9.0]], n_clusters=2, random_state=0)
    >>> inertia
    0.5
    """
    model = KMeans(
        n_clusters,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        verbose=verbose,
        tol=tol,
        random_state=random_state,
        copy_x=copy_x,
        algorithm=algorithm,
    ).fit(X, sample_weight=sample_weight)
    result = model.cluster_centers_, model.labels_, model.inertia_
    return (*result, model.n_iter_) if return_n_iter else result
