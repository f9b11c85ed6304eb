"""Classification by ridge regression.

Problem     A class is a target: y_ik = 1 if sample i is of class k, else -1 (two classes are one
            target, labels of several kinds one each). Then ridge regression, see `ridge`.
Rule        Of several classes that with the largest prediction; of two, by the sign.
Cost        That of ridge regression with as many targets: the matrix is factored once for all.
Reference   R. Rifkin, A. Klautau, In defense of one-vs-all classification, JMLR, 2004.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from skcourse.core.validation import FLOATS, StrOptions, check_weights, fit_context, read_X
from skcourse.linear_model.base import SPARSE, as_columns, linear_map
from skcourse.linear_model.ridge import RidgeSolver


class SignClassifier(ClassifierMixin, BaseEstimator):
    """Base class of the classifiers by regression on labels of 1 and -1."""

    def _read_labels(self, X, y, sample_weight):
        """Return X, y, Y of shape (n, t), and the weights, those of the classes included."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=list(SPARSE),
            dtype=FLOATS,
            order="C",
            multi_output=True,
            ensure_all_finite=issparse(X),  # of dense rows, the sums will tell
        )
        y, Y, classes, binarizer = encode(y)
        weights = check_weights(sample_weight, X)
        if self.class_weight:
            balance = compute_sample_weight(self.class_weight, y)
            weights = check_weights(balance if weights is None else weights * balance, X)
        self._label_binarizer, self.classes_ = binarizer, classes
        return X, y, Y, weights

    def decision_function(self, X):
        """Return how far each sample is on the positive side.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The predicted targets, between -1 and 1 or beyond; one for `classes_[1]` if there are
            two classes.
        """
        if not hasattr(self, "coef_"):
            check_is_fitted(self)
        kinds = {"accept_sparse": list(SPARSE), "dtype": "numeric"}
        X = read_X(self, X, order=None, finite=False, **kinds)
        return linear_map(X, self.coef_, self.intercept_, self)

    def predict(self, X):
        """Return the class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,), or (n_samples, n_outputs) if the labels were so
        """
        return self._classes_of(self.decision_function(X))

    def _classes_of(self, scores):
        """Return the classes for scores as of `decision_function`."""
        if self._label_binarizer is not None:
            signs = np.where(scores > 0, 1.0, -1.0).reshape(len(scores), -1)
            return self._label_binarizer.inverse_transform(signs)
        if scores.ndim == 1:
            return self.classes_[(scores > 0).astype(np.intp)]
        return self.classes_[scores.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.sparse = True
        return tags


def encode(y):
    """Code labels as 1 and -1.

    Parameters
    ----------
    y : array of shape (n,), or (n, k) of 0 and 1

    Returns
    -------
    y : array, a column made flat
    Y : array of shape (n, t), float64
    classes : array of shape (n_classes,)
    binarizer : LabelBinarizer or None
        If there are several labels for a sample; otherwise a class has a column of Y, in order.

    Raises
    ------
    ValueError
        If y is not made of labels.
    """
    if type_of_target(y, input_name="y") not in ("binary", "multiclass"):
        binarizer = LabelBinarizer(pos_label=1, neg_label=-1)
        Y = binarizer.fit_transform(y)
        return y, as_columns(Y), binarizer.classes_, binarizer
    y = column_or_1d(y, warn=True)
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) <= 2:
        return y, np.where(codes == 1, 1.0, -1.0)[:, np.newaxis], classes, None
    Y = np.full((len(y), len(classes)), -1.0)
    Y[np.arange(len(y)), codes] = 1.0
    return y, Y, classes, None


class RidgeClassifier(RidgeSolver, SignClassifier):
    """Ridge regression on classes coded as 1 and -1, and its sign.

    Parameters
    ----------
    alpha : float, default=1.0
        The penalty on the squared length of the coefficients, not negative.
    fit_intercept : bool, default=True
    copy_X : bool, default=True
        Of no effect, see `Ridge`.
    max_iter : int, default=None
        See `Ridge`.
    tol : float, default=1e-4
        See `Ridge`.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, by label; they multiply those of the samples. "balanced" gives all
        classes the same total.
    solver : {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}, \
            default="auto"
        See `Ridge`.
    positive : bool, default=False
        Keep the coefficients from being negative.
    random_state : int, RandomState instance or None, default=None
        Draws the samples of "sag" and "saga".

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), of two classes, or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,); 0.0 without an intercept
    n_iter_ : ndarray of shape (n_targets,), int32, or None
    solver_ : str
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    RidgeClassifierCV : Chooses alpha by cross-validation.
    Ridge : Ridge regression.

    Examples
    --------
    >>> from skcourse.linear_model import RidgeClassifier
    >>> model = RidgeClassifier().fit([[0.0], [1.0], [2.0], [3.0]], ["a", "a", "b", "b"])
    >>> model.predict([[0.5], [2.5]])
    array(['a', 'b'], dtype='<U1')
    """

    _parameter_constraints: dict = RidgeSolver._parameter_constraints | {
        "class_weight": [dict, StrOptions({"balanced"}), None]
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=None,
        tol=1e-4,
        class_weight=None,
        solver="auto",
        positive=False,
        random_state=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.class_weight = class_weight
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the coefficients.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), of labels, or (n_samples, n_outputs), of 0 and 1
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : RidgeClassifier
        """
        X, _, Y, weights = self._read_labels(X, y, sample_weight)
        self._keep(self._solve(X, Y, weights), flat=False, dtype=X.dtype)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._takes_sparse()
        return tags
