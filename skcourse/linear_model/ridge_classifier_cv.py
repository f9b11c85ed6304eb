"""Classification by ridge regression that chooses its penalty: see `ridge_cv`, `ridge_classifier`.

Of two classes, leave-one-out predictions are judged by their sign; of several, by the largest; of
several kinds of labels, by all signs. A scorer sees the labels that the user gave.
"""

import numpy as np
from scipy import sparse

from skcourse.core.chunks import one_blas_thread
from skcourse.core.validation import StrOptions, fit_context
from skcourse.linear_model.ridge_classifier import RidgeClassifier, SignClassifier
from skcourse.linear_model.ridge_cv import RidgeSearch


class PredictedScores(SignClassifier):
    """What a scorer takes for a classifier: its decisions are made already."""

    def __init__(self, classifier=None):
        self.classifier = classifier

    def decision_function(self, X):
        """Return X."""
        return X

    def predict(self, X):
        """Return the classes for the decisions X."""
        return self.classifier._classes_of(X)

    @property
    def classes_(self):
        """The classes."""
        return self.classifier.classes_


class RidgeClassifierCV(RidgeSearch, SignClassifier):
    """Ridge classifier that chooses its penalty by cross-validation, by default leave-one-out.

    Parameters
    ----------
    alphas : float or array-like of shape (n_alphas,), default=(0.1, 1.0, 10.0)
        The penalties to choose from, see `Ridge`; positive, or not negative if `cv` is given.
    fit_intercept : bool, default=True
    scoring : str, callable or None, default=None
        The largest score wins, of several the first. None is the negative mean squared error of
        the targets 1 and -1 for leave-one-out, and accuracy for any other `cv`.
    cv : int, cross-validation generator, iterable or None, default=None
        None is leave-one-out, at the cost of little more than one fit. Anything else is a grid
        search, one fit for each penalty and fold.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, by label; they multiply those of the samples. "balanced" gives all
        classes the same total.
    store_cv_results : bool, default=False
        Keep `cv_results_`; for leave-one-out only.

    Attributes
    ----------
    cv_results_ : ndarray of shape (n_samples, n_targets, n_alphas)
        Only if `store_cv_results`: weighted squared errors, or with `scoring` the predictions of
        the targets.
    coef_ : ndarray of shape (n_features,), of two classes, or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,); 0.0 without an intercept
    alpha_ : float
    best_score_ : float
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    RidgeClassifier : With a penalty that is given.
    RidgeCV : Ridge regression that chooses its penalty.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import RidgeClassifierCV
    >>> x = np.arange(12.0)
    >>> X = np.column_stack([x, (x - 4) ** 2])
    >>> size = np.repeat(["small", "middle", "large"], 4)
    >>> model = RidgeClassifierCV(alphas=[0.01, 1.0, 100.0]).fit(X, size)
    >>> model.alpha_
    1.0
    >>> model.predict([[1, 9], [10, 36]])
    array(['small', 'large'], dtype='<U6')
    """

    _parameter_constraints: dict = RidgeSearch._parameter_constraints | {
        "class_weight": [dict, StrOptions({"balanced"}), None]
    }
    _default_score = "accuracy"

    def __init__(
        self,
        alphas=(0.1, 1.0, 10.0),
        *,
        fit_intercept=True,
        scoring=None,
        cv=None,
        class_weight=None,
        store_cv_results=False,
    ):
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.class_weight = class_weight
        self.store_cv_results = store_cv_results

    @fit_context
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty and fit the coefficients.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), of labels, or (n_samples, n_outputs), of 0 and 1
        sample_weight : float or array-like of shape (n_samples,), default=None
        **params : dict
            For the scorer and the splitter, if `enable_metadata_routing=True`.

        Returns
        -------
        self : RidgeClassifierCV
        """
        X, y, Y, weights = self._read_labels(X, y, sample_weight)
        score_params = self._score_params(weights, params)
        if self.cv is not None:
            model = RidgeClassifier(
                fit_intercept=self.fit_intercept,
                solver="sparse_cg" if sparse.issparse(X) else "auto",
            )
            self._search_folds(X, y, weights, params, model)
            return self
        scorer = None if self.scoring is None else self._scorer()

        def score(predictions):
            found = predictions[:, 0] if Y.shape[1] == 1 else predictions
            return scorer(PredictedScores(self), found, y, **score_params)

        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            choice = self._search_samples(X, Y, weights, None if scorer is None else score)
        self._keep(choice, flat=False, dtype=X.dtype)
        return self
