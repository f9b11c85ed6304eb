"""Isolation forest: what is far from the rest is soon alone.

Problem     Score rows, without labels, by how unlike the others they are.
Idea        Cut a small sample of the rows in two at random, a random feature at a random value
            between its extremes, and each part again. A row among others is cut off from them late,
            one that stands apart early: the number of cuts h(x) on its way is small.
Iteration   Each of T trees takes m rows (256, say) and stops at ceil(log2 m) cuts. Where N rows are
            left in a leaf, as many cuts more are due as in a random tree of N rows:
                c(N) = 2 H(N - 1) - 2 (N - 1) / N,   H(k) = log k + Euler's constant      (1)
                score(x) = - 2^(- mean_t (h_t(x) + c(N_t(x))) / c(m)),                    (2)
            near -1 for a row that is alone at once, near -1/2 for one like most others.
Cost        T m log m to grow, however many rows there are, and T log m for each row scored.
Reference   F. T. Liu, K. M. Ting, Z.-H. Zhou, Isolation forest, ICDM 2008.
"""

from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import OutlierMixin
from sklearn.utils import check_random_state

from skcourse.core.chunks import reduce_blocks
from skcourse.core.history import warn_user
from skcourse.core.validation import (
    Interval,
    RealNotInt,
    StrOptions,
    check_weights,
    fit_context,
)
from skcourse.ensemble.bagging_base import BaseBagging
from skcourse.ensemble.packed_trees import PackedTrees
from skcourse.ensemble.tree_members import Ground, copies, in_full
from skcourse.tree import ExtraTreeRegressor
from skcourse.tree.base import sorted_columns
from skcourse.tree.categories import CategoryEncoder, read_table
from skcourse.tree.columns import as_columns, rank_columns
from skcourse.tree.targets import number_targets
from skcourse.tree.walk import add_values, pack

USUAL_SAMPLES = 256  # m, if it is left to us


def mean_cuts(n):
    """Return c(n) of (1), of the shape of n: 0 for one row or none, 1 for two."""
    n = np.asarray(n, np.float64)
    many = np.maximum(n, 3)
    cuts = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, cuts))


def unsorted_columns(X, is_categorical):
    """Return columns for cuts at random, which ask for no order; X is few rows, sparse or not."""
    if issparse(X):
        return rank_columns(X.tocsc(), is_categorical=is_categorical, orders=False, n_jobs=1)
    values = np.ascontiguousarray(X.T)
    orders, has_missing = np.empty((len(values), 0), np.int32), np.isnan(values).any(axis=1)
    return as_columns(values, orders, has_missing, is_categorical)


def cuts_to_leaves(tree):
    """Return h + c(N) for each node of a fitted tree, (n_nodes, 1)."""
    cuts = tree.compute_node_depths() - 1 + mean_cuts(tree.n_node_samples)
    return cuts.reshape(-1, 1)


class IsolationForest(OutlierMixin, BaseBagging):
    """Tell outliers by how soon random cuts part them from the other rows.

    Parameters
    ----------
    n_estimators : int, default=100
        How many trees.
    max_samples : "auto", int or float, default="auto"
        How many rows each tree draws: "auto" is 256, or all if there are fewer; a float is a share.
    contamination : "auto" or float, default="auto"
        The share of outliers among the rows of `fit`, from which `offset_` follows. "auto": an
        outlier is a row of score below -1/2.
    max_features : int or float, default=1.0
        How many features each tree draws; a float is a share of them, at least one.
    bootstrap : bool, default=False
        Whether rows are drawn with replacement.
    n_jobs : int, default=None
        Threads, in `fit` and in scoring.
    random_state : int, RandomState instance or None, default=None
        Drives the draws of rows and features, and the cuts. Trees and scores are scikit-learn's.
    verbose : int, default=0
        2 or more: tell of each tree.
    warm_start : bool, default=False
        Whether `fit` adds trees to those that there are.
    categorical_features : array-like of bool, int or str, "from_dtype" or None, default=None
        Which columns hold categories: a mask, indices, names, or by the dtypes of a dataframe. They
        are cut into two random sets.

    Attributes
    ----------
    estimator_ : the tree that the others are clones of
    estimators_ : list of fitted `ExtraTreeRegressor`
    estimators_samples_ : list of arrays, the rows that each tree drew
    estimators_features_ : list of arrays, the features
    max_samples_ : int, m
    offset_ : float
        What is subtracted from the scores: rows below it are outliers.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,), only if X has names

    References
    ----------
    F. T. Liu, K. M. Ting, Z.-H. Zhou, Isolation forest, ICDM 2008.

    Examples
    --------
    >>> from skcourse.ensemble import IsolationForest
    >>> X = [[-1.1], [0.3], [0.5], [100]]
    >>> IsolationForest(random_state=0).fit(X).predict([[0.1], [0], [90]])
    array([ 1,  1, -1])
    """

    _parameter_constraints: dict = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
        ],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "max_features": [Integral, Interval(Real, 0, 1, closed="right")],
        "bootstrap": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
    }
    estimator = None
    bootstrap_features = oob_score = False

    def __init__(
        self,
        *,
        n_estimators=100,
        max_samples="auto",
        contamination="auto",
        max_features=1.0,
        bootstrap=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        categorical_features=None,
    ):
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.contamination = contamination
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.categorical_features = categorical_features

    def _template(self):
        return ExtraTreeRegressor(max_features=1, random_state=self.random_state)

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Grow the trees.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Becomes float32; NaN, if X is not sparse, is a missing value.
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            Rows are drawn in proportion to it.

        Returns
        -------
        self : object
        """
        X = self._read_training(X)
        sample_weight = check_weights(sample_weight, X)
        rng = check_random_state(self.random_state)
        y = rng.uniform(size=X.shape[0])  # cuts do not ask for it, but a leaf has a value
        self.max_samples_ = self._count_samples(X.shape[0], sample_weight)
        depth = int(np.ceil(np.log2(max(self.max_samples_, 2))))
        self.estimator_ = self._template().set_params(max_depth=depth)
        draws = self._draws(X.shape[0], self.max_samples_, sample_weight)
        seeds = self._seeds_of_new_members(check_random_state(self.random_state))
        rows = X.tocsr() if issparse(X) else X
        if len(seeds):
            self._add_members(self._grow(draws, seeds, rows, y), draws, seeds)
            self._grown, self._packed = True, PackedTrees()
        self.offset_ = -0.5
        if self.contamination != "auto":
            self.offset_ = np.percentile(self._score(rows), 100.0 * self.contamination)
        return self

    def _read_training(self, X):
        """Return X, float32 or CSC; keep the encoder of categories, if there are any."""
        known = getattr(self, "_encoder", None) if self.warm_start else None
        encoder = known or CategoryEncoder(self.categorical_features).fit(X)
        X = read_table(self, X, reset=True, encoder=encoder, accept_sparse="csc")
        self._encoder = encoder if encoder.tables else None
        return sorted_columns(X) if issparse(X) else X

    def _count_samples(self, n_samples, sample_weight):
        """Return how many rows a tree draws: no more than there are to be drawn."""
        n_there = n_samples
        if sample_weight is not None and not self.bootstrap:
            n_there = np.count_nonzero(sample_weight)
        if self.max_samples == "auto":
            return min(USUAL_SAMPLES, n_there)
        if not isinstance(self.max_samples, Integral):
            return min(max(1, int(self.max_samples * n_samples)), n_there)
        if self.max_samples > n_samples:
            warn_user(
                f"max_samples ({self.max_samples}) is greater than the total number of samples "
                f"({n_samples}). max_samples will be set to n_samples for estimation."
            )
        return min(self.max_samples, n_there)

    def _grow(self, draws, seeds, X, y):
        """Return the trees of `seeds`, each grown on nothing but the rows that it draws."""
        copy, categorical = copies(self.estimator_), np.zeros(X.shape[1], np.bool_)
        if self._encoder is not None:
            categorical = self._encoder.is_categorical

        def part(i):
            if self.verbose > 1:
                print(f"Building estimator {i + 1} of {len(seeds)}...")
            member = copy(seeds[i])
            features, drawn = draws.of(seeds[i])
            rows, counts = np.unique(drawn, return_counts=True)
            features = features if draws.choose_features else slice(None)
            columns = unsorted_columns(X[rows][:, features], categorical[features])
            targets = y[rows].reshape(-1, 1)
            ground = Ground(columns, number_targets(targets), targets, None, np.ones(1), None)
            ground.grow(member, counts.astype(np.float64))
            return [member]

        return reduce_blocks(part, range(len(seeds)), list.__iadd__, n_jobs=self.n_jobs)

    def _walk_by_cuts(self):
        """Return the trees as one table: the leaves hold h + c(N)."""
        members = zip(*self._members(), strict=True)
        found = [(in_full(m.tree_.nodes, f), cuts_to_leaves(m.tree_)) for m, f in members]
        return pack([nodes for nodes, _ in found], values=[cuts for _, cuts in found])

    def _score(self, X):
        """Return (2) of rows as the trees walk them."""
        walk = self._packed.of([tree.tree_ for tree in self], lambda trees: self._walk_by_cuts())
        cuts = add_values(walk, X, np.zeros((X.shape[0], 1)), n_jobs=self.n_jobs)[:, 0]
        expected = len(self) * mean_cuts(self._max_samples)
        return -np.exp2(-cuts / expected if expected else -np.ones(len(cuts)))

    def score_samples(self, X):
        """Return (2): the lower, the more of an outlier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,), from -1 to 0
        """
        return self._score(self._read_X(X))

    def decision_function(self, X):
        """Return the scores less `offset_`: below 0 for outliers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,)
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Return -1 for outliers, and 1 for the others.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        is_inlier : int64 ndarray of shape (n_samples,)
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
