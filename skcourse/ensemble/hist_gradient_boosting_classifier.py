"""Histogram gradient boosting of classes; see `hist_gradient_boosting` for the algorithm."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from skcourse.core.validation import StrOptions
from skcourse.ensemble.boosting_losses import BoostingLoss
from skcourse.ensemble.hist_gradient_boosting import HistGradientBoosting


class HistGradientBoostingClassifier(ClassifierMixin, HistGradientBoosting):
    """A sum of trees for the log-odds of a class, or a sum for each of several classes.

    Parameters
    ----------
    loss : {"log_loss"}, default="log_loss"
        Minus the logarithm of the probability of the class that a sample has.
    learning_rate : float, default=0.1
        The share of its step that a tree goes.
    max_iter : int, default=100
        How many rounds there can be: of a tree for two classes, of a tree per class for more.
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
        1 for features with which the probability of the second class must rise, -1 for those with
        which it must fall, 0 for others; by name in a dict. Only for two classes.
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
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, times those of the samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : int
        Rounds there are.
    n_trees_per_iteration_ : int
        1 for two classes, else their number.
    do_early_stopping_ : bool
    train_score_, validation_score_ : ndarray of shape (n_iter_ + 1,)
        Scores before the first round and after each; empty without early stopping, or without
        samples held out.
    history_ : dict of str to ndarray of shape (n_iter_,)
        The mean "loss" of the training samples after each round, and "validation_loss".
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
    The corners of a square that share a colour, which no line separates:

    >>> import numpy as np
    >>> from skcourse.ensemble import HistGradientBoostingClassifier
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(400, 2))
    >>> y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
    >>> model = HistGradientBoostingClassifier(max_iter=30).fit(X, y)
    >>> model.predict([[0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])
    array(['same', 'other', 'same'], dtype='<U5')
    """

    _parameter_constraints: dict = {
        **HistGradientBoosting._parameter_constraints,
        "loss": [StrOptions({"log_loss"})],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        loss="log_loss",
        *,
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
        class_weight=None,
    ):
        self.loss = loss
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
        self.class_weight = class_weight

    def predict(self, X):
        """Predict the most probable classes.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,), of `classes_`
        """
        return self._choose(self._raw_predict(X))

    def predict_proba(self, X):
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), rows sum to 1
        """
        raw = self._raw_predict(X)
        return self._loss.proba(raw.T)

    def decision_function(self, X):
        """Return the sums of the trees: log-odds of the second class, or a score per class.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,), or (n_samples, n_classes) for more than two
        """
        return flat(self._raw_predict(X))

    def staged_predict(self, X):
        """Yield what `predict` says after each round.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        y : ndarray of shape (n_samples,)
        """
        yield from map(self._choose, self._staged_raw_predict(X))

    def staged_predict_proba(self, X):
        """Yield what `predict_proba` says after each round.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        p : ndarray of shape (n_samples, n_classes)
        """
        for raw in self._staged_raw_predict(X):
            yield self._loss.proba(raw.T)

    def staged_decision_function(self, X):
        """Yield what `decision_function` says after each round.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        yield from map(flat, self._staged_raw_predict(X))

    def _choose(self, raw):
        """Return the classes with the highest scores."""
        best = raw[:, 0] > 0 if raw.shape[1] == 1 else np.argmax(raw, axis=1)
        return self.classes_[best.astype(np.intp)]

    def _read_y(self, y, *, reset):
        """Return the numbers of the classes."""
        y = column_or_1d(y, warn=True)
        if reset:
            check_classification_targets(y)
            self._labels = LabelEncoder().fit(y)
            self.classes_ = self._labels.classes_
            self.n_trees_per_iteration_ = 1 if len(self.classes_) <= 2 else len(self.classes_)
        return self._labels.transform(y).astype(np.int32)

    def _weigh(self, y, weights):
        """Multiply the weights of the samples with those of their classes."""
        if self.class_weight is None:
            return weights
        of_classes = compute_sample_weight(self.class_weight, self.classes_[y])
        return of_classes if weights is None else weights * of_classes

    def _make_loss(self):
        """Return the loss: of two classes, even if there is only one, or of several."""
        return BoostingLoss("log_loss", n_classes=max(2, len(self.classes_)))


def flat(raw):
    """Return raw predictions as they are, or as a vector if there is one per sample."""
    return raw[:, 0] if raw.shape[1] == 1 else raw
