"""Quantile regression forests: the spread of y given x, out of the leaves of a random forest.

The trees are those of a random forest; `skcourse.ensemble.leaf_targets` tells how the targets in
their leaves make a distribution.
"""

from numbers import Real

import numpy as np

from skcourse.core.validation import StrOptions
from skcourse.ensemble.forest_regressor import ForestRegressor
from skcourse.ensemble.leaf_targets import gather, quantiles_of
from skcourse.tree import DecisionTreeRegressor
from skcourse.tree.decision_tree import current_name
from skcourse.tree.walk import leaves


class QuantileForestRegressor(ForestRegressor):
    """A random forest that also tells how the target is spread: its quantiles given x.

    Parameters
    ----------
    n_estimators : int, default=100
        Trees.
    criterion : {"squared_error", "absolute_error", "friedman_mse", "poisson"}, \
            default="squared_error"
        What splits lower: the squared error, half the Poisson deviance, or the absolute error, for
        which leaves take medians. "friedman_mse" is a name of "squared_error" that will go.
    max_depth : int, default=None
        Levels of splits; None for as many as it takes.
    min_samples_split : int or float, default=2
        Rows that a node has at least if it is split; a float is a share of `n_samples`.
    min_samples_leaf : int or float, default=5
        Rows that each side of a split has at least; a float is a share of `n_samples`. Quantiles
        ask for more than one.
    min_weight_fraction_leaf : float, default=0.0
        The share of the weight that each side of a split has at least.
    max_features : {"sqrt", "log2"}, int, float or None, default=1.0
        How many features are drawn for each split: a number, a share, or a function of
        `n_features`; None for all of them. The search goes on until a split is found.
    max_leaf_nodes : int, default=None
        Grow the best split first, up to so many leaves. None: depth first, without a limit.
    min_impurity_decrease : float, default=0.0
        By how much a split lowers the impurity at least, times the share of the weight in the
        node.
    bootstrap : bool, default=True
        Whether each tree has a sample of the rows, drawn with replacement; else all of them.
    oob_score : bool or callable, default=False
        Whether to judge each row by the trees that have not seen it: by R^2, or
        by ``callable(y_true, y_pred)``. Only with `bootstrap`.
    n_jobs : int, default=None
        Threads, of `fit` over trees, of predictions over rows: None is 1 unless a joblib context
        says otherwise, -1 all cores. The trees do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Drives the samples of rows and the features drawn for the splits: the same trees
        as scikit-learn's for the same number.
    verbose : int, default=0
        2 or more: tell of each tree.
    warm_start : bool, default=False
        Keep the trees of the last fit and grow only what `n_estimators` has more.
    ccp_alpha : float, default=0.0
        The price of a leaf in minimal cost-complexity pruning.
    max_samples : int or float, default=None
        With `bootstrap`, how many rows are drawn for a tree: None for `n_samples`; a float is a
        share of `n_samples`, or of the sum of `sample_weight`.
    monotonic_cst : array-like of shape (n_features,) or dict, default=None
        1, -1 or 0 for features with which the prediction rises, falls, or does either; a dict goes
        by names.
    categorical_features : "from_dtype", array-like or None, default=None
        Which columns hold categories: a mask, indices or names; or all of a categorical dtype.
        Categories not seen in `fit` count as missing.
    interaction_cst : "pairwise", "no_interactions", or sequence of sequences of int, default=None
        Sets of features; those on the way to a leaf must all lie in one of them.

    Attributes
    ----------
    estimators_ : list of DecisionTreeRegressor
    estimator_ : DecisionTreeRegressor
        What the trees are made like.
    n_outputs_ : int
    feature_importances_ : ndarray of shape (n_features,)
        The impurity that the splits of a feature take away, the mean over the trees; sum 1.
    estimators_samples_ : list of ndarray
        The rows drawn for each tree, as often as they are.
    oob_score_ : float
        Only if `oob_score`.
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Means over the trees that have not seen the row, 0 where all have. Only if `oob_score`.
    history_ : dict of str to ndarray
        After "n_trees" trees: "n_leaves" so far and, with `oob_score`, the "oob_score" of the rows
        that have one by then. An entry per tree; ten, if `oob_score` is a callable.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    The leaves keep their training rows: some 0.63 `n_estimators` `n_samples` of them, 12 bytes
    each. With `criterion="squared_error"`, the mean of the distribution that quantiles are taken
    of is what ``predict(X)`` returns. Of training rows, quantiles by all trees are too narrow,
    since these have seen them: ask for those out of bag.

    References
    ----------
    N. Meinshausen, Quantile regression forests, Journal of Machine Learning Research, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.ensemble import QuantileForestRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(2000, 1))
    >>> y = X[:, 0] * rng.uniform(size=2000)  # between 0 and x
    >>> forest = QuantileForestRegressor(min_samples_leaf=20, random_state=0).fit(X, y)
    >>> forest.predict([[0.8]], quantiles=[0.25, 0.5, 0.75]).round(1)
    array([[0.2, 0.5, 0.7]])
    >>> forest.predict_interval([[0.2], [1.0]], coverage=0.9).round(1)
    array([[0. , 0.2],
           [0. , 0.9]])
    """

    _parameter_constraints: dict = {
        **ForestRegressor._parameter_constraints,
        "criterion": [StrOptions({"squared_error", "absolute_error", "friedman_mse", "poisson"})],
    }
    estimator = DecisionTreeRegressor()

    def __init__(
        self,
        n_estimators=100,
        *,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=5,
        min_weight_fraction_leaf=0.0,
        max_features=1.0,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=True,
        oob_score=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        ccp_alpha=0.0,
        max_samples=None,
        monotonic_cst=None,
        categorical_features=None,
        interaction_cst=None,
    ):
        self.n_estimators = n_estimators
        self.criterion = current_name(criterion)
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.ccp_alpha = ccp_alpha
        self.max_samples = max_samples
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features
        self.interaction_cst = interaction_cst

    def _judged(self, trees, X, labels, sampling, *, n_new):
        """Return the attributes that come from asking the trees about their own rows."""
        grown = [(tree.random_state, tree.tree_.nodes) for tree in trees]
        known = super()._judged(trees, X, labels, sampling, n_new=n_new)
        known["_table"] = gather(grown, X, labels.codes, sampling, n_jobs=self.n_jobs)
        known["_places"] = {seed: t for t, (seed, _) in enumerate(grown)}
        return known

    def predict(self, X, quantiles=None, *, out_of_bag=False):
        """Return the mean of y given each sample, or quantiles of it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        quantiles : float, array-like of shape (n_quantiles,) or None, default=None
            Between 0 and 1; None for the mean.
        out_of_bag : bool, default=False
            X are the rows of `fit`, in their order, and each is told by the trees that have not
            seen it; NaN if there is none. Only of quantiles: the means are `oob_prediction_`.

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, n_outputs), or with several quantiles \
                (n_samples, n_quantiles), (n_samples, n_outputs, n_quantiles)
            A quantile is the least training target up to which there is so much weight.

        Raises
        ------
        ValueError
            On a quantile outside [0, 1], or if `out_of_bag` is asked for without `quantiles` or
            `bootstrap`, or of other than the rows of `fit`.
        """
        if quantiles is None:
            if out_of_bag:
                raise ValueError(
                    "out_of_bag=True needs quantiles. The means are oob_prediction_ of a forest "
                    "with oob_score=True."
                )
            return super().predict(X)
        found = self._quantiles(X, np.atleast_1d(read_levels(quantiles)), out_of_bag)
        if self.n_outputs_ == 1:
            found = found[:, 0]
        return found[..., 0] if isinstance(quantiles, Real) else found

    def predict_interval(self, X, coverage=0.9, *, out_of_bag=False):
        """Return intervals in which y lies with the probability `coverage`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Between 0 and 1. As much is left out below the interval as above it.
        out_of_bag : bool, default=False
            As in `predict`.

        Returns
        -------
        intervals : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Lower and upper ends.
        """
        if not (isinstance(coverage, Real) and 0 < coverage < 1):
            raise ValueError(f"coverage must be a number between 0 and 1, got {coverage!r}.")
        ends = [(1 - coverage) / 2, (1 + coverage) / 2]
        return self.predict(X, quantiles=ends, out_of_bag=out_of_bag)

    def _quantiles(self, X, levels, out_of_bag):
        """Return the quantiles, (n_samples, n_outputs, n_levels)."""
        X = self._read_X(X)
        ends = leaves(self._walk(), X, n_jobs=self.n_jobs)
        if out_of_bag:
            self._leave_out(ends)
        try:
            places = [self._places[tree.random_state] for tree in self.estimators_]
        except KeyError:
            raise ValueError("estimators_ has trees that `fit` has not grown.") from None
        ends += np.where(ends >= 0, self._table.offsets[places], 0)
        return quantiles_of(self._table, ends, levels, n_jobs=self.n_jobs)

    def _leave_out(self, ends):
        """Set the leaves of trees that have seen a row to -1."""
        if not self.bootstrap:
            raise ValueError("Out of bag estimation only available if bootstrap=True")
        if len(ends) != self._n_samples:
            raise ValueError(
                f"out_of_bag=True asks for the {self._n_samples} rows of fit, X has {len(ends)}."
            )
        sampling = self._drawn()
        for t, tree in enumerate(self.estimators_):
            ends[sampling.counts(tree.random_state) > 0, t] = -1


def read_levels(quantiles):
    """Return the quantiles asked for as float64; raise ValueError if they are none."""
    levels = np.asarray(quantiles, np.float64)
    if levels.ndim > 1 or not levels.size or not np.all((levels >= 0) & (levels <= 1)):
        raise ValueError(f"quantiles must be numbers from 0 to 1, got {quantiles!r}.")
    return levels
