"""Models that are a first guess and a sum of trees: reading their rows, and predicting.

What is predicted is F(x) = F_0(x) + eta sum_t f_t(x), a number for each raw prediction of the loss;
see `gradient_boosting` for how the trees are found.
"""

from abc import ABCMeta, abstractmethod

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from skcourse.core.validation import check_weights
from skcourse.ensemble.early_stopping import Rows
from skcourse.tree.base import sorted_columns
from skcourse.tree.categories import CategoryEncoder, read_table
from skcourse.tree.explain import ShapMixin, Terms
from skcourse.tree.walk import add_values, leaves, pack

EPS = np.finfo(np.float64).eps


class Packed:
    """The trees as one table, made when it is first asked for, and not pickled."""

    def __init__(self):
        self.kept = None, None, None

    def of(self, estimators, learning_rate):
        """Return the Walk through `estimators`, anew if these are not those of last time."""
        known, rate, walk = self.kept
        if known is not estimators or rate != learning_rate:
            n_rounds, n_raw = estimators.shape
            trees = [tree.tree_.nodes for tree in estimators.flat]
            columns = np.tile(np.arange(n_raw), n_rounds)
            walk = pack(trees, scale=learning_rate, columns=columns)
            self.kept = estimators, learning_rate, walk
        return walk

    def __reduce__(self):
        """Leave the table behind."""
        return Packed, ()


class BoostedTrees(ShapMixin, CallbackSupportMixin, BaseEstimator, metaclass=ABCMeta):
    """A first guess and a sum of trees; a subclass brings y, the loss and the fit."""

    @abstractmethod
    def _read_y(self, y, weights):
        """Return y as the loss takes it; learn the classes."""

    @abstractmethod
    def _read_y_val(self, y):
        """Return the y of validation rows as the loss takes it."""

    @abstractmethod
    def _make_loss(self):
        """Return the BoostingLoss that the parameters ask for."""

    @abstractmethod
    def _default_init(self, rows):
        """Return the estimator that guesses first where `init` is None, fitted."""

    def _read_rows(self, X, y, sample_weight):
        """Return the training data; learn categories, classes and names of features."""
        if y is None:
            validate_data(self, X, y)  # says that y is required
        self._encoder = CategoryEncoder(self.categorical_features).fit(X)
        X = self._read_X(X, reset=True)
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y", estimator=self)
        check_consistent_length(X, y)
        weights = check_weights(sample_weight, X, dtype=np.float64)
        return Rows(X, self._read_y(y, weights), weights)

    def _read_X(self, X, *, reset=False):
        """Return X as float32, categories as codes; CSR if sparse."""
        X = read_table(self, X, reset=reset, encoder=self._encoder, accept_sparse="csr")
        return sorted_columns(X) if issparse(X) else X

    def _read_validation(self, X, y, sample_weight):
        """Return the rows that `fit` was given to be judged by; None if there are none."""
        if X is None and y is None:
            return None
        if y is None:
            raise ValueError("X_val is provided, but y_val was not provided.")
        if X is None:
            raise ValueError("y_val is provided, but X_val was not provided.")
        X = self._read_X(X)
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y_val", estimator=self)
        check_consistent_length(X, y)
        weights = check_weights(sample_weight, X, dtype=np.float64)
        return Rows(X, self._read_y_val(y), weights)

    def _first_guess(self, X):
        """Return F_0 of (1), float64 (n_raw, n)."""
        loss, n = self._loss, X.shape[0]
        if isinstance(self.init_, str):
            return np.zeros((loss.n_raw, n))
        if loss.n_classes is None:
            return loss.raw_of_means(self.init_.predict(X).ravel())
        shares = np.clip(self.init_.predict_proba(X), EPS, 1 - EPS, dtype=np.float64)
        return loss.raw_of_shares(shares)

    def _raw_of_rows(self, X):
        """Return the raw predictions of X, (n_raw, n), added up tree by tree as a fit does."""
        raw = self._start_of(X)
        for trees in self.estimators_:
            for k, tree in enumerate(trees):
                raw[k] += self.learning_rate * tree.tree_.predict(X)[:, 0]
        return raw

    def _start_of(self, X):
        """Return F_0 of the rows of X, (n_raw, n)."""
        if self._constant is None:
            return np.ascontiguousarray(self._first_guess(X))
        return np.repeat(self._constant[:, np.newaxis], X.shape[0], axis=1)

    def _raw_predict(self, X):
        """Return the raw predictions of X, (n, n_raw)."""
        if not hasattr(self, "estimators_"):
            check_is_fitted(self)
        X = self._read_X(X)
        raw = np.ascontiguousarray(self._start_of(X).T)
        return add_values(self._packed.of(self.estimators_, self.learning_rate), X, raw)

    def _staged_raw_predict(self, X):
        """Yield the raw predictions of X, (n, n_raw), after each iteration."""
        check_is_fitted(self)
        X = self._read_X(X)
        raw = np.ascontiguousarray(self._start_of(X).T)
        walk, n_raw = self._packed.of(self.estimators_, self.learning_rate), raw.shape[1]
        for i in range(len(self.estimators_)):
            add_values(walk, X, raw, trees=(i * n_raw, (i + 1) * n_raw))
            yield raw.copy()

    def _shap_rows(self, X):
        check_is_fitted(self)
        return self._read_X(X)

    def _shap_terms(self):
        offset = 0.0 if self._constant is None else self._constant
        return Terms(self._packed.of(self.estimators_, self.learning_rate), offset=offset)

    def apply(self, X):
        """Return the leaf that each sample comes to, in each tree.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        leaves : float64 array of shape (n_samples, n_estimators, n_trees_per_iteration_)
        """
        check_is_fitted(self)
        X = self._read_X(X)
        found = leaves(self._packed.of(self.estimators_, self.learning_rate), X)
        return found.astype(np.float64).reshape(len(found), *self.estimators_.shape)

    def __len__(self):
        """Return the number of iterations."""
        return len(self.estimators_)

    def __getitem__(self, index):
        """Return the trees of an iteration."""
        return self.estimators_[index]

    def __iter__(self):
        """Go through the trees of each iteration."""
        return iter(self.estimators_)

    @property
    def feature_importances_(self):
        """How much squared error of the slopes the splits of each feature explain, in shares."""
        check_is_fitted(self)
        found = [
            tree.tree_.compute_feature_importances(normalize=False)
            for tree in self.estimators_.flat
            if tree.tree_.node_count > 1
        ]
        total = np.mean(found, axis=0) if found else np.zeros(self.n_features_in_)
        return total / total.sum() if found else total

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags


def fit_init(init, rows):
    """Fit the estimator of the first guess; raise ValueError if it does not take the weights."""
    y = rows.y.astype(np.float64)
    if rows.weights is None:
        return init.fit(rows.X, y)
    message = f"The initial estimator {type(init).__name__} does not support sample weights."
    try:
        return init.fit(rows.X, y, sample_weight=rows.weights)
    except TypeError as error:
        if "unexpected keyword argument 'sample_weight'" in str(error):
            raise ValueError(message) from error
        raise
    except ValueError as error:  # of a pipeline, which wants to know for which of its steps
        if "pass parameters to specific steps of your pipeline" in str(error):
            raise ValueError(message) from error
        raise
