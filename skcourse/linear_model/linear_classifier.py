"""What linear models with scores for classes, or with sparse coefficients, share.

Score       <w_k, x> + b_k for class k; of two classes, only that of the second.
Rule        Of several classes that with the largest score; of two, by the sign.
"""

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skcourse.core.validation import check_finite_sums, read_X
from skcourse.linear_model.base import SPARSE, linear_map


def scores(estimator, X, intercept=None):
    """Return the scores of the rows of X, (n,) or (n, n_classes), whatever kind `coef_` is.

    Parameters
    ----------
    estimator : fitted estimator with `coef_` of shape (p,) or (k, p) and `intercept_` of (k,)
    X : {array-like, sparse matrix} of shape (n, p)
    intercept : array of shape (k,), default=None, in place of `intercept_`
    """
    if not hasattr(estimator, "coef_"):
        check_is_fitted(estimator)
    kinds = {"accept_sparse": list(SPARSE), "dtype": "numeric"}  # no numbers in strings
    X = read_X(estimator, X, order=None, finite=False, **kinds)
    coef, intercept = estimator.coef_, estimator.intercept_ if intercept is None else intercept
    if issparse(coef):
        check_finite_sums(X.sum(), X, estimator=estimator)
        products = X @ coef.T
        products = products.toarray() if issparse(products) else np.asarray(products)
        values = products.reshape(X.shape[0], -1) + intercept
        return values[:, 0] if values.shape[1] == 1 else values
    if len(intercept) == 1:
        coef, intercept = coef.reshape(-1), intercept[0]
    return linear_map(X, coef, intercept, estimator)


class SparseCoefficients:
    """For models of which many coefficients may be 0."""

    def densify(self):
        """Make `coef_` a dense array, as `fit` leaves it.

        Returns
        -------
        self : estimator
        """
        check_is_fitted(self, msg="Estimator, %(name)s, must be fitted before densifying.")
        if issparse(self.coef_):
            self.coef_ = self.coef_.toarray()
        return self

    def sparsify(self):
        """Make `coef_` a CSR matrix, which is smaller if more than half of it is 0.

        To go on learning, `densify` first.

        Returns
        -------
        self : estimator
        """
        check_is_fitted(self, msg="Estimator, %(name)s, must be fitted before sparsifying.")
        self.coef_ = csr_array(self.coef_)
        return self


class LinearClassifier(ClassifierMixin, SparseCoefficients, BaseEstimator):
    """Base class: scores and classes from `coef_`, `intercept_` and `classes_`."""

    def decision_function(self, X):
        """Return the score of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Of two classes that of `classes_[1]`, which is predicted where it is above 0.
        """
        return scores(self, X)

    def predict(self, X):
        """Return the class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        values = self.decision_function(X)
        if values.ndim == 1:
            return self.classes_[(values > 0).astype(np.intp)]
        return self.classes_[values.argmax(axis=1)]
