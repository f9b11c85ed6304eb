"""Gradient boosting of classes. The iteration is told in `gradient_boosting`."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skcourse.core.validation import HasMethods, StrOptions
from skcourse.ensemble.boosting_losses import BoostingLoss
from skcourse.ensemble.gradient_boosting import GradientBoosting
from skcourse.ensemble.gradient_boosting_base import fit_init


class GradientBoostingClassifier(ClassifierMixin, GradientBoosting):
    """Predict a class by a sum of small trees, each grown on what the others leave.

    Parameters
    ----------
    loss : {"log_loss", "exponential"}, default="log_loss"
        Minus the log-likelihood of the classes; or, of two classes, the loss of AdaBoost.
    learning_rate : float, default=0.1
        The share of each tree that is added.
    n_estimators : int, default=100
        Iterations, at most; of more than two classes, each takes a tree per class.
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
        Makes the first guess, by `predict_proba`, from X in float32 with categories as codes. None
        is the shares of the classes.
    random_state : int, RandomState instance or None, default=None
        Draws samples, rows to hold out, and the order in which features are looked at.
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        How many features, or which share, compete for a split.
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
        1, 0 or -1 for each feature: the probability of the second of two classes rises, may do
        anything, or falls with it.
    interaction_cst : {"pairwise", "no_interactions"} or sequence of sequences of int, default=None
        Sets of features that may meet on the way to a leaf.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_classes_ : int
    estimators_ : ndarray of DecisionTreeRegressor of shape (n_estimators_, n_trees_per_iteration_)
    n_estimators_ : int, iterations done
    n_trees_per_iteration_ : int, 1 for two classes, else a tree per class
    init_ : estimator or "zero"
    train_score_ : ndarray of shape (n_estimators_,)
        The mean loss, after each iteration, of the rows it was fitted to; of two classes twice the
        log-loss, for compatibility.
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
    The exclusive or, which no line divides and no single split improves:

    >>> from skcourse.ensemble import GradientBoostingClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1], [0.1, 0]], ["no", "yes", "yes", "no", "no"]
    >>> model = GradientBoostingClassifier(n_estimators=20, random_state=0).fit(X, y)
    >>> model.predict([[0.9, 0.2], [0.8, 0.9]])
    array(['yes', 'no'], dtype='<U3')
    """

    _parameter_constraints: dict = {
        **GradientBoosting._parameter_constraints,
        "loss": [StrOptions({"log_loss", "exponential"})],
        "init": [StrOptions({"zero"}), None, HasMethods(["fit", "predict_proba"])],
    }

    def __init__(
        self,
        *,
        loss="log_loss",
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
        check_classification_targets(y)
        self.classes_, codes = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        self.n_classes_ = len(self.classes_)
        self.n_trees_per_iteration_ = 1 if self.n_classes_ <= 2 else self.n_classes_
        n_there = np.count_nonzero(np.bincount(codes, weights))
        if n_there < 2:
            raise ValueError(
                f"y contains {n_there} class after sample_weight trimmed classes with zero "
                "weights, while a minimum of 2 classes are required."
            )
        return codes.astype(np.int32)

    def _read_y_val(self, y):
        y = column_or_1d(y, warn=True)
        unseen = np.setdiff1d(y, self.classes_)
        if len(unseen):
            raise ValueError(f"y_val contains previously unseen labels: {unseen.tolist()}")
        return np.searchsorted(self.classes_, y).astype(np.int32)

    def _make_loss(self):
        if self.loss == "exponential" and self.n_classes_ > 2:
            raise ValueError(
                f"loss='{self.loss}' is only suitable for a binary classification problem, you "
                f"have n_classes={self.n_classes_}. Please use loss='log_loss' instead."
            )
        return BoostingLoss(self.loss, self.n_classes_)

    def _default_init(self, rows):
        return fit_init(DummyClassifier(strategy="prior"), rows)

    def _classes_of(self, raw):
        """Return the classes that raw predictions (n, n_raw) speak for."""
        if raw.shape[1] == 1:
            return self.classes_.take(raw[:, 0] >= 0)
        return self.classes_.take(raw.argmax(axis=1))

    def decision_function(self, X):
        """Return the sum of the trees.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        raw : float64 array of shape (n_samples,), or (n_samples, n_classes) for more than two
        """
        raw = self._raw_predict(X)
        return raw.ravel() if raw.shape[1] == 1 else raw

    def staged_decision_function(self, X):
        """Return the sum of the trees after each iteration.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        raw : float64 array of shape (n_samples, n_trees_per_iteration_)
        """
        yield from self._staged_raw_predict(X)

    def predict(self, X):
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return self._classes_of(self._raw_predict(X))

    def staged_predict(self, X):
        """Return the most probable classes after each iteration.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        y : ndarray of shape (n_samples,)
        """
        for raw in self._staged_raw_predict(X):
            yield self._classes_of(raw)

    def predict_proba(self, X):
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        proba : float64 array of shape (n_samples, n_classes)
        """
        raw = self._raw_predict(X)
        return self._loss.proba(raw.T)

    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        log_proba : float64 array of shape (n_samples, n_classes)
        """
        return np.log(self.predict_proba(X))

    def staged_predict_proba(self, X):
        """Return the probability of each class after each iteration.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        proba : float64 array of shape (n_samples, n_classes)
        """
        for raw in self._staged_raw_predict(X):
            yield self._loss.proba(raw.T)
