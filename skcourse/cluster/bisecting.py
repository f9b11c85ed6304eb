"""k-means by splitting: one cluster after the other becomes two.

Problem     Find k clusters of small inertia, as k-means does, where all k centres at once would be
            too many to search among.
Iteration   Begin with one cluster. k - 1 times, take the cluster of the largest inertia, or of
            the most samples, and split it by k-means with two centres (`lloyd`).
Cost        About n d log k products per iteration of k-means if the clusters are alike in size,
            instead of n d k.
Answers     A sample goes down the tree of splits (`bisecting_tree`), which is not always the way
            to the nearest of the k centres.
Reference   M. Steinbach, G. Karypis, V. Kumar, A comparison of document clustering techniques, KDD
            Workshop on Text Mining, 2000.
"""

from numbers import Integral

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from skcourse.cluster.base import CentreModel, rows_of
from skcourse.cluster.bisecting_tree import ALL_EQUAL, TOO_SMALL, Leaf, Tree, descend
from skcourse.cluster.lloyd import Lloyd
from skcourse.core.history import fit_task
from skcourse.core.validation import Interval, StrOptions, fit_context

EQUAL = 1e-6  # of two runs whose inertias differ by less than this share, the first is kept


class BisectingKMeans(CallbackSupportMixin, CentreModel):
    """Partition the samples by splitting one cluster after the other in two.

    Parameters
    ----------
    n_clusters : int, default=8
        At most the number of samples (of positive weight).
    init : {"k-means++", "random"} or callable, default="random"
        The first two centres of each split: greedy k-means++, samples at random, or what the
        callable returns for `(X, 2, random_state=...)`. A callable gets the samples of the cluster,
        if dense less the mean of all of X, and answers in the same coordinates.
    n_init : int, default=1
        How often each split is tried, of which the one with the least inertia is kept.
    random_state : int, RandomState instance or None, default=None
        Drives the choice of first centres, by scikit-learn's draws.
    max_iter : int, default=300
        Of the iterations of each split.
    verbose : int, default=0
        Whether to print the inertia of each iteration, and the centres of each split.
    tol : float, default=1e-4
        Bound on the squared shift of both centres in an iteration, in squared units of X.
    copy_x : bool, default=True
        For compatibility: X is never changed.
    algorithm : {"lloyd", "elkan"}, default="lloyd"
        For compatibility: both names mean Lloyd's iteration with bounds that skip what cannot
        change.
    bisecting_strategy : {"biggest_inertia", "largest_cluster"}, default="biggest_inertia"
        Which cluster is split next: the one with the largest inertia, or with the most samples.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), dtype of X
    labels_ : ndarray of shape (n_samples,), int32
        What `predict` says of X.
    inertia_ : float
        Weighted sum of squared distances to the own centre, in squared units of X.
    n_iter_ : int
        Splits: `n_clusters` less 1, unless a callback ended the fit sooner.
    history_ : dict of str to ndarray of shape (n_iter_,)
        For each split, the "inertia" of all clusters after it, and the "size" of the cluster that
        was split, in samples.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    Clusters are numbered as the leaves of the tree of splits, from left to right. A cluster of
    equal samples is split only if there is no other. A fit uses all cores that the process may use;
    its bits do not depend on their number.

    References
    ----------
    M. Steinbach, G. Karypis, V. Kumar, A comparison of document clustering techniques, KDD
    Workshop on Text Mining, 2000.

    Examples
    --------
    >>> from skcourse.cluster import BisectingKMeans
    >>> ages = [[1.0], [2.0], [9.0], [11.0], [40.0], [44.0]]
    >>> model = BisectingKMeans(n_clusters=3, random_state=0).fit(ages)
    >>> sorted(model.cluster_centers_.ravel().tolist())
    [1.5, 10.0, 42.0]
    >>> [float(round(inertia, 1)) for inertia in model.history_["inertia"]]
    [82.8, 10.5]
    """

    _parameter_constraints: dict = {
        **CentreModel._parameter_constraints,
        "init": [StrOptions({"k-means++", "random"}), callable],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "copy_x": ["boolean"],
        "algorithm": [StrOptions({"lloyd", "elkan"})],
        "bisecting_strategy": [StrOptions({"biggest_inertia", "largest_cluster"})],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="random",
        n_init=1,
        random_state=None,
        max_iter=300,
        verbose=0,
        tol=1e-4,
        copy_x=True,
        algorithm="lloyd",
        bisecting_strategy="biggest_inertia",
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.random_state = random_state
        self.max_iter = max_iter
        self.verbose = verbose
        self.tol = tol
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.bisecting_strategy = bisecting_strategy

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the tree of splits.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            None means 1 for each sample.

        Returns
        -------
        self : BisectingKMeans

        Raises
        ------
        ValueError
            If X has fewer samples of positive weight than clusters, or is not finite.
        """
        rows, mean, variance = self._read(X, sample_weight)
        self._check_enough(rows)
        rng = check_random_state(self.random_state)
        fit = fit_task(self, X, y, sample_weight, max_subtasks=self.n_clusters - 1)
        middle, sizes, inertias = rows.origin_at(mean), [], []
        inertia = rows.squares(middle, mean, variance)
        root = Leaf(mean.astype(rows.dtype), np.arange(rows.shape[0]), inertia)
        for _ in range(self.n_clusters - 1):
            task = fit.subtask("split")
            leaf = self._next(root)
            leaf.children = self._split(rows, leaf.members, middle, rng)
            sizes.append(len(leaf.members))
            inertias.append(sum(leaf.inertia for leaf in root.leaves()))
            leaf.members = None
            if task.end(lambda: self._attributes(root, rows)):
                break
        for name, value in self._attributes(root, rows).items():
            setattr(self, name, value)
        self.n_iter_ = len(sizes)
        self.history_ = {"inertia": np.array(inertias), "size": np.array(sizes, int)}
        fit.end()
        return self

    def predict(self, X):
        """Return the cluster at the end of the way of each sample, int32 (n_samples,)."""
        return descend(rows_of(self._read_again(X)), self._tree)

    def _check_enough(self, rows):
        """Raise ValueError if weights leave fewer rows than clusters."""
        n_positive = np.count_nonzero(rows.weights) if len(rows.weights) else rows.shape[0]
        if n_positive < self.n_clusters:
            raise ValueError(
                f"The number of samples of positive sample_weight, {n_positive}, should be >= "
                f"n_clusters={self.n_clusters}."
            )

    def _next(self, root):
        """Return the leaf to split: the first of the highest score of those that it suits best."""
        if self.bisecting_strategy == "biggest_inertia":
            return max(root.leaves(), key=lambda leaf: (leaf.rank, leaf.inertia))
        return max(root.leaves(), key=lambda leaf: (leaf.rank, len(leaf.members)))

    def _split(self, rows, members, middle, rng):
        """Return the two leaves into which Lloyd's iteration parts the rows `members`."""
        own = rows
        if len(members) < rows.shape[0]:
            own = rows_of(rows.X[members], rows.weights[members] if len(rows.weights) else None)
        mean, variance = own.moments()
        origin, best = own.origin_at(mean), None
        way, squares = middle.astype(np.float64) - origin, own.squares(origin, mean, variance)
        for _ in range(self.n_init):
            seeds = self._seeds(own, 2, self.init, rng, middle)
            if self.verbose:
                print("Initialization complete")
            run = Lloyd(own, origin, squares, seeds + way).run(
                max_iter=self.max_iter, tol=self.tol, verbose=self.verbose
            )
            if best is None or run.inertia < best.inertia * (1 - EQUAL):
                best = run
        if self.verbose:
            print(f"New centroids from bisection: {best.centers}")
        return leaves_of(own, best.centers, members)

    def _attributes(self, root, rows):
        """Return what a fit that ended now would set."""
        leaves = list(root.leaves())
        labels = np.empty(rows.shape[0], np.int32)
        for j, leaf in enumerate(leaves):
            labels[leaf.members] = j
        return {
            "cluster_centers_": np.array([leaf.center for leaf in leaves]),
            "labels_": labels,
            "inertia_": float(sum(leaf.inertia for leaf in leaves)),
            "_tree": root.tree(),
            "_n_features_out": len(leaves),
        }


def leaves_of(rows, centers, members):
    """Return the two clusters into which the rows, of indices `members`, part by two centres."""
    fork = Tree(
        np.vstack([centers[:1], centers]),
        np.array([[1, 2], [-1, -1], [-1, -1]], np.int32),
        np.array([-1, 0, 1], np.int32),
    )
    labels = descend(rows, fork)
    squares, counted = rows.distances_to_own(centers, labels), np.ones(len(labels), bool)
    if len(rows.weights):
        squares, counted = squares * rows.weights, rows.weights > 0
    inertias = np.bincount(labels, squares, minlength=2)
    sizes = np.bincount(labels[counted], minlength=2)
    leaves = [Leaf(c, members[labels == j], inertias[j]) for j, c in enumerate(centers)]
    for leaf, size, other in zip(leaves, sizes, sizes[::-1], strict=True):
        if other == 0:
            leaf.rank = ALL_EQUAL  # else Lloyd would have moved the other centre to a farther row
        if size < 2:
            leaf.rank = TOO_SMALL
    return leaves
