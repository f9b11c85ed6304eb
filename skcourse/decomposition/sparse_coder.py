"""Sparse codes as a transformer: with a dictionary that is given, or that was learned.

Problem     (1) and (2) of `sparse_encode`, for the rows that come.
Inverse     A code u stands for the row u D.
Signs       A code may be split into its positive and its negative part, twice as many numbers, none
            of them negative: a linear classifier can then weigh u_j > 0 and u_j < 0 differently.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skcourse.core.validation import FLOATS, Interval, StrOptions, fit_context, read_X
from skcourse.decomposition.sparse_encode import (
    ALGORITHMS,
    check_positive_coding,
    coding,
    encode,
)

CODING_CONSTRAINTS = {
    "transform_algorithm": [StrOptions(set(ALGORITHMS))],
    "transform_n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
    "transform_alpha": [Interval(Real, 0, None, closed="left"), None],
    "split_sign": ["boolean"],
    "n_jobs": [Integral, None],
    "positive_code": ["boolean"],
    "transform_max_iter": [Interval(Integral, 0, None, closed="left")],
}


class SparseCoding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base class: codes rows with `components_`, and back.

    It has the parameters of `CODING_CONSTRAINTS`.
    """

    def transform(self, X):
        """Code rows as sums of few atoms.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_components)
            Twice as many columns if `split_sign`.
        """
        check_is_fitted(self)
        return self._code(self._read(X), self.components_)

    def inverse_transform(self, X):
        """Return the rows that codes stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Twice as many columns if `split_sign`.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        return self._decode(X, self.components_)

    def _read(self, X, *, reset=False):
        """Return X as rows of floats; strings are refused, as by scikit-learn."""
        X = read_X(self, X, reset=reset, dtype="numeric")
        return X if X.dtype in FLOATS else X.astype(np.float64)

    def _code(self, X, dictionary):
        """Code validated rows."""
        alpha = self.transform_alpha
        how = coding(
            self.transform_algorithm,
            dictionary.shape,
            alpha=getattr(self, "alpha", None) if alpha is None else alpha,
            n_nonzero_coefs=self.transform_n_nonzero_coefs,
            max_iter=self.transform_max_iter,
            positive=self.positive_code,
        )
        check_positive_coding(how.algorithm, how.positive)
        codes = encode(X, dictionary, how, n_jobs=self.n_jobs)
        if self.split_sign:
            return np.hstack([np.maximum(codes, 0), -np.minimum(codes, 0)])
        return codes

    def _decode(self, codes, dictionary):
        """Multiply codes by the dictionary."""
        codes = check_array(codes, dtype=FLOATS)
        k = len(dictionary)
        expected = 2 * k if self.split_sign else k
        if codes.shape[1] != expected:
            raise ValueError(
                "The number of components in the code is different from the number of components "
                f"in the dictionary.Expected {expected}, got {codes.shape[1]}."
            )
        if self.split_sign:
            codes = codes[:, :k] - codes[:, k:]
        return codes @ dictionary

    @property
    def _n_features_out(self):
        return len(self.components_) * (1 + self.split_sign)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class SparseCoder(SparseCoding):
    """Code rows as sums of few atoms of a dictionary that is given.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        An atom per row; atoms of length 1 are treated alike.
    transform_algorithm : {"lasso_lars", "lasso_cd", "lars", "omp", "threshold"}, default="omp"
        As the `algorithm` of `sparse_encode`.
    transform_n_nonzero_coefs : int, default=None
        The most atoms of a row for "omp", and the lines of the path for "lars". None is a tenth of
        the features, and at least 1.
    transform_alpha : float, default=None
        The penalty of "lasso_lars" and "lasso_cd", and the threshold of "threshold"; None is 1.
    split_sign : bool, default=False
        Whether to return the positive and the negative parts of codes as columns of their own.
    n_jobs : int, default=None
        Threads; None is 1 unless a joblib context says otherwise, -1 all cores.
    positive_code : bool, default=False
        Keep codes from being negative; not for "omp" and "lars".
    transform_max_iter : int, default=1000
        The most sweeps of "lasso_cd", and lines of the path of "lasso_lars".

    Attributes
    ----------
    n_components_ : int
        Number of atoms.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    See Also
    --------
    DictionaryLearning : Learns the dictionary.
    sparse_encode : The same as a function.

    Examples
    --------
    >>> from skcourse.decomposition import SparseCoder
    >>> strokes = [[1.0, 0.0, 0.0], [0.0, 0.6, 0.8], [0.0, 0.0, 1.0]]
    >>> coder = SparseCoder(strokes, transform_n_nonzero_coefs=2)
    >>> coder.transform([[2.0, 0.0, 1.0], [1.0, 3.0, 4.0]])
    array([[2., 0., 1.],
           [1., 5., 0.]])
    """

    _parameter_constraints: dict = {"dictionary": ["array-like"]} | CODING_CONSTRAINTS

    def __init__(
        self,
        dictionary,
        *,
        transform_algorithm="omp",
        transform_n_nonzero_coefs=None,
        transform_alpha=None,
        split_sign=False,
        n_jobs=None,
        positive_code=False,
        transform_max_iter=1000,
    ):
        self.dictionary = dictionary
        self.transform_algorithm = transform_algorithm
        self.transform_n_nonzero_coefs = transform_n_nonzero_coefs
        self.transform_alpha = transform_alpha
        self.split_sign = split_sign
        self.n_jobs = n_jobs
        self.positive_code = positive_code
        self.transform_max_iter = transform_max_iter

    @fit_context
    def fit(self, X, y=None):
        """Look whether X suits the dictionary; there is nothing to learn.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self : SparseCoder
        """
        X = self._read(X, reset=True)
        self.n_components_ = len(self._dictionary(X))
        return self

    def transform(self, X, y=None):
        """Code rows as sums of few atoms.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_components)
            Twice as many columns if `split_sign`.
        """
        X = check_array(validate_data(self, X, reset=False), dtype=FLOATS, order="C")
        return self._code(X, self._dictionary(X))

    def inverse_transform(self, X):
        """Return the rows that codes stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Twice as many columns if `split_sign`.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
        """
        return self._decode(X, check_array(self.dictionary, dtype=FLOATS))

    def _dictionary(self, X):
        """Return the dictionary as an array; ValueError if X has another number of features."""
        dictionary = check_array(self.dictionary, dtype=FLOATS, input_name="dictionary")
        if X.shape[1] != dictionary.shape[1]:
            raise ValueError(
                "Dictionary and X have different numbers of features:"
                f"dictionary.shape: {dictionary.shape} X.shape: {X.shape}"
            )
        return dictionary

    @property
    def _n_features_out(self):
        return self.n_components_ * (1 + self.split_sign)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
