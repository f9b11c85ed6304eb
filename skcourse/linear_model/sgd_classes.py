"""Classes by stochastic gradient descent: what `SGDClassifier` and `Perceptron` share.

Two classes     y = 1 for the second of them, else -1; one descent.
Several         A descent for each class against the rest, at the same time on several threads.
Weights         The weight of a sample times that of its class; of the rest, 1 if there are several.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import validate_data

from skcourse.core.history import SILENCE, fit_task
from skcourse.core.validation import FLOATS, check_weights, fit_context, read_X
from skcourse.linear_model.linear_classifier import LinearClassifier
from skcourse.linear_model.sgd_base import StochasticDescent, pack
from skcourse.linear_model.sgd_descent import make_rules
from skcourse.linear_model.sgd_order import seeds_of_classifier

NAMES = "biuU"  # kinds of dtype of which all values can be names of classes
NO_BALANCE = (
    "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, "
    "use compute_class_weight('balanced', classes=classes, y=y). In place of y you can use a large "
    "enough sample of the full training set target to properly estimate the class frequency "
    "distributions. Pass the resulting weights as the class_weight parameter."
)


class DescentClassifier(StochasticDescent, LinearClassifier):
    """Base class: `fit` and `partial_fit`."""

    _seeds = staticmethod(seeds_of_classifier)

    @fit_context
    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        """Fit the coefficients.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), of labels
        coef_init : array-like of shape (n_classes, n_features), or (1, n_features) of two \
                classes, default=None
            Where to begin; None is 0, or the last fit with `warm_start`.
        intercept_init : array-like of shape (n_classes,) or (1,), default=None
        sample_weight : float or array-like of shape (n_samples,), default=None
            They lengthen or shorten the steps.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there is only one class; if the steps are so long that numbers overflow; for
            parameters that do not go together.
        """
        self._check_choices()
        X, y, weights = self._read(X, y, sample_weight, reset=True)
        classes, codes = np.unique(y, return_inverse=True)
        if classes.dtype.kind not in NAMES:
            check_classification_targets(classes)
        starts = self._begin(descents_for(classes), X.shape[1], coef_init, intercept_init)
        n_parts = self.max_iter if len(starts) == 1 else len(starts)
        task = fit_task(self, X, y, sample_weight, max_subtasks=n_parts)
        balance = self._class_weights(classes, y)
        labels = (classes, codes, balance)
        self._keep(self._learn(X, labels, weights, starts, max_iter=self.max_iter, task=task))
        task.end()
        self._warn()
        return self

    @fit_context
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Learn from more rows, in one epoch.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), of labels
        classes : array-like of shape (n_classes,), default=None
            All the labels that will ever come; needed in the first call.
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : estimator
        """
        first = not hasattr(self, "classes_")
        if first:
            self._check_choices(partial=True)
            if self.class_weight == "balanced":
                raise ValueError(NO_BALANCE)
        classes = self._all_classes(classes)
        X, y, weights = self._read(X, y, sample_weight, reset=first)
        if first:
            starts = self._first_start(descents_for(classes), X.shape[1], None, None)
        else:
            starts = self._next_start()
        balance = self._class_weights(classes, y)
        codes = np.searchsorted(classes, y)
        codes[classes[np.minimum(codes, len(classes) - 1)] != y] = -1  # of none of the classes
        labels = (classes, codes, balance)
        self._keep(self._learn(X, labels, weights, starts, max_iter=1, task=SILENCE))
        return self

    def _class_weights(self, classes, y):
        """Return the weight of each class."""
        if self.class_weight is None:
            return np.ones(len(classes))
        return compute_class_weight(self.class_weight, classes=classes, y=y)

    def _all_classes(self, classes):
        """Return the classes of all calls of `partial_fit`."""
        known = getattr(self, "classes_", None)
        if known is None and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is None:
            return known
        given = unique_labels(classes)
        if known is not None and not np.array_equal(known, given):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{known!r}"
            )
        return given

    def _read(self, X, y, sample_weight, *, reset):
        """Return X, y and the weights, or None for them."""
        plain = type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in NAMES
        if plain and type(X) is np.ndarray and len(X) == len(y):
            X = read_X(self, X, reset=reset)
        else:
            options = {"accept_sparse": "csr", "dtype": FLOATS, "order": "C"}
            X, y = validate_data(self, X, y, reset=reset, **options)
        zero = bool(self.early_stopping)  # then it is the rows kept back that may not all weigh 0
        return X, y, check_weights(sample_weight, X, non_negative=False, zero=zero)

    def _learn(self, X, labels, weights, starts, *, max_iter, task):
        """Run the descents; return the fitted attributes.

        `labels` are the classes, the number of the class of each row, and the weights of the
        classes.
        """
        classes, codes, balance = labels
        self._fitted_classes = classes
        kept_back = self._kept_back(codes, weights, StratifiedShuffleSplit)
        rules = make_rules(self, self._loss(), alpha=self.alpha, sparse=issparse(X))
        judges = {"validate": None}
        if kept_back is not None:
            rows = X[kept_back]
            importance = None if weights is None else weights[kept_back]

            def accuracy(k, w, b):
                """Return the share of the rows kept back that are on the right side."""
                positive = codes[kept_back] == (k if len(starts) > 1 else 1)
                return np.average((rows @ w + b > 0) == positive, weights=importance)

            judges = {"validate": accuracy, "kept_back": kept_back}

        def samples(k):
            """Return class k against the rest."""
            positive = codes == (k if len(starts) > 1 else 1)
            rest, own = (1.0, balance[k]) if len(starts) > 1 else balance
            importance = np.where(positive, own, rest)
            together = importance if weights is None else importance * weights
            return pack(np.where(positive, 1.0, -1.0), together)

        descents = self._descend(X, rules, starts, samples, max_iter=max_iter, task=task, **judges)
        del self._fitted_classes
        return self._attributes(descents, X) | {"classes_": classes}

    def _attributes(self, descents, X):
        """Return the fitted attributes, in a fit those of two classes as of now."""
        known = getattr(self, "_fitted_classes", None)
        return super()._attributes(descents, X) | ({} if known is None else {"classes_": known})

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def descents_for(classes):
    """Return how many descents there are: one for two classes, else one for each.

    Raises
    ------
    ValueError
        If there is only one class.
    """
    if len(classes) < 2:
        raise ValueError(
            f"The number of classes has to be greater than one; got {len(classes)} class"
        )
    return 1 if len(classes) == 2 else len(classes)
