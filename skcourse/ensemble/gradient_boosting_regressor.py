"""Gradient boosting of numbers. The iteration is told in `gradient_boosting`."""

from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.utils import column_or_1d

from skcourse.core.validation import HasMethods, Interval, StrOptions
from skcourse.ensemble.boosting_losses import BoostingLoss
from skcourse.ensemble.boosting_quantiles import quantile_of
from skcourse.ensemble.gradient_boosting import GradientBoosting
from skcourse.ensemble.gradient_boosting_base import fit_init


class GradientBoostingRegressor(RegressorMixin, GradientBoosting):
    """Predict a number by a sum of small trees, each grown on what the others leave.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber", "quantile"}, default="squared_error"
        What is lowered: squares find means, absolute errors medians, "huber" is square near the
        predictions and straight beyond the `alpha`-quantile of the errors, and "quantile" finds
        the `alpha`-quantile.
    learning_rate : float, default=0.1
        The share of each tree that is added.
    n_estimators : int, default=100
        Iterations, at most.
    subsample : float, default=1.0
        The share of rows, drawn anew, that each tree sees.
    criterion : {"squared_error"}, default="deprecated"
        For compatibility: trees divide the slopes by their squared error.
    min_samples_split : int or float, default=2
        Rows, or their share, that a node needs to be split.
    min_samples_leaf : int or float, default=1
        Rows, or their share, in each leaf.
    min_weight_fraction_leaf : float, default=0.0
        Share of the weight in each leaf.
    max_depth : int or None, default=3
    min_impurity_decrease : float, default=0.0
        What a split must gain.
    init : estimator or "zero", default=None
        Makes the first guess, from X in float32 with categories as codes. None is the mean, or for
        the other losses the median or quantile.
    random_state : int, RandomState instance or None, default=None
        Draws samples, rows to hold out, and the order in which features are looked at.
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        How many features, or which share, compete for a split.
    alpha : float, default=0.9
        Of "huber" and "quantile".
    verbose : int, default=0
        1: print some of the iterations; 2: all of them.
    max_leaf_nodes : int or None, default=None
        Grow the leaf that gains most, up to so many.
    warm_start : bool, default=False
        Go on with the trees of the last fit.
    validation_fraction : float, default=0.1
        The share of rows held out, if `n_iter_no_change` is set.
    n_iter_no_change : int or None, default=None
        Stop when the loss of the rows held out has not got better, by `tol`, than the best of so
        many iterations before. None never stops.
    tol : float, default=1e-4
    ccp_alpha : float, default=0.0
        The price of a leaf, by which trees are pruned.
    categorical_features : array-like of bool, int or str, "from_dtype" or None, default=None
        Columns that hold categories: a mask, indices, names, or those that a dataframe says so of.
        A split sends a set of them to the left.
    monotonic_cst : array-like of int, dict or None, default=None
        1, 0 or -1 for each feature: predictions rise, may do anything, or fall with it.
    interaction_cst : {"pairwise", "no_interactions"} or sequence of sequences of int, default=None
        Sets of features that may meet on the way to a leaf.

    Attributes
    ----------
    estimators_ : ndarray of DecisionTreeRegressor of shape (n_estimators_, 1)
    n_estimators_ : int, iterations done
    n_trees_per_iteration_ : int, 1
    init_ : estimator or "zero"
    train_score_ : ndarray of shape (n_estimators_,)
        The mean loss, after each iteration, of the rows it was fitted to; whole squares, for
        compatibility, not half of them.
    oob_improvement_ : ndarray of shape (n_estimators_,)
        How much each iteration lowered the loss of the rows that it had not seen. Only if
        `subsample` < 1.
    oob_scores_ : ndarray of shape (n_estimators_,)
        The loss of these rows after each iteration. Only if `subsample` < 1.
    oob_score_ : float
        The last of `oob_scores_`. Only if `subsample` < 1.
    history_ : dict of str to ndarray of shape (n_estimators_,)
        "loss", which is `train_score_`, and with rows to be judged by, "validation_loss".
    feature_importances_ : ndarray of shape (n_features,), adds up to 1
    max_features_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only if X has feature names that are all strings.

    Notes
    -----
    For one `random_state` the trees are those of scikit-learn, whatever the number of threads.
    NaN is missing: each split learns to which side it goes.

    References
    ----------
    J. Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics
    29, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.ensemble import GradientBoostingRegressor
    >>> X = np.linspace(0, 6, 50).reshape(-1, 1)
    >>> model = GradientBoostingRegressor(n_estimators=50).fit(X, np.sin(X[:, 0]))
    >>> model.predict([[np.pi / 2], [np.pi]]).round(2)
    array([ 0.97, -0.04])
    >>> model.history_["loss"][[0, 4, 9]].round(3)
    array([0.419, 0.188, 0.07 ])
    """

    _parameter_constraints: dict = {
        **GradientBoosting._parameter_constraints,
        "loss": [StrOptions({"squared_error", "absolute_error", "huber", "quantile"})],
        "init": [StrOptions({"zero"}), None, HasMethods(["fit", "predict"])],
        "alpha": [Interval(Real, 0.0, 1.0, closed="neither")],
    }

    def __init__(
        self,
        *,
        loss="squared_error",
        learning_rate=0.1,
        n_estimators=100,
        subsample=1.0,
        criterion="deprecated",
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_depth=3,
        min_impurity_decrease=0.0,
        init=None,
        random_state=None,
        max_features=None,
        alpha=0.9,
        verbose=0,
        max_leaf_nodes=None,
        warm_start=False,
        validation_fraction=0.1,
        n_iter_no_change=None,
        tol=1e-4,
        ccp_alpha=0.0,
        categorical_features=None,
        monotonic_cst=None,
        interaction_cst=None,
    ):
        self.loss = loss
        self.learning_rate = learning_rate
        self.n_estimators = n_estimators
        self.subsample = subsample
        self.criterion = criterion
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_depth = max_depth
        self.min_impurity_decrease = min_impurity_decrease
        self.init = init
        self.random_state = random_state
        self.max_features = max_features
        self.alpha = alpha
        self.verbose = verbose
        self.max_leaf_nodes = max_leaf_nodes
        self.warm_start = warm_start
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.ccp_alpha = ccp_alpha
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst

    def _read_y(self, y, weights):
        self.n_trees_per_iteration_ = 1
        return column_or_1d(y, warn=True).astype(np.float64)

    def _read_y_val(self, y):
        return column_or_1d(y, warn=True).astype(np.float64)

    def _make_loss(self):
        return BoostingLoss(self.loss, quantile=self.alpha, interpolate=False)

    def _default_init(self, rows):
        if self.loss == "squared_error":
            return fit_init(DummyRegressor(strategy="mean"), rows)
        quantile = self.alpha if self.loss == "quantile" else 0.5
        init = fit_init(DummyRegressor(strategy="quantile", quantile=quantile), rows)
        if rows.weights is not None:  # theirs is another quantile then; a weight is a repetition
            best = quantile_of(rows.y, rows.weights, quantile, interpolate=True)
            init.constant_ = np.array([[best]])
        return init

    def predict(self, X):
        """Predict y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,), float64
        """
        return self._raw_predict(X).ravel()

    def staged_predict(self, X):
        """Predict y after each iteration.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        y : ndarray of shape (n_samples,), float64
        """
        for raw in self._staged_raw_predict(X):
            yield raw.ravel()

    def apply(self, X):
        """Return the leaf that each sample comes to, in each tree.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        leaves : float64 array of shape (n_samples, n_estimators_)
        """
        return super().apply(X)[:, :, 0]
