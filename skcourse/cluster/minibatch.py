"""Mini-batch k-means, the estimator: from which centres it starts, and what it keeps.

The step, its formulas and its reference, is in `minibatch_step`; the loop's draws, new starts and
end are in `minibatch_run`. Draws are scikit-learn's, number by number: one `random_state` makes the
same batches.
"""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from skcourse.cluster.base import CentreModel, check_init, is_array_like, rows_of
from skcourse.cluster.minibatch_run import Draws, Judge, Run, unweighted
from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import History, fit_task
from skcourse.core.validation import Interval, fit_context


class MiniBatchKMeans(CallbackSupportMixin, CentreModel):
    """Partition the samples around `n_clusters` centres, which learn from small batches.

    Parameters
    ----------
    n_clusters : int, default=8
        At most the number of samples.
    init : {"k-means++", "random"}, callable or array-like of shape (n_clusters, n_features), \
            default="k-means++"
        The first centres, from `init_size` samples: greedy k-means++, samples at random, or what
        the callable returns for `(X, n_clusters, random_state=...)`.
    max_iter : int, default=100
        How often as many samples are drawn as X has, at most.
    batch_size : int, default=1024
        At most the number of samples.
    verbose : int, default=0
        Whether to print the inertia of each batch.
    compute_labels : bool, default=True
        Whether to compute `labels_` and the inertia of all samples at the end.
    random_state : int, RandomState instance or None, default=None
        Drives the choice of first centres and of batches, by scikit-learn's draws.
    tol : float, default=0.0
        Bound on the squared shift of all centres in a step, over the mean variance of a feature,
        at which to end; 0 for none.
    max_no_improvement : int or None, default=10
        For how many steps the smoothed inertia of the batches may fail to fall; None for any
        number.
    init_size : int or None, default=None
        How many samples first centres are chosen among; None means three batches, or three times
        `n_clusters` if that is more than these.
    n_init : "auto" or int, default="auto"
        How many first centres are chosen, of which those are taken that suit `init_size` other
        samples best. "auto" means 3 for "random" and for a callable, else 1.
    reassignment_ratio : float, default=0.01
        A centre that has seen less weight than this, over the weight that any has seen, starts anew
        at a sample of the batch.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), dtype of X
    labels_ : ndarray of shape (n_samples,), int32
        Index of the nearest centre; only with `compute_labels`.
    inertia_ : float
        Weighted sum of squared distances to the nearest centre, in squared units of X; without
        `compute_labels`, an estimate from the batches.
    n_iter_ : int
        How often as many samples were drawn as X has, the last time counted in full.
    n_steps_ : int
        Batches that were processed.
    history_ : dict of str to ndarray of shape (n_steps_,)
        Of `fit`, for each batch: "inertia", the mean per sample before the step; "smoothed", its
        moving average, of which the fit judges, without the first batch; "center_shift", the
        squared shift of all centres; "n_reassigned", how many centres started anew.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    Samples are drawn by their weights, with replacement, and count alike once drawn; a batch given
    to `partial_fit` is taken as it is, with its weights. The weight that each centre has seen is
    kept in float64, also of float32 X.

    References
    ----------
    D. Sculley, Web-scale k-means clustering, Int. Conf. on World Wide Web, 2010.

    Examples
    --------
    >>> from skcourse.cluster import MiniBatchKMeans
    >>> visits = [[0.5, 1.0], [0.0, 2.5], [1.0, 1.0], [7.0, 8.0], [8.5, 7.5], [8.5, 8.5]]
    >>> model = MiniBatchKMeans(n_clusters=2, random_state=0).fit(visits)
    >>> model.predict([[2, 2], [6, 9], [9, 6]])
    array([1, 0, 0], dtype=int32)
    >>> model.inertia_ < 4.5
    True
    """

    _parameter_constraints: dict = {
        **CentreModel._parameter_constraints,
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "compute_labels": ["boolean"],
        "max_no_improvement": [Interval(Integral, 0, None, closed="left"), None],
        "init_size": [Interval(Integral, 1, None, closed="left"), None],
        "reassignment_ratio": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        max_iter=100,
        batch_size=1024,
        verbose=0,
        compute_labels=True,
        random_state=None,
        tol=0.0,
        max_no_improvement=10,
        init_size=None,
        n_init="auto",
        reassignment_ratio=0.01,
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the centres, from batches that are drawn from X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            None means 1 for each sample.

        Returns
        -------
        self : MiniBatchKMeans

        Raises
        ------
        ValueError
            If X has fewer samples than clusters, or is not finite, or `init` has the wrong shape.
        """
        rows, mean, variance = self._read(X, sample_weight)
        n, rng = rows.shape[0], check_random_state(self.random_state)
        self._batch_size = min(self.batch_size, n)
        self._n_init, self._init_size = self._count_runs(3), self._size_of_start(n)
        origin = rows.origin_at(mean)
        centers = self._best_seeds(rows, rng, origin)
        n_steps = max(1, self.max_iter * n // self._batch_size)
        fit = fit_task(self, X, y, sample_weight, max_subtasks=n_steps)
        run = Run(self, unweighted(rows), centers, origin, np.zeros(self.n_clusters), rng)
        judge = Judge(self, n, n_steps, self.tol * variance.mean())
        draw, history = Draws(rows, rng), History()
        with one_blas_thread():
            for step in range(n_steps):
                task = fit.subtask("step")
                inertia, shift, n_reassigned = run.step(draw(self._batch_size))
                done = judge(step, inertia / self._batch_size, shift)
                history.append(
                    inertia=inertia / self._batch_size,
                    smoothed=judge.smoothed,
                    center_shift=shift,
                    n_reassigned=n_reassigned,
                )
                if task.end(run.attributes) or done:
                    break
        for name, value in run.attributes().items():
            setattr(self, name, value)
        self.n_steps_, self.history_ = step + 1, history.arrays()
        self.n_iter_ = int(np.ceil((step + 1) * self._batch_size / n))
        self.inertia_ = float(judge.smoothed * rows.total_weight)
        self._label(rows)
        fit.end()
        return self

    @fit_context
    def partial_fit(self, X, y=None, sample_weight=None):
        """Let the centres learn from one batch; the first one also chooses the first centres.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            None means 1 for each sample.

        Returns
        -------
        self : MiniBatchKMeans
        """
        first = not hasattr(self, "cluster_centers_")
        rows, mean, _ = self._read(X, sample_weight, reset=first)
        n = rows.shape[0]
        if not hasattr(self, "_random_state"):
            self._random_state = check_random_state(self.random_state)
        rng = self._random_state
        if first:
            self._batch_size = min(self.batch_size, n)
            self._n_init, self._init_size = self._count_runs(3), self._size_of_start(n)
            origin, seen = rows.origin_at(mean), np.zeros(self.n_clusters)
            init = self._checked_init(rows)
            centers = self._seeds_of_few(rows, init, rng, origin)
        else:
            origin, seen = rows.origin_of(self.cluster_centers_.astype(rows.dtype)), self._counts
            centers = self.cluster_centers_ - origin.astype(np.float64)
        run = Run(self, rows, centers, origin, seen.copy(), rng)
        run.step(np.arange(n, dtype=np.uint32))
        dtype = rows.dtype if first else self.cluster_centers_.dtype
        for name, value in run.attributes(dtype).items():
            setattr(self, name, value)
        self.n_steps_ = getattr(self, "n_steps_", 0) + 1
        self._label(rows)
        return self

    def _size_of_start(self, n_samples):
        """Return how many samples first centres are chosen among."""
        size = self.init_size
        if size is None:
            size = 3 * self._batch_size
            size = size if size >= self.n_clusters else 3 * self.n_clusters
        elif size < self.n_clusters:
            warnings.warn(
                f"init_size={size} should be larger than n_clusters={self.n_clusters}. Setting it "
                "to min(3*n_clusters, n_samples)",
                RuntimeWarning,
                stacklevel=5,
            )
            size = 3 * self.n_clusters
        return min(size, n_samples)

    def _checked_init(self, rows):
        """Return `init`, an array of the right shape if it is one."""
        init = self.init
        return check_init(init, self.n_clusters, rows) if is_array_like(init) else init

    def _best_seeds(self, rows, rng, origin):
        """Return the first centres, relative to `origin`, that suit other samples best."""
        init, best, lowest = self._checked_init(rows), None, np.inf
        others = some(rows, rng.randint(0, rows.shape[0], self._init_size))
        for i in range(self._n_init):
            if self.verbose:
                print(f"Init {i + 1}/{self._n_init} with method {init}")
            seeds = self._seeds_of_few(rows, init, rng, origin)
            if self._n_init == 1 and not self.verbose:
                return seeds
            centers = (seeds + origin).astype(rows.dtype)
            inertia = others.inertia(centers, others.label(centers))
            if self.verbose:
                print(f"Inertia for init {i + 1}/{self._n_init}: {inertia}")
            if best is None or inertia < lowest:
                best, lowest = seeds, inertia
        return best

    def _seeds_of_few(self, rows, init, rng, origin):
        """Return first centres relative to `origin`, chosen among `init_size` rows."""
        n = rows.shape[0]
        if self._init_size < n:
            rows = some(rows, rng.randint(0, n, self._init_size))
        if callable(init):  # it gets the rows as they are
            zero = np.zeros(rows.shape[1], rows.dtype)
            return self._seeds(rows, self.n_clusters, init, rng, zero) - origin
        return self._seeds(rows, self.n_clusters, init, rng, origin)

    def _label(self, rows):
        """Set `labels_` and `inertia_` if they are asked for."""
        if self.compute_labels:
            self.labels_ = rows.label(self.cluster_centers_)
            self.inertia_ = rows.inertia(self.cluster_centers_, self.labels_)


def some(rows, members):
    """Return some of the rows, as rows."""
    return rows_of(rows.X[members], rows.weights[members] if len(rows.weights) else None)
