"""Histogram gradient boosting of numbers; see `hist_gradient_boosting` for the algorithm."""

from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, column_or_1d

from skcourse.core.validation import Interval, StrOptions
from skcourse.ensemble.boosting_losses import BoostingLoss
from skcourse.ensemble.hist_gradient_boosting import HistGradientBoosting


class HistGradientBoostingRegressor(RegressorMixin, HistGradientBoosting):
    """A sum of trees for a number, each of which lowers the loss that those before it leave.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "gamma", "poisson", "quantile"}, \
            default="squared_error"
        What is lowered. With "gamma" and "poisson" the trees add up to the logarithm of the mean.
    quantile : float, default=None
        Which quantile, between 0 and 1, if `loss` is "quantile".
    learning_rate : float, default=0.1
        The share of its step that a tree goes.
    max_iter : int, default=100
        How many trees there can be.
    max_leaf_nodes : int or None, default=31
        Leaves of a tree; None for any number.
    max_depth : int or None, default=None
        Levels of a tree below its root.
    min_samples_leaf : int, default=20
        Samples in a leaf, whatever their weights.
    l2_regularization : float, default=0.0
        Added to the sum of curvatures of a leaf, which makes its step shorter.
    max_features : float, default=1.0
        The share of features, drawn anew for each split, that it may look at.
    max_bins : int, default=255
        Bins of a feature, beside that of missing values.
    categorical_features : array-like of bool, int or str, "from_dtype" or None, \
            default="from_dtype"
        Which features are categories: a mask, indices, names, or the columns of a dataframe whose
        dtype says so. Categories that `fit` did not see count as missing.
    monotonic_cst : array-like of int, dict or None, default=None
        1 for features with which the prediction must rise, -1 for those with which it must fall, 0
        for others; by name in a dict.
    interaction_cst : "pairwise", "no_interactions", sequence of sequences of int or None, \
            default=None
        Sets of features that may meet on the way to a leaf.
    warm_start : bool, default=False
        Whether `fit` adds trees to those of the fit before.
    early_stopping : "auto" or bool, default="auto"
        Whether to stop when scores no longer improve. "auto" does beyond 10,000 samples.
    scoring : str, callable or None, default="loss"
        What early stopping judges by; None is `score`.
    validation_fraction : int, float or None, default=0.1
        Samples held out to be judged by; None to judge by the training samples.
    n_iter_no_change : int, default=10
        How many scores without improvement are waited for.
    tol : float, default=1e-7
        What a score must gain to be an improvement.
    verbose : int, default=0
        Whether to print the losses of each iteration.
    random_state : int, RandomState instance or None, default=None
        Drives the choice of samples held out, of those that bins are made of beyond 200,000, and
        of features.

    Attributes
    ----------
    n_iter_ : int
        Trees there are.
    n_trees_per_iteration_ : int, 1
    do_early_stopping_ : bool
    train_score_, validation_score_ : ndarray of shape (n_iter_ + 1,)
        Scores before the first tree and after each; empty without early stopping, or without
        samples held out.
    history_ : dict of str to ndarray of shape (n_iter_,)
        The mean "loss" of the training samples after each tree, and "validation_loss".
    feature_importances_ : ndarray of shape (n_features_in_,)
        Shares of the features in what all splits gained.
    is_categorical_ : ndarray of shape (n_features_in_,), bool, or None
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    A missing value goes to the side of a split where it lowers the loss more; where none was
    missing in the split, to the side with more samples. All cores that the process may use are
    used (``OMP_NUM_THREADS`` is respected), and change no bit.

    References
    ----------
    J. Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics,
    2001.
    G. Ke et al., LightGBM: a highly efficient gradient boosting decision tree, NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.ensemble import HistGradientBoostingRegressor
    >>> x = np.linspace(0, 1, 200)[:, np.newaxis]
    >>> y = np.where(x[:, 0] < 0.5, 1.0, 3.0)
    >>> model = HistGradientBoostingRegressor(max_iter=50).fit(x, y)
    >>> model.predict([[0.2], [0.8], [np.nan]]).round(1)
    array([1., 3., 3.])
    >>> model.history_["loss"][[0, 9, 49]].round(2)
    array([0.4 , 0.06, 0.  ])
    """

    _parameter_constraints: dict = {
        **HistGradientBoosting._parameter_constraints,
        "loss": [StrOptions({"squared_error", "absolute_error", "poisson", "gamma", "quantile"})],
        "quantile": [Interval(Real, 0, 1, closed="both"), None],
    }

    def __init__(
        self,
        loss="squared_error",
        *,
        quantile=None,
        learning_rate=0.1,
        max_iter=100,
        max_leaf_nodes=31,
        max_depth=None,
        min_samples_leaf=20,
        l2_regularization=0.0,
        max_features=1.0,
        max_bins=255,
        categorical_features="from_dtype",
        monotonic_cst=None,
        interaction_cst=None,
        warm_start=False,
        early_stopping="auto",
        scoring="loss",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-7,
        verbose=0,
        random_state=None,
    ):
        self.loss = loss
        self.quantile = quantile
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state

    def predict(self, X):
        """Predict the mean of y, or its median or quantile, as the loss has it.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,), float64
        """
        raw = self._raw_predict(X)
        return self._loss.mean(raw.T)

    def staged_predict(self, X):
        """Yield what `predict` says after each iteration.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        y : ndarray of shape (n_samples,)
        """
        for raw in self._staged_raw_predict(X):
            yield self._loss.mean(raw.T)

    def _read_y(self, y, *, reset):
        """Return y as float64, of the domain of the loss."""
        y = column_or_1d(y, warn=True)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        self.n_trees_per_iteration_ = 1
        if self.loss == "gamma" and not np.all(y > 0):
            raise ValueError("loss='gamma' requires strictly positive y.")
        if self.loss == "poisson" and not (np.all(y >= 0) and np.sum(y) > 0):
            raise ValueError("loss='poisson' requires non-negative y and sum(y) > 0.")
        return y

    def _make_loss(self):
        """Return the loss; the quantile must be there if it is asked for."""
        if self.loss != "quantile":
            return BoostingLoss(self.loss)
        if self.quantile is None:
            raise ValueError("loss='quantile' needs a `quantile` between 0 and 1.")
        return BoostingLoss("quantile", quantile=self.quantile)
