"""The k-means estimator: from which centres, how often.

The iteration is that of `lloyd`, or of `lloyd_variants` where sizes are bounded or values missing.
"""

import warnings
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from skcourse.cluster.base import CHOICES, CentreModel, check_init, is_array_like
from skcourse.cluster.lloyd import Lloyd
from skcourse.cluster.lloyd_variants import LloydVariant, check_sizes
from skcourse.cluster.missing_rows import MissingRows
from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.validation import Interval, StrOptions, fit_context


class KMeans(CallbackSupportMixin, CentreModel):
    """Partition the samples around `n_clusters` centres.

    Parameters
    ----------
    n_clusters : int, default=8
        At most the number of samples.
    init : {"k-means++", "random", "k-means||"}, callable or array-like of shape \
            (n_clusters, n_features), default="k-means++"
        The first centres: greedy k-means++, samples at random, k-means|| (about as good as
        k-means++, and sooner done where there are many samples and clusters), or what the callable
        returns for `(X, n_clusters, random_state=...)`. A callable gets a dense X with its mean
        subtracted, as scikit-learn's does, and answers in the same coordinates.
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
    size_min : int, default=None
        How many samples each cluster has at least. None means 0.
    size_max : int, default=None
        How many samples each cluster has at most. None means any number.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), dtype of X
    labels_ : ndarray of shape (n_samples,), int32
        Index of the nearest centre, the lowest of equals: what `predict` says of X. If sizes are
        bounded, the labels of least inertia that obey the bounds.
    inertia_ : float
        Weighted sum of squared distances to the centres that the labels name, in squared units of
        X, over what is not missing.
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

    **Sizes.** With `size_min` or `size_max`, each iteration finds the labels of least inertia among
    all that obey the bounds, exactly, from a distance for every sample and cluster. Sizes count
    samples, whatever their weights, which say how much a sample matters to the centres; but a
    sample of weight 0 counts as absent, and gets the label of the nearest centre. New samples come
    one by one: `predict` names the nearest centre and knows no bounds.

    **Missing values.** NaN in X, if it is not sparse, stands for a value that was not observed. The
    inertia is a sum over the values that were; so is the distance by which a sample finds its
    nearest centre, in `fit`, `predict` and `score`, and the mean of a feature in a cluster (that of
    the whole column, where a cluster has nothing of it). The distances of `transform` are those of
    :func:`sklearn.metrics.nan_euclidean_distances`, made longer by sqrt(n_features / number of
    values), so that samples with more and with fewer values compare.

    References
    ----------
    S. Lloyd, Least squares quantization in PCM, IEEE Trans. Information Theory, 1982.
    G. Hamerly, Making k-means even faster, SIAM Int. Conf. on Data Mining, 2010.
    B. Bahmani et al., Scalable k-means++, VLDB, 2012.
    P. Bradley, K. Bennett, A. Demiriz, Constrained k-means clustering, Microsoft Research, 2000.
    J. Chi, E. Chi, R. Baraniuk, k-POD: a method for k-means clustering of missing data, The
    American Statistician, 2016.

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

    Three hides, each with room for two, and a sighting of which only one coordinate is known:

    >>> KMeans(n_clusters=3, size_max=2, random_state=0).fit(sightings).labels_
    array([1, 0, 1, 0, 2, 2], dtype=int32)
    >>> model.predict([[float("nan"), 6.0]])
    array([0], dtype=int32)
    """

    _parameter_constraints: dict = {
        **CentreModel._parameter_constraints,
        "init": [StrOptions(set(CHOICES)), callable, "array-like"],
        "copy_x": ["boolean"],
        "algorithm": [StrOptions({"lloyd", "elkan"})],
        "size_min": [Interval(Integral, 0, None, closed="left"), None],
        "size_max": [Interval(Integral, 1, None, closed="left"), None],
    }
    _takes_nan = True

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
        size_min=None,
        size_max=None,
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
        self.size_min = size_min
        self.size_max = size_max

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
            If X has fewer samples than clusters, or infinite numbers, or a row or a column without
            any value, or is sparse and has NaN; if `init` has the wrong shape; or if no clusters
            can have sizes within the bounds.

        Warns
        -----
        ConvergenceWarning
            If fewer distinct clusters than `n_clusters` are found.
        """
        rows, mean, variance = self._read(X, sample_weight)
        tol = self.tol * variance.mean()
        n_init = self._n_init = self._count_runs(10)  # scikit-learn's tests ask for this name
        self._warn_if_pointless()
        rng = check_random_state(self.random_state)
        init = self.init
        if is_array_like(init):
            init = check_init(init, self.n_clusters, rows)
        engine = self._engine(rows)
        origin = rows.origin_at(mean)
        squares = rows.squares(origin, mean, variance)
        fit = fit_task(self, X, y, sample_weight, max_subtasks=n_init)
        best = None
        for _ in range(n_init):
            seeds = self._seeds(rows, self.n_clusters, init, rng, origin)
            if self.verbose:
                print("Initialization complete")
            task = fit.subtask("run", max_subtasks=self.max_iter)
            run = engine(rows, origin, squares, seeds).run(
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
            )
        self.cluster_centers_, self.labels_, self.inertia_, self.n_iter_, self.history_ = best
        self._n_features_out = len(self.cluster_centers_)
        fit.end()
        return self

    def _engine(self, rows):
        """Return the iteration that the bounds on sizes and the rows ask for."""
        sizes = check_sizes(
            self.size_min, self.size_max, self.n_clusters, rows.weights, rows.shape[0]
        )
        if sizes is None and not isinstance(rows, MissingRows):
            return Lloyd
        return partial(LloydVariant, sizes=sizes)

    def _warn_if_pointless(self):
        """Warn about bounds between centres where there is one."""
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warnings.warn(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
                RuntimeWarning,
                stacklevel=5,
            )


def same_partition(a, b):
    """Tell whether two runs found the same clusters, whatever they call them."""
    pairs = np.unique(a.labels.astype(np.int64) * len(b.centers) + b.labels)
    return len(pairs) == len(np.unique(a.labels)) == len(np.unique(b.labels))
